"""Prediction with a network whose answer is known: dark pixels are lesion."""

from __future__ import annotations

import csv
import os
import sys

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from jaalnet_core import prediction
from jaalnet_core.cli import main
from jaalnet_core.errors import CheckpointError, DataError, PictureError, SettingsError
from jaalnet_core.figures.outlines import draw_outlines
from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.prediction import outline_lesion, predict_pictures
from jaalnet_core.prediction_files import find_pictures, read_table
from jaalnet_core.size import Size
from jaalnet_core.weights import LoadedNetwork, save_weights


class DarkIsLesion(nn.Module):
    """Logits `(B, 1, H, W)` above 0 where the mean of RGB is below one half; notes the sizes it was shown."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, images):
        self.seen.append(tuple(images.shape))
        return 40 * (0.5 - images.mean(dim=1, keepdim=True))


class LeftIsLesion(nn.Module):
    def forward(self, images):
        logits = torch.full_like(images[:, :1], -10.0)
        logits[..., : images.shape[-1] // 2] = 10.0
        return logits


def lesion_picture(height=120, width=160, centre=(60, 70), radius=30):
    """RGB bytes with a dark disc, and the disc."""
    mask = cv2.circle(np.zeros((height, width), np.uint8), centre, radius, 1, -1)
    picture = np.full((height, width, 3), (220, 180, 160), np.uint8)
    picture[mask > 0] = (90, 40, 30)
    return picture, mask


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def save(path, picture, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, **options)
    return path


def read(path):
    with path.open("rb") as file:
        return np.array(Image.open(file))


@pytest.fixture(autouse=True)
def one_thread():
    """Pictures this small gain nothing from a second thread, and lose much where the machine is busy."""
    torch.set_num_threads(1)


@pytest.fixture
def loaded(tmp_path):
    return LoadedNetwork(DarkIsLesion(), Size(64, 64), {}, tmp_path / "fake.safetensors")


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    return save_weights(build_lf_net("tiny"), tmp_path / "tiny.safetensors", Size(32, 48))


# One photograph


def test_mask_is_at_the_pictures_own_size():
    picture, mask = lesion_picture()
    outline = outline_lesion(DarkIsLesion(), picture)
    assert outline.mask.shape == outline.probabilities.shape == (120, 160)
    assert outline.mask.dtype == np.uint8
    assert outline.probabilities.dtype == np.float32
    assert dice(outline.mask, mask) > 0.97
    assert outline.lesion_pixels == outline.mask.sum()
    assert outline.lesion_percent == pytest.approx(100 * outline.mask.mean())


def test_the_network_sees_its_own_size(loaded):
    picture, _ = lesion_picture()
    outline_lesion(loaded, picture)
    outline_lesion(loaded, picture, size=Size(96, 32))
    outline_lesion(loaded.network, picture)
    assert [shape[2:] for shape in loaded.network.seen] == [(64, 64), (96, 32), (128, 128)]


def test_probabilities_are_enlarged_before_the_threshold():
    picture = np.full((256, 256, 3), 255, np.uint8)
    picture[:, :128] = 0
    outline = outline_lesion(LeftIsLesion(), picture, size=Size(32, 32))
    edge = outline.probabilities[100, 120:136]
    assert (np.diff(edge) <= 0).all()
    assert ((edge > 0.1) & (edge < 0.9)).sum() >= 4  # a ramp of 8 pixels, not a stair
    assert outline.mask[:, :128].all()
    assert not outline.mask[:, 128:].any()


def test_the_map_is_enlarged_as_evaluation_enlarges_it():
    generator = torch.Generator().manual_seed(0)
    small = torch.rand(1, 1, 32, 32, generator=generator)

    class Fixed(nn.Module):
        def forward(self, images):
            return torch.logit(small, eps=1e-6)

    outline = outline_lesion(Fixed(), np.zeros((75, 101, 3), np.uint8), size=Size(32, 32))
    expected = nn.functional.interpolate(small, (75, 101), mode="bilinear", align_corners=False)[0, 0]
    np.testing.assert_allclose(outline.probabilities, expected.numpy(), atol=2e-4)


def test_threshold_moves_the_outline():
    blurred = cv2.GaussianBlur(lesion_picture()[0], (0, 0), 8)
    areas = [outline_lesion(DarkIsLesion(), blurred, threshold=value).lesion_pixels for value in (0.1, 0.5, 0.9)]
    assert areas[0] > areas[1] > areas[2] > 0


def test_flips_average_the_mirror_images():
    picture, _ = lesion_picture()
    once = outline_lesion(LeftIsLesion(), picture).probabilities
    mirrored = outline_lesion(LeftIsLesion(), picture, flips=True).probabilities
    assert once[:, 0].min() > 0.99
    np.testing.assert_allclose(mirrored, 0.5, atol=1e-4)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_threshold_outside_its_range_is_refused(value):
    with pytest.raises(SettingsError, match="threshold"):
        outline_lesion(DarkIsLesion(), lesion_picture()[0], threshold=value)


@pytest.mark.parametrize(
    "picture", [np.zeros((5, 5), np.uint8), np.zeros((5, 5, 3), float), np.zeros((0, 5, 3), np.uint8)]
)
def test_an_array_that_is_no_picture_is_refused(picture):
    with pytest.raises(ValueError, match="picture"):
        outline_lesion(DarkIsLesion(), picture)


def test_a_file_is_read_and_a_missing_one_named(tmp_path):
    picture, mask = lesion_picture()
    outline = outline_lesion(DarkIsLesion(), save(tmp_path / "mole.png", picture))
    assert dice(outline.mask, mask) > 0.97
    with pytest.raises(PictureError, match=r"gone\.png"):
        outline_lesion(DarkIsLesion(), tmp_path / "gone.png")


def test_weights_are_loaded_by_path(weights):
    outline = outline_lesion(weights, lesion_picture(50, 70)[0])
    assert outline.probabilities.shape == (50, 70)
    assert 0 < outline.probabilities.min() <= outline.probabilities.max() < 1
    with pytest.raises(CheckpointError, match="nothing"):
        outline_lesion(weights.with_name("nothing.safetensors"), lesion_picture()[0])


# Files and folders


def test_each_picture_gets_mask_overlay_and_row(tmp_path, loaded):
    picture, mask = lesion_picture()
    file = save(tmp_path / "in" / "mole.png", picture)
    rows = predict_pictures(loaded, [file], tmp_path / "out", device="cpu", progress=False)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "mole_mask.png",
        "mole_overlay.jpg",
        "predictions.csv",
    ]
    written = read(tmp_path / "out" / "mole_mask.png")
    assert written.shape == (120, 160)
    assert set(np.unique(written)) == {0, 255}
    assert dice(written > 0, mask > 0) > 0.95
    overlay = read(tmp_path / "out" / "mole_overlay.jpg").astype(int)
    expected = draw_outlines(picture, predicted=(written > 0)).astype(int)
    assert np.abs(overlay - expected).mean() < 6
    assert np.abs(overlay - picture).max() > 100
    with (tmp_path / "out" / "predictions.csv").open(newline="") as table:
        (row,) = csv.DictReader(table)
    area = np.count_nonzero(written)
    assert row["file"] == str(file)
    assert (row["width"], row["height"], row["status"], row["error"]) == ("160", "120", "ok", "")
    assert int(row["lesion_pixels"]) == area
    assert float(row["lesion_percent"]) == pytest.approx(100 * area / written.size, abs=1e-3)
    assert float(row["seconds"]) > 0
    assert rows[0].lesion_pixels == area


def odd_pictures(folder):
    """The same scene saved in every way that cameras and programs do."""
    picture, mask = lesion_picture()
    grey = picture.mean(axis=2).astype(np.uint8)
    image = Image.fromarray(picture)
    folder.mkdir()
    Image.fromarray(grey).save(folder / "grey.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(folder / "sixteen bit.png")
    image.convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    image.convert("P").save(folder / "palette.png")
    image.convert("RGBA").save(folder / "alpha.webp", lossless=True)
    turned = Image.fromarray(np.rot90(picture).copy())
    exif = turned.getexif()
    exif[0x0112] = 6  # shown after a quarter turn clockwise
    turned.save(folder / "EXIF.JPG", exif=exif, quality=95)
    image.save(folder / "muttermal größe.bmp")
    return mask


def test_odd_pictures_are_outlined_as_a_viewer_shows_them(tmp_path, loaded):
    mask = odd_pictures(tmp_path / "in")
    rows = predict_pictures(loaded, [tmp_path / "in"], tmp_path / "out", progress=False)
    assert len(rows) == 7
    for row in rows:
        assert row.status == "ok", row.error
        written = read(tmp_path / "out" / row.mask)
        assert written.shape == mask.shape, row.file
        assert dice(written > 0, mask > 0) > 0.95, row.file


def test_a_broken_picture_is_reported_and_the_rest_done(tmp_path, loaded):
    picture, _ = lesion_picture()
    good = save(tmp_path / "in" / "good.jpg", picture)
    cut = tmp_path / "in" / "cut.jpg"
    cut.write_bytes(good.read_bytes()[:900])
    (tmp_path / "in" / "text.png").write_text("not a picture")
    (tmp_path / "in" / "notes.txt").write_text("ignored")
    rows = predict_pictures(loaded, [tmp_path / "in"], tmp_path / "out", progress=False)
    assert [(row.status, row.file.rsplit(os.sep, 1)[1]) for row in rows] == [
        ("error", "cut.jpg"),
        ("ok", "good.jpg"),
        ("error", "text.png"),
    ]
    assert "cut.jpg" in rows[0].error
    assert read_table(tmp_path / "out")[0].error == rows[0].error
    assert not (tmp_path / "out" / "cut_mask.png").exists()


def test_a_picture_above_the_limit_is_refused_and_named(tmp_path, loaded):
    file = save(tmp_path / "large.png", lesion_picture()[0])
    (row,) = predict_pictures(loaded, [file], tmp_path / "out", max_megapixels=0.01, progress=False)
    assert row.status == "error"
    assert "large.png" in row.error
    assert not loaded.network.seen


def test_what_is_missing_or_empty_is_a_row(tmp_path, loaded):
    (tmp_path / "empty").mkdir()
    save(tmp_path / "only" / "a_Segmentation.png", lesion_picture()[1])
    inputs = [tmp_path / "gone.jpg", tmp_path / "empty", tmp_path / "only"]
    rows = predict_pictures(loaded, inputs, tmp_path / "out", progress=False)
    assert [row.status for row in rows] == ["error"] * 3
    assert "no such file" in rows[0].error
    assert "no picture" in rows[1].error
    assert "1 masks" in rows[2].error
    assert len(read_table(tmp_path / "out")) == 3


def test_masks_and_deeper_folders_are_left_out_unless_asked(tmp_path):
    picture, mask = lesion_picture()
    root = tmp_path / "data"
    save(root / "a.png", picture)
    save(root / "a_mask.png", mask)
    save(root / "images" / "b.png", picture)
    save(root / "masks" / "b.png", mask)
    save(root / ".hidden" / "c.png", picture)
    save(root / "out" / "d.png", picture)
    flat = find_pictures([root], root / "out")
    assert [path.name for path in flat.pictures] == ["a.png"]
    assert flat.masks_left_out == 1
    deep = find_pictures([root], root / "out", recursive=True)
    assert [path.name for path in deep.pictures] == ["a.png", "b.png"]
    named = find_pictures([root / "a_mask.png"], root / "out")
    assert [path.name for path in named.pictures] == ["a_mask.png"]


def test_a_picture_named_twice_is_outlined_once(tmp_path, loaded):
    file = save(tmp_path / "in" / "a.png", lesion_picture()[0])
    rows = predict_pictures(loaded, [tmp_path / "in", file, file], tmp_path / "out", progress=False)
    assert len(rows) == 1


# Names of results


def test_the_same_stem_never_collides(tmp_path, loaded):
    picture, _ = lesion_picture()
    files = [
        save(tmp_path / name, picture) for name in ("one/a.png", "one/a.jpg", "two/a.png", "two/A.bmp", "two/a-2.png")
    ]
    rows = predict_pictures(loaded, files, tmp_path / "out", progress=False)
    assert [row.mask for row in rows] == [
        "a_mask.png",
        "a-3_mask.png",
        "a-4_mask.png",
        "A-5_mask.png",
        "a-2_mask.png",
    ]
    assert len({row.overlay.casefold() for row in rows}) == 5
    assert all((tmp_path / "out" / row.mask).exists() for row in rows)


def test_a_very_long_name_is_shortened(tmp_path, loaded):
    file = save(tmp_path / ("ä" * 120 + ".png"), lesion_picture()[0])
    (row,) = predict_pictures(loaded, [file], tmp_path / "out", progress=False)
    assert row.status == "ok"
    assert row.mask == "ä" * 80 + "_mask.png"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems only allow names that are text")
def test_a_name_that_is_no_text_survives(tmp_path, loaded):
    plain = save(tmp_path / "in" / "a.png", lesion_picture()[0])
    os.rename(os.fsencode(plain), os.fsencode(plain.parent) + b"/\xff.png")
    (row,) = predict_pictures(loaded, [tmp_path / "in"], tmp_path / "out", progress=False)
    assert row.status == "ok"
    assert os.fsencode(read_table(tmp_path / "out")[0].file).endswith(b"\xff.png")


# What is already in the folder


def test_a_second_run_replaces_its_own_results(tmp_path, loaded):
    picture, _ = lesion_picture()
    file = save(tmp_path / "a.png", picture)
    predict_pictures(loaded, [file], tmp_path / "out", progress=False)
    save(file, lesion_picture(radius=15)[0])
    rows = predict_pictures(loaded, [file], tmp_path / "out", progress=False)
    assert [row.mask for row in read_table(tmp_path / "out")] == ["a_mask.png"]
    assert np.count_nonzero(read(tmp_path / "out" / "a_mask.png")) == rows[0].lesion_pixels < 1000


def test_another_picture_of_the_name_keeps_the_first_result(tmp_path, loaded):
    first = save(tmp_path / "one" / "a.png", lesion_picture()[0])
    second = save(tmp_path / "two" / "a.png", lesion_picture(radius=10)[0])
    (before,) = predict_pictures(loaded, [first], tmp_path / "out", progress=False)
    (after,) = predict_pictures(loaded, [second], tmp_path / "out", progress=False)
    assert (before.mask, after.mask) == ("a_mask.png", "a-2_mask.png")
    assert [row.file for row in read_table(tmp_path / "out")] == [str(first), str(second)]
    assert np.count_nonzero(read(tmp_path / "out" / "a_mask.png")) == before.lesion_pixels


def test_a_picture_that_broke_since_loses_its_old_result(tmp_path, loaded):
    file = save(tmp_path / "a.png", lesion_picture()[0])
    predict_pictures(loaded, [file], tmp_path / "out", progress=False)
    file.write_bytes(b"broken")
    predict_pictures(loaded, [file], tmp_path / "out", progress=False)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["predictions.csv"]
    assert [row.status for row in read_table(tmp_path / "out")] == ["error"]


def test_a_foreign_file_is_never_replaced(tmp_path, loaded):
    file = save(tmp_path / "a.png", lesion_picture()[0])
    expert = save(tmp_path / "masks" / "a_mask.png", lesion_picture()[1])
    before = expert.read_bytes()
    with pytest.raises(SettingsError, match=r"a_mask\.png"):
        predict_pictures(loaded, [file], tmp_path / "masks", progress=False)
    assert expert.read_bytes() == before
    assert not (tmp_path / "masks" / "predictions.csv").exists()


def test_an_input_is_never_replaced_even_if_it_is_a_result(tmp_path, loaded):
    file = save(tmp_path / "a.png", lesion_picture()[0])
    out = tmp_path / "out"
    predict_pictures(loaded, [file], out, progress=False)
    with pytest.raises(SettingsError, match="to outline"):
        predict_pictures(loaded, [file, out / "a_mask.png"], out, progress=False)


def test_results_may_lie_beside_a_named_picture(tmp_path, loaded):
    file = save(tmp_path / "a.png", lesion_picture()[0])
    before = file.read_bytes()
    predict_pictures(loaded, [file], tmp_path, progress=False)
    assert (tmp_path / "a_mask.png").exists()
    assert file.read_bytes() == before


@pytest.mark.parametrize("text", ["name,age\nx,3\n", "", "\x00\x00"])
def test_a_foreign_table_is_kept(tmp_path, loaded, text):
    file = save(tmp_path / "a.png", lesion_picture()[0])
    out = tmp_path / "out"
    out.mkdir()
    (out / "predictions.csv").write_text(text)
    with pytest.raises(SettingsError, match=r"predictions\.csv"):
        predict_pictures(loaded, [file], out, progress=False)
    assert (out / "predictions.csv").read_text() == text


def test_out_must_be_another_folder(tmp_path, loaded):
    save(tmp_path / "in" / "a.png", lesion_picture()[0])
    with pytest.raises(SettingsError, match="--out"):
        predict_pictures(loaded, [tmp_path / "in"], tmp_path / "in" / ".." / "in", progress=False)
    with pytest.raises(SettingsError, match="expected a folder"):
        predict_pictures(loaded, [tmp_path / "in"], tmp_path / "in" / "a.png", progress=False)
    with pytest.raises(SettingsError, match="at least one"):
        predict_pictures(loaded, [], tmp_path / "out", progress=False)


def test_a_stopped_run_leaves_whole_files_and_can_be_repeated(tmp_path, loaded, monkeypatch):
    files = [save(tmp_path / "in" / f"{name}.png", lesion_picture()[0]) for name in "abc"]
    original = prediction.cv2.imencode
    calls = []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 4:  # the overlay of the second picture
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(prediction.cv2, "imencode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        predict_pictures(loaded, files, tmp_path / "out", workers=1, progress=False)
    assert [row.status for row in read_table(tmp_path / "out")] == ["ok", "error"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "a_mask.png",
        "a_overlay.jpg",
        "b_mask.png",
        "predictions.csv",
    ]
    rows = predict_pictures(loaded, files, tmp_path / "out", progress=False)
    assert [row.status for row in rows] == ["ok"] * 3
    assert [row.mask for row in read_table(tmp_path / "out")] == ["a_mask.png", "b_mask.png", "c_mask.png"]


def test_a_full_disk_is_a_clear_error(tmp_path, loaded, monkeypatch):
    file = save(tmp_path / "a.png", lesion_picture()[0])

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(DataError, match="No space left"):
        predict_pictures(loaded, [file], tmp_path / "out", progress=False)
    assert not list((tmp_path / "out").iterdir())


# The command


def test_command_with_real_weights(tmp_path, weights, capsys):
    save(tmp_path / "in" / "a.png", lesion_picture(61, 83)[0])
    out = tmp_path / "out"
    arguments = ["predict", "--checkpoint", str(weights), str(tmp_path / "in"), "--out", str(out), "--flips"]
    assert main([*arguments, "--threshold", "0"]) == 0
    assert "1 of 1 outlined" in capsys.readouterr().out
    assert (read(out / "a_mask.png") == 255).all()  # every probability is above 0
    assert read(out / "a_mask.png").shape == (61, 83)


def test_command_reports_failures_and_exits_with_1(tmp_path, weights, capsys):
    save(tmp_path / "in" / "a.png", lesion_picture()[0])
    save(tmp_path / "in" / "a_mask.png", lesion_picture()[1])
    (tmp_path / "in" / "b.png").write_bytes(b"broken")
    out = tmp_path / "out"
    assert main(["predict", "--checkpoint", str(weights), str(tmp_path / "in"), "--out", str(out)]) == 1
    output = capsys.readouterr()
    assert "1 of 2 outlined" in output.out
    assert "as masks by their names: 1 files" in output.out
    assert "b.png" in output.err
    assert (out / "a_mask.png").exists()


def test_command_names_bad_weights(tmp_path, capsys):
    file = save(tmp_path / "a.png", lesion_picture()[0])
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"nonsense")
    assert main(["predict", "--checkpoint", str(bad), str(file), "--out", str(tmp_path / "out")]) == 1
    assert "bad.safetensors" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.real_data
def test_real_photographs_through_the_whole_path(real_data, tmp_path, weights):
    folder = real_data / "ISBI2016_ISIC_Part1_Test_Data"
    files = sorted(folder.glob("*.jpg"))[:3]
    rows = predict_pictures(weights, files, tmp_path / "out", progress=False)
    assert [row.status for row in rows] == ["ok"] * 3
    for file, row in zip(files, rows, strict=True):
        with Image.open(file) as image:
            assert (row.width, row.height) == image.size
        assert read(tmp_path / "out" / row.mask).shape == (row.height, row.width)


# What bears a picture's name and is no file


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_what_is_no_file_is_a_row_and_the_rest_is_done(tmp_path, loaded):
    folder = tmp_path / "in"
    save(folder / "good.png", lesion_picture()[0])
    (folder / "gone.jpg").symlink_to("nowhere.jpg")
    (folder / "circle.jpg").symlink_to("circle.jpg")
    os.mkfifo(folder / "pipe.jpg")
    inputs = [folder, folder / "pipe.jpg", folder / "circle.jpg", tmp_path / ("n" * 300)]
    rows = predict_pictures(loaded, inputs, tmp_path / "out", progress=False)
    status = {os.path.basename(row.file)[:9]: row.status for row in rows}
    assert status.pop("good.png") == "ok"
    assert status == dict.fromkeys(["gone.jpg", "circle.jp", "pipe.jpg", "nnnnnnnnn"], "error")


def test_a_folder_that_may_not_be_looked_into_is_a_row(tmp_path, loaded, monkeypatch):
    save(tmp_path / "in" / "good.png", lesion_picture()[0])
    walk = os.walk

    def forbid(folder, onerror=None):
        onerror(PermissionError(13, "Permission denied", f"{folder}/closed"))
        return walk(folder)

    monkeypatch.setattr(os, "walk", forbid)
    rows = predict_pictures(loaded, [tmp_path / "in"], tmp_path / "out", progress=False)
    assert [row.status for row in rows] == ["ok", "error"]
    assert "closed: cannot be looked into (Permission denied)" in rows[1].error


def test_a_file_of_an_earlier_run_that_is_a_circle_now(tmp_path, loaded):
    file = save(tmp_path / "a.png", lesion_picture()[0])
    predict_pictures(loaded, [file], tmp_path / "out", progress=False)
    file.unlink()
    file.symlink_to("a.png")
    (row,) = predict_pictures(loaded, [file], tmp_path / "out", progress=False)
    assert row.status == "error"
    assert "a.png" in row.error
