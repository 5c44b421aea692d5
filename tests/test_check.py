"""jaalnet_core.data.check and `jaalnet data check`: every problem, all at once."""

import json
import os
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from lesion_files import a_data_folder, a_mask, a_picture, save
from PIL import Image

from jaalnet_core.cli import main
from jaalnet_core.cli.data_check import table
from jaalnet_core.data.check import check_data
from jaalnet_core.data.layout import LEAKED_IDS, OFFICIAL_FOLDERS, NoPicturesError
from jaalnet_core.errors import DataError


@pytest.fixture
def folder(tmp_path) -> Path:
    return a_data_folder(tmp_path / "mine", train=4, test=2)


def found(folder: Path, **options) -> list[tuple[str, str, str, tuple[str, ...]]]:
    report = check_data(folder, progress=False, **options)
    return [(one.severity, one.kind, one.split, tuple(path.name for path in one.files)) for one in report.problems]


def test_a_sound_folder_has_no_problems(folder):
    report = check_data(folder, progress=False)
    assert report.problems == ()
    assert report.pictures == report.masks == {"train": 4, "test": 2}
    assert report.layout == "folders"


def test_missing_mask(folder):
    (folder / "train/masks/l01_mask.png").unlink()
    assert found(folder) == [("error", "missing mask", "train", ("l01.png",))]
    assert check_data(folder, progress=False).masks["train"] == 3


def test_orphan_mask(folder):
    (folder / "test/images/l04.png").unlink()
    assert found(folder) == [("error", "orphan mask", "test", ("l04_mask.png",))]


@pytest.mark.parametrize("content", [b"", b"text", None], ids=["empty", "text", "truncated"])
def test_unreadable_files(folder, content):
    for name in ("images/l02.png", "masks/l03_mask.png"):
        path = folder / "train" / name
        path.write_bytes(path.read_bytes()[:-40] if content is None else content)
    assert found(folder) == [
        ("error", "unreadable mask", "train", ("l03_mask.png",)),
        ("error", "unreadable picture", "train", ("l02.png",)),
    ]
    for problem in check_data(folder, progress=False).problems:
        assert problem.message.startswith("cannot be read as a picture")


def test_sizes_that_differ(folder):
    save(folder / "train/masks/l00_mask.png", a_mask(height=41) * np.uint8(255))
    save(folder / "train/masks/l01_mask.png", a_mask(height=56, width=40) * np.uint8(255))
    assert [one[1] for one in found(folder)] == ["sizes differ"] * 2
    first, second = check_data(folder, progress=False).problems
    assert "picture 56x40, mask 56x41" in first.message
    assert "turned" not in first.message
    assert "turned by 90 degrees" in second.message


def test_a_picture_turned_by_its_orientation_fits_its_mask(folder):
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = np.ascontiguousarray(np.rot90(a_picture(0)))
    save(folder / "train/images/l00.png", turned, exif=exif)
    assert found(folder) == []


def test_masks_that_are_not_binary(folder):
    grey = a_mask() * np.uint8(255)
    grey[5:9, 5:9] = 128
    save(folder / "train/masks/l00_mask.png", grey)
    assert found(folder) == [("error", "mask not binary", "train", ("l00_mask.png",))]
    assert "0.71%" in check_data(folder, progress=False).problems[0].message  # 16 of 2,240 pixels


def test_a_jpeg_s_own_losses_in_a_mask_are_a_warning(folder):
    grey = a_mask() * np.uint8(255)
    grey[0, :5], grey[20, 20] = 9, 247
    save(folder / "train/masks/l00_mask.png", grey)
    assert found(folder) == [("warning", "mask not binary", "train", ("l00_mask.png",))]


@pytest.mark.parametrize(
    ("value", "expected"), [(0, ("error", "mask empty")), (255, ("warning", "mask full")), (100, None)]
)
def test_masks_without_an_outline(folder, value, expected):
    save(folder / "test/masks/l05_mask.png", np.full((40, 56), value, np.uint8))
    kinds = [one[:2] for one in found(folder)]
    if expected is None:  # grey all over: neither black nor white, and empty once it is cut
        assert kinds == [("error", "mask empty"), ("error", "mask not binary")]
    else:
        assert kinds == [expected]


def test_a_mask_of_0_and_1_is_only_a_warning(folder):
    save(folder / "train/masks/l00_mask.png", a_mask())
    assert found(folder) == [("warning", "mask is 0 and 1", "train", ("l00_mask.png",))]


def test_the_same_bytes_within_a_split(folder):
    copy = (folder / "train/images/l00.png").read_bytes()
    for id in ("l01", "l02"):
        (folder / f"train/images/{id}.png").write_bytes(copy)
    assert found(folder) == [("error", "duplicate picture", "train", ("l00.png", "l01.png", "l02.png"))]


def test_the_same_bytes_across_splits(folder):
    (folder / "test/images/l05.png").write_bytes((folder / "train/images/l00.png").read_bytes())
    assert found(folder) == [("error", "duplicate picture", "train+test", ("l00.png", "l05.png"))]
    assert "flatters the scores" in check_data(folder, progress=False).problems[0].message


def test_the_same_picture_saved_again_is_a_warning(folder):
    (folder / "test/images/l05.png").unlink()
    save(folder / "test/images/l05.jpg", (a_picture(0) * 0.9).astype(np.uint8))
    assert found(folder) == [("warning", "similar pictures", "train+test", ("l00.png", "l05.jpg"))]


def test_a_copy_and_a_similar_one_are_reported_once_each(folder):
    (folder / "train/images/l01.png").write_bytes((folder / "train/images/l00.png").read_bytes())
    save(folder / "train/images/l02.png", (a_picture(0) * 0.9).astype(np.uint8))
    assert found(folder) == [
        ("error", "duplicate picture", "train", ("l00.png", "l01.png")),
        ("warning", "similar pictures", "train", ("l00.png", "l02.png")),
    ]


def test_the_known_leak_is_a_warning(tmp_path):
    for split, id in (("train", LEAKED_IDS[0]), ("test", "ISIC_0001484")):
        pictures, masks = OFFICIAL_FOLDERS[split]
        save(tmp_path / pictures / f"{id}.jpg", a_picture())
        save(tmp_path / masks / f"{id}_Segmentation.png", a_mask() * np.uint8(255))
    (problem,) = check_data(tmp_path, progress=False).problems
    assert (problem.severity, problem.kind, problem.split) == ("warning", "duplicate picture", "train+test")
    assert "known leak" in problem.message


def test_shared_ids(folder):
    save(folder / "train/images/l00.jpg", a_picture(50))
    (folder / "test/images/l05.png").rename(folder / "test/images/l03.png")
    (folder / "test/masks/l05_mask.png").rename(folder / "test/masks/l03_mask.png")
    assert found(folder) == [
        ("error", "same id", "train", ("l00.jpg", "l00.png")),
        ("warning", "id in both splits", "train+test", ("l03.png", "l03.png")),
    ]


def test_kinds_that_are_not_read(folder):
    (folder / "train/images/l09.HEIC").touch()
    (folder / "train/images/notes.txt").touch()
    assert found(folder) == [("warning", "kind not read", "train", ("l09.HEIC",))]


def test_a_missing_split_is_a_warning(tmp_path):
    assert found(a_data_folder(tmp_path, train=1, test=0)) == [("warning", "no pictures", "test", ())]


def test_large_pictures_are_reported_not_decoded(folder):
    kinds = {one[1] for one in found(folder, max_megapixels=0.001)}
    assert kinds == {"unreadable picture", "unreadable mask"}


def test_everything_at_once(folder):
    (folder / "train/images/l00.png").write_bytes(b"")
    (folder / "train/masks/l01_mask.png").unlink()
    save(folder / "train/masks/l02_mask.png", np.zeros((10, 10), np.uint8))
    save(folder / "train/masks/zzz_mask.png", a_mask())
    (folder / "test/images/l04.png").write_bytes((folder / "test/images/l05.png").read_bytes())
    kinds = [one[1] for one in found(folder)]
    assert kinds == [
        "duplicate picture",
        "mask empty",
        "missing mask",
        "orphan mask",
        "sizes differ",
        "unreadable picture",
    ]


def test_nothing_to_check(tmp_path):
    with pytest.raises(NoPicturesError):
        check_data(tmp_path)


def test_command_on_a_sound_folder(folder, capsys):
    assert main(["data", "check", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{folder} (folders layout): train 4 pictures and 4 masks, test 2 pictures and 2 masks",
        "0 errors, 0 warnings",
    ]


def test_command_with_problems(folder, tmp_path, capsys):
    (folder / "train/masks/l01_mask.png").unlink()
    (folder / "train/images/Läsion.heif").touch()
    out = tmp_path / "deep" / "check.json"
    assert main(["data", "check", str(folder), "--json", str(out)]) == 1
    document = json.loads(out.read_text(encoding="utf-8"))
    assert (document["errors"], document["warnings"]) == (1, 1)
    assert document["problems"][0] == {
        "severity": "error",
        "kind": "missing mask",
        "split": "train",
        "id": "l01",
        "files": ["train/images/l01.png"],
        "message": "no mask, expected one named l01_mask.png: add it, or remove the picture",
    }
    assert document["problems"][1]["id"] == unicodedata.normalize("NFC", "Läsion")
    printed = capsys.readouterr().out
    assert printed.splitlines() == table(document)
    assert "error    missing mask   train  train/images/l01.png  no mask, expected" in printed
    assert "1 errors, 1 warnings" in printed


def test_command_takes_the_folder_from_the_environment(folder, monkeypatch, capsys):
    monkeypatch.setenv("JAALNET_DATA", str(folder))
    assert main(["data", "check"]) == 0
    assert str(folder) in capsys.readouterr().out


def test_command_without_a_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JAALNET_DATA", raising=False)
    assert main(["data", "check"]) == 1
    assert "data: no such folder" in capsys.readouterr().err


def test_command_that_cannot_write_its_report(folder, capsys):
    assert main(["data", "check", str(folder), "--json", str(folder)]) == 1
    assert "name another file" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow no such names")
def test_command_with_a_name_that_is_no_utf_8(folder, tmp_path, capsys):
    name = os.fsdecode(b"L\xe4sion.png")  # as an old archive writes it
    save(folder / "train/images" / name, a_picture(9))
    assert main(["data", "check", str(folder), "--json", str(tmp_path / "check.json")]) == 1
    (problem,) = json.loads((tmp_path / "check.json").read_text(encoding="utf-8"))["problems"]
    assert problem["files"] == [f"train/images/{name}"]
    assert "train/images/L\\udce4sion.png" in capsys.readouterr().out


@pytest.mark.real_data
def test_the_real_pictures(real_data):
    report = check_data(real_data, progress=False)
    assert report.count("error") == 0
    across = [one for one in report.problems if one.split == "train+test"]
    assert sorted(one.files[0].stem for one in across) == sorted(LEAKED_IDS)


def test_two_layouts_are_refused(folder):
    save(folder / OFFICIAL_FOLDERS["test"][0] / "ISIC_1.jpg", a_picture())
    with pytest.raises(DataError, match="move one of them"):
        check_data(folder)


def test_a_mask_that_is_lesion_all_around_may_be_inverted(folder):
    path = folder / "train/masks/l00_mask.png"
    save(path, (1 - a_mask(0)) * np.uint8(255))
    assert [one[1] for one in found(folder)] == ["mask inverted"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_names_without_a_file_behind_them(folder):
    images = folder / "train/images"
    (images / "gone.jpg").symlink_to("nowhere.jpg")
    (images / "circle.png").symlink_to("circle.png")
    os.mkfifo(images / "pipe.jpg")
    (images / "folder.jpg").mkdir()
    problems = check_data(folder, progress=False).problems
    named = {one.files[0].name: one.message for one in problems if one.kind == "no file"}
    assert set(named) == {"gone.jpg", "circle.png", "pipe.jpg"}
    assert "a link to nothing" in named["gone.jpg"]
    assert "a pipe or device" in named["pipe.jpg"]


def test_a_name_too_long_is_no_traceback(tmp_path, capsys):
    assert main(["data", "check", str(tmp_path / ("n" * 300))]) == 1
    assert "cannot be read" in capsys.readouterr().err
