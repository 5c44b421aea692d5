"""Reading one picture or mask from a file, however it was saved: always RGB bytes, always a 0/1 mask."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from jaalnet_core.data.room import Room
from jaalnet_core.errors import PictureError, SettingsError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
MAX_MEGAPIXELS = 100.0
MEGAPIXELS_VARIABLE = "JAALNET_MAX_MEGAPIXELS"  # sets another limit, for every command
MASK_THRESHOLD = 127  # a mask's 8-bit values above this are lesion

# Only these decoders ever see a file: Pillow also knows formats that start other programs (EPS). A phone's
# JPEG of several frames (MPO) counts as JPEG.
_FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")
_MOST_SCANS = 100  # of a progressive JPEG; cameras and programs write about ten, and each costs a pass over the picture
_STRIP = 1_000_000  # pixels converted at a time
_opening = threading.Lock()
_room = Room(64e6)  # pixels decoded at once, by all threads together; a larger picture has it to itself
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def is_picture_name(path: Path) -> bool:
    """Whether the name ends as a picture's does (in either case) and is not a hidden file's."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def megapixel_limit() -> float:
    """The largest picture that is read where no other limit is named: $JAALNET_MAX_MEGAPIXELS, else 100.

    Raises:
        SettingsError: the variable holds no number above 0.
    """
    text = os.environ.get(MEGAPIXELS_VARIABLE) or str(MAX_MEGAPIXELS)
    try:
        limit = float(text)
    except ValueError:
        limit = 0.0
    if not limit > 0:
        raise SettingsError(f"{MEGAPIXELS_VARIABLE}: found {text!r}, expected a number above 0 such as 150.")
    return limit


def pixels_in(path: Path | str) -> int:
    """How many pixels a picture has, by its header; 0 where that cannot be read: reading the picture will say why."""
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            return 0
        with _opened(Path(path)) as picture:
            return picture.width * picture.height
    except Exception:  # as in `_decoded`: damaged bytes raise nearly anything
        return 0


def read_picture(path: Path | str, *, max_megapixels: float | None = None) -> np.ndarray:
    """Read a photograph as `(H, W, 3)` uint8, RGB, the way a picture viewer shows it.

    Grey, palette, CMYK, 16-bit and floating-point pictures are brought to 8-bit RGB (NaN is black, infinity white),
    transparent parts lie on white, an EXIF orientation is applied, and of several frames the first is taken.

    Args:
        path: the file; its content, not its name, decides how it is decoded.
        max_megapixels: refuse larger pictures, by their header, before anything is decoded; None: `megapixel_limit`.

    Raises:
        PictureError: the file is missing, damaged, cut short, too large, or no picture.
    """
    with _decoded(Path(path), max_megapixels) as picture:
        if picture.mode[0] in "IF":
            return np.repeat(_eight_bit(picture)[:, :, None], 3, axis=2)
        rgb = np.empty((picture.height, picture.width, 3), np.uint8)
        transparent = picture.has_transparency_data
        for rows, strip in _strips(picture):
            rgb[rows] = _flattened(strip, background=255) if transparent else np.asarray(strip.convert("RGB"))
        return rgb


def read_mask(path: Path | str, *, max_megapixels: float | None = None) -> np.ndarray:
    """Read a mask as `(H, W)` uint8: 0 = skin, 1 = lesion.

    8-bit values above 127 are lesion; a mask that holds nothing above 1 is taken as 0 = skin, 1 = lesion.

    Raises:
        PictureError: the file is missing, damaged, cut short, too large, or no picture; or its brightest value lies
            between 1 and 128, so that nothing says what is lesion.
    """
    grey = read_grey(path, max_megapixels=max_megapixels)
    if 1 < (top := int(grey.max(initial=0))) <= MASK_THRESHOLD:
        raise PictureError(
            f"{path}: its brightest value is {top}, expected 255 for lesion and 0 for skin (above {MASK_THRESHOLD} "
            "counts as lesion): save it as black and white."
        )
    return binarise(grey)


def read_grey(path: Path | str, *, max_megapixels: float | None = None) -> np.ndarray:
    """Read a mask's values as they are stored, brought to `(H, W)` uint8; transparent parts count as 0.

    Raises:
        PictureError: the file is missing, damaged, cut short, too large, or no picture.
    """
    with _decoded(Path(path), max_megapixels) as picture:
        if picture.mode[0] in "IF":
            return _eight_bit(picture)
        grey = np.empty((picture.height, picture.width), np.uint8)
        transparent = picture.has_transparency_data
        for rows, strip in _strips(picture):
            if transparent:
                grey[rows] = _flattened(strip, background=0).max(axis=2)
            elif picture.mode in ("1", "L"):
                grey[rows] = np.asarray(strip.convert("L"))
            else:  # the brightest channel, so that a mask painted in pure red or green is still a mask
                grey[rows] = np.asarray(strip.convert("RGB")).max(axis=2)
        return grey


def binarise(grey: np.ndarray) -> np.ndarray:
    """`(H, W)` uint8 values to 0 or 1: above 127, or above 0 if nothing exceeds 1 (a mask saved as 0/1)."""
    threshold = 0 if grey.size and grey.max() <= 1 else MASK_THRESHOLD
    return (grey > threshold).astype(np.uint8)


@contextmanager
def _decoded(path: Path, max_megapixels: float | None) -> Iterator[Image.Image]:
    """Open, check the header, decode and turn upright; whatever goes wrong becomes a PictureError."""
    limit = megapixel_limit() if max_megapixels is None else max_megapixels
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for ever
            raise OSError("a folder, a pipe or a device, no file")
        with _opened(path) as picture:
            width, height = picture.size
            if width * height > limit * 1e6:
                raise PictureError(
                    f"{path}: {width}x{height} pixels ({width * height / 1e6:.0f} megapixels), expected at "
                    f"most {limit:g}: reduce the picture, or raise the limit (--max-megapixels where the command "
                    f"has it, else the environment variable {MEGAPIXELS_VARIABLE})."
                )
            _check_whole(path, picture)
            with _room.take(width * height):
                picture.load()
                yield _upright(picture)
    except PictureError:
        raise
    except FileNotFoundError as error:
        raise PictureError(f"{path}: no such file, expected a picture: check the path.") from error
    except PermissionError as error:
        raise PictureError(f"{path}: not allowed to read it: change the file's permissions.") from error
    except MemoryError as error:
        raise PictureError(f"{path}: not enough memory to read it: reduce the picture.") from error
    except Exception as error:  # a decoder fed with damaged bytes raises nearly anything
        raise PictureError(
            f"{path}: cannot be read as a picture ({_reason(error)}), expected a whole JPEG, PNG, BMP, TIFF "
            "or WebP file: copy or download it again, or remove it."
        ) from error


def _opened(path: Path) -> Image.Image:
    """Read the header only. Pillow's own size limit, a module global, gives way to the caller's."""
    with _opening:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(path, formats=_FORMATS)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _check_whole(path: Path, picture: Image.Image) -> None:
    """What decoding would pass over: a PNG's checksums, and a JPEG of so many passes that it takes hours."""
    if picture.format == "PNG":
        with _opened(path) as again:
            again.verify()
    elif picture.format in ("JPEG", "MPO") and picture.info.get("progressive"):
        scans = path.read_bytes().count(b"\xff\xda")
        if scans > _MOST_SCANS:
            raise ValueError(f"a progressive JPEG of {scans} scans, about ten are usual")


def _upright(picture: Image.Image) -> Image.Image:
    """Turned by its EXIF orientation; one that cannot be read turns nothing, as in a picture viewer."""
    try:
        turn = _TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged bytes again, of which the pixels know nothing
        turn = None
    return picture if turn is None else picture.transpose(turn)


def _strips(picture: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    """The picture in strips of rows, and where they stand: a large one is converted without being held twice."""
    height = max(1, _STRIP // picture.width)
    for top in range(0, picture.height, height):
        bottom = min(top + height, picture.height)
        yield slice(top, bottom), picture.crop((0, top, picture.width, bottom))


def _reason(error: Exception) -> str:
    if isinstance(error, Image.UnidentifiedImageError):
        return "not a picture of a known kind"
    return str(error) or type(error).__name__


def _eight_bit(picture: Image.Image) -> np.ndarray:
    """`(H, W)` uint8 of a picture of 16-bit, 32-bit or float values.

    The range is told from the finite values: floats within 0..1 are fractions, anything above 255 is on the 16-bit
    scale, and the rest is 8-bit data in a wider container. NaN becomes 0, and infinity the range's end.
    """
    top, fractions, numbers = 0.0, False, False
    for _, strip in _strips(picture):
        values = np.asarray(strip)
        finite = values[np.isfinite(values)]
        top = max(top, float(finite.max(initial=0)))
        fractions, numbers = values.dtype.kind == "f", numbers or finite.size > 0
    if not numbers:
        raise ValueError("not one of its values is a number")
    white = 1.0 if fractions and top <= 1.0 else 65535.0 if top > 255 else 255.0
    grey = np.empty((picture.height, picture.width), np.uint8)
    for rows, strip in _strips(picture):
        wide = np.nan_to_num(np.asarray(strip, dtype=np.float64), nan=0.0, posinf=white, neginf=0.0)
        grey[rows] = np.clip(np.rint(wide * (255.0 / white)), 0, 255)
    return grey


def _flattened(picture: Image.Image, *, background: int) -> np.ndarray:
    """`(H, W, 3)` uint8 of a picture with transparency, laid on a plain grey level."""
    rgba = picture.convert("RGBA")
    canvas = Image.new("RGBA", rgba.size, (background, background, background, 255))
    return np.asarray(Image.alpha_composite(canvas, rgba).convert("RGB"))
