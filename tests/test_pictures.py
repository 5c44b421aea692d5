"""jaalnet_core.data.pictures: any picture becomes RGB bytes, any mask 0 and 1, the rest a clear error."""

import contextlib
import io
import os
import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lesion_files import a_mask, a_picture, save
from PIL import Image

from jaalnet_core.data import pictures
from jaalnet_core.data.pictures import binarise, is_picture_name, read_grey, read_mask, read_picture
from jaalnet_core.errors import PictureError, SettingsError

PICTURE = a_picture(seed=3)
GREY = PICTURE[:, :, 1]


@pytest.mark.parametrize("ending", ["png", "bmp", "tif", "TIFF", "PNG", "webp", "jpg", "JPEG"])
def test_every_kind_of_file_gives_the_same_picture(tmp_path, ending):
    options = {"webp": {"lossless": True}, "jpg": {"quality": 98}, "jpeg": {"quality": 98}}
    path = save(tmp_path / f"a.{ending}", PICTURE, **options.get(ending.lower(), {}))
    read = read_picture(path)
    assert read.dtype == np.uint8
    assert read.shape == PICTURE.shape
    tolerance = 2 if ending.lower() in ("jpg", "jpeg") else 0
    assert np.abs(read.astype(int) - PICTURE).mean() <= tolerance


def test_grey_becomes_three_equal_channels(tmp_path):
    read = read_picture(save(tmp_path / "a.png", GREY))
    assert np.array_equal(read, np.dstack([GREY] * 3))


def test_sixteen_bit_grey_keeps_its_levels(tmp_path):
    read = read_picture(save(tmp_path / "a.png", GREY.astype(np.uint16) * 257))
    assert np.array_equal(read, np.dstack([GREY] * 3))


def test_eight_bit_values_in_a_sixteen_bit_file_are_not_darkened(tmp_path):
    read = read_picture(save(tmp_path / "a.tif", GREY.astype(np.uint16)))
    assert np.array_equal(read[:, :, 0], GREY)


def test_sixteen_bit_colour_keeps_the_high_byte(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(_png(PICTURE.astype(">u2") * 257, bits=16, colour_type=2))
    assert np.array_equal(read_picture(path), PICTURE)


@pytest.mark.parametrize("scale", [1 / 255, 1.0])
def test_floating_point_pictures(tmp_path, scale):
    path = tmp_path / "a.tif"
    Image.fromarray(GREY.astype(np.float32) * np.float32(scale)).save(path)
    assert np.array_equal(read_picture(path)[:, :, 2], GREY)


def test_cmyk(tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(PICTURE).convert("CMYK").save(path, quality=98)
    assert np.abs(read_picture(path).astype(int) - PICTURE).mean() < 3


def test_palette(tmp_path):
    path = tmp_path / "a.png"
    picture = Image.fromarray(PICTURE).quantize(64)
    picture.save(path)
    assert np.array_equal(read_picture(path), np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_parts_lie_on_white(tmp_path, mode):
    picture = Image.fromarray(PICTURE).convert(mode)
    alpha = np.full(PICTURE.shape[:2], 255, np.uint8)
    alpha[:10] = 0
    picture.putalpha(Image.fromarray(alpha))
    picture.save(tmp_path / "a.png")
    read = read_picture(tmp_path / "a.png")
    assert (read[:10] == 255).all()
    assert np.array_equal(read[10:], np.asarray(picture.convert("RGB"))[10:])


def test_a_transparent_palette_colour_lies_on_white(tmp_path):
    picture = Image.new("P", (40, 40), 1)
    picture.putpalette([0, 0, 0, 200, 100, 50])
    picture.paste(0, (0, 0, 40, 20))
    picture.save(tmp_path / "a.png", transparency=0)
    read = read_picture(tmp_path / "a.png")
    assert (read[:20] == 255).all()
    assert (read[20:] == (200, 100, 50)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_camera_s_orientation_is_applied(tmp_path, orientation):
    # What a viewer shows is PICTURE; the file stores it turned, as a camera held sideways does.
    undo = {
        1: PICTURE,
        2: PICTURE[:, ::-1],
        3: PICTURE[::-1, ::-1],
        4: PICTURE[::-1],
        5: PICTURE.transpose(1, 0, 2),
        6: np.rot90(PICTURE, 1),
        7: PICTURE[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(PICTURE, -1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "a.png"
    Image.fromarray(np.ascontiguousarray(undo[orientation])).save(path, exif=exif)
    assert np.array_equal(read_picture(path), PICTURE)


def test_of_several_frames_the_first_is_read(tmp_path):
    frames = [Image.fromarray(PICTURE), Image.fromarray(PICTURE[::-1].copy())]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    assert np.array_equal(read_picture(tmp_path / "a.tif"), PICTURE)


def test_the_content_decides_not_the_name(tmp_path):
    path = save(tmp_path / "a.png", PICTURE).rename(tmp_path / "a.jpg")
    assert np.array_equal(read_picture(path), PICTURE)


def test_names_beyond_ascii(tmp_path):
    path = save(tmp_path / "Läsion – 痣 №1.PNG", PICTURE)
    assert np.array_equal(read_picture(path), PICTURE)


@pytest.mark.parametrize("ending", ["jpg", "png", "bmp", "tif", "webp"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_short_is_refused_or_whole(tmp_path, ending, share):
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).save(buffer, {"jpg": "JPEG", "tif": "TIFF"}.get(ending, ending.upper()))
    whole = buffer.getvalue()
    complete, cut = tmp_path / f"whole.{ending}", tmp_path / f"cut.{ending}"
    complete.write_bytes(whole)
    cut.write_bytes(whole[: int(len(whole) * share)])
    with contextlib.suppress(PictureError):  # else only what follows the pixels was lost
        assert np.array_equal(read_picture(cut), read_picture(complete))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_half_a_photograph_is_refused(tmp_path, share):
    path = save(tmp_path / "a.jpg", PICTURE)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(PictureError, match=r"a\.jpg: cannot be read as a picture"):
        read_picture(path)


@given(st.binary(max_size=400))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_a_picture_or_a_picture_error(tmp_path, content):
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    with pytest.raises(PictureError):
        read_picture(path)


def test_the_header_is_checked_before_anything_is_decoded(tmp_path, monkeypatch):
    path = tmp_path / "bomb.png"
    path.write_bytes(_png(np.zeros((1, 1), np.uint8), bits=8, colour_type=0, claim=(60_000, 60_000)))
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("decoded"))
    with pytest.raises(PictureError, match=r"60000x60000 pixels \(3600 megapixels\), expected at most 100"):
        read_picture(path)


def test_the_limit_is_a_setting_and_pillow_s_own_does_not_interfere(tmp_path, monkeypatch):
    path = save(tmp_path / "a.png", PICTURE)  # 2,240 pixels
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    monkeypatch.setattr(pictures, "_STRIP", 500)  # Pillow 10 holds a strip to it as well
    assert read_picture(path, max_megapixels=0.00224).shape == PICTURE.shape
    assert Image.MAX_IMAGE_PIXELS == 1000
    with pytest.raises(PictureError, match="max-megapixels"):
        read_picture(path, max_megapixels=0.00223)


def test_formats_outside_the_list_are_refused(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n")
    with pytest.raises(PictureError, match="not a picture of a known kind"):
        read_picture(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(PictureError, match="no such file"):
        read_picture(tmp_path / "nowhere.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(PictureError, match=r"folder\.png: cannot be read"):
        read_picture(tmp_path / "folder.png")


def test_a_forbidden_file_says_so(tmp_path, monkeypatch):
    path = save(tmp_path / "a.png", PICTURE)

    def forbid(file, **options):  # file modes would not do: an administrator may read everything
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr(Image, "open", forbid)
    with pytest.raises(PictureError, match="not allowed"):
        read_picture(path)


MASK = a_mask()


@pytest.mark.parametrize(
    "values",
    [
        MASK * np.uint8(255),
        MASK,
        MASK.astype(bool),
        MASK.astype(np.uint16) * np.uint16(65535),
        MASK.astype(np.uint16) * np.uint16(255),
        MASK.astype(np.uint16),
        np.dstack([MASK * np.uint8(255)] * 3),
        np.dstack([MASK * np.uint8(255), MASK * 0, MASK * 0]),
        np.dstack([np.full((*MASK.shape, 3), 255, np.uint8), MASK * np.uint8(255)]),
    ],
    ids=["0/255", "0/1", "bool", "0/65535", "16-bit 0/255", "16-bit 0/1", "rgb", "pure red", "alpha"],
)
def test_every_way_to_save_a_mask(tmp_path, values):
    read = read_mask(save(tmp_path / "m.png", values))
    assert read.dtype == np.uint8
    assert np.array_equal(read, MASK)


def test_a_mask_is_cut_above_127(tmp_path):
    values = np.array([[0, 1, 127], [128, 200, 255]], np.uint8)
    assert read_mask(save(tmp_path / "m.png", values)).tolist() == [[0, 0, 0], [1, 1, 1]]


def test_the_grey_values_of_a_mask_are_kept(tmp_path):
    assert np.array_equal(read_grey(save(tmp_path / "m.png", GREY)), GREY)


def test_a_damaged_mask_is_named(tmp_path):
    (tmp_path / "m.png").write_bytes(b"no picture")
    with pytest.raises(PictureError, match=r"m\.png"):
        read_mask(tmp_path / "m.png")


def test_no_pixels_are_no_lesion():
    assert binarise(np.zeros((0, 5), np.uint8)).shape == (0, 5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.JPG", True), ("a b.tiff", True), (".a.jpg", False), ("a.gif", False), ("a", False), ("jpg", False)],
)
def test_names_of_pictures(tmp_path, name, expected):
    assert is_picture_name(tmp_path / name) is expected


def _png(values: np.ndarray, *, bits: int, colour_type: int, claim: tuple[int, int] | None = None) -> bytes:
    """A PNG written by hand: Pillow writes no 16-bit colour, and no header that lies."""
    height, width = values.shape[:2]

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", *(claim or (width, height)), bits, colour_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(PictureError, match=r"pipe\.jpg: cannot be read as a picture \(a folder, a pipe or a device"):
        read_picture(tmp_path / "pipe.jpg")


def test_a_link_in_a_circle_is_named(tmp_path):
    (tmp_path / "a.png").symlink_to("a.png")
    with pytest.raises(PictureError, match=r"a\.png"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("scale", [1 / 255, 1.0, 257.0])
def test_infinity_and_nan_do_not_change_the_scale_of_the_rest(tmp_path, scale):
    values = GREY.astype(np.float32) * np.float32(scale)
    values[0, :3] = np.inf, -np.inf, np.nan
    Image.fromarray(values).save(tmp_path / "a.tif")
    read = read_picture(tmp_path / "a.tif")[:, :, 0]
    assert read[0, :3].tolist() == [255, 0, 0]
    assert np.array_equal(read[1:], GREY[1:])


def test_a_picture_without_one_number_is_refused(tmp_path):
    Image.fromarray(np.full((40, 40), np.nan, np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(PictureError, match=r"a\.tif: .*not one of its values is a number"):
        read_picture(tmp_path / "a.tif")


@pytest.mark.parametrize("spoilt", [b"Exif\0\0MM\0*" + b"\xff" * 30, b"Exif\0\0", b"Exif\0\0II*\0\x08\0\0\0\xff\xff"])
def test_broken_exif_does_not_hide_whole_pixels(tmp_path, spoilt):
    path = save(tmp_path / "a.jpg", PICTURE, quality=98, exif=spoilt)
    assert np.abs(read_picture(path).astype(int) - PICTURE).mean() < 2


def test_an_orientation_beside_a_field_that_cannot_be_written_again_still_turns(tmp_path, monkeypatch):
    exif = Image.Exif()
    exif[0x0112] = 3
    path = save(tmp_path / "a.png", PICTURE[::-1, ::-1], exif=exif)
    monkeypatch.setattr(Image.Exif, "tobytes", lambda *_: pytest.fail("EXIF written again"))
    assert np.array_equal(read_picture(path), PICTURE)


def test_a_png_whose_checksum_fails_is_refused(tmp_path):
    """Pillow itself does not look at the checksums of the pixels."""
    content = bytearray(save(tmp_path / "a.png", PICTURE, compress_level=0).read_bytes())
    content[content.index(b"IDAT") + 400] ^= 1
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(PictureError, match=r"a\.png: cannot be read"):
        read_picture(tmp_path / "a.png")


def test_a_jpeg_of_hundreds_of_passes_is_refused(tmp_path):
    path = save(tmp_path / "a.jpg", PICTURE, progressive=True)
    content = path.read_bytes()
    last = content[content.rindex(b"\xff\xda") : -2]
    assert read_picture(path).shape == PICTURE.shape
    path.write_bytes(content[:-2] + last * 200 + content[-2:])
    with pytest.raises(PictureError, match=r"a\.jpg: .*progressive JPEG of 2\d\d scans"):
        read_picture(path)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK", "L", "I;16", "F"])
def test_in_strips_or_at_once_is_the_same(tmp_path, monkeypatch, mode):
    image = Image.fromarray(PICTURE if mode not in ("L", "I;16", "F") else GREY)
    if mode == "I;16":
        image = Image.fromarray(GREY.astype(np.uint16) * 257)
    elif mode not in ("RGB", "L"):
        image = image.convert(mode)
    image.save(tmp_path / "a.tif")
    whole, grey = read_picture(tmp_path / "a.tif"), read_grey(tmp_path / "a.tif")
    monkeypatch.setattr(pictures, "_STRIP", 130)
    assert np.array_equal(read_picture(tmp_path / "a.tif"), whole)
    assert np.array_equal(read_grey(tmp_path / "a.tif"), grey)


def test_the_limit_for_every_command_is_a_variable(tmp_path, monkeypatch):
    path = save(tmp_path / "a.png", PICTURE)  # 2,240 pixels
    monkeypatch.setenv(pictures.MEGAPIXELS_VARIABLE, "0.002")
    with pytest.raises(PictureError, match=r"expected at most 0.002: .*JAALNET_MAX_MEGAPIXELS"):
        read_picture(path)
    assert read_picture(path, max_megapixels=100).shape == PICTURE.shape
    monkeypatch.setenv(pictures.MEGAPIXELS_VARIABLE, "0.003")
    assert read_picture(path).shape == PICTURE.shape
    for nonsense in ("many", "0", "-1", "nan"):
        monkeypatch.setenv(pictures.MEGAPIXELS_VARIABLE, nonsense)
        with pytest.raises(SettingsError, match=f"found '{nonsense}', expected a number above 0"):
            read_picture(path)


@pytest.mark.parametrize("brightest", [2, 100, 127])
def test_a_mask_in_which_nothing_says_what_is_lesion_is_refused(tmp_path, brightest):
    path = save(tmp_path / "m.png", MASK * np.uint8(brightest))
    with pytest.raises(PictureError, match=rf"m\.png: its brightest value is {brightest}, expected 255"):
        read_mask(path)
    assert read_grey(path).max() == brightest
