"""jaalnet_core.data.gathering: what the names in folders and archives tell."""

import zipfile
from pathlib import Path

import pytest
from lesion_files import a_picture, save

from jaalnet_core.data.gathering import describe, gather, walk
from jaalnet_core.errors import DataError


@pytest.mark.parametrize(
    ("folders", "name", "is_mask", "id", "split"),
    [
        (["ISBI2016_ISIC_Part1_Test_Data"], "ISIC_1.jpg", False, "ISIC_1", "test"),
        (["ISBI2016_ISIC_Part1_Training_GroundTruth"], "ISIC_1_Segmentation.png", True, "ISIC_1", "train"),
        (["mine", "train", "images"], "a.jpg", False, "a", "train"),
        (["mine", "testset", "Masks"], "a.png", True, "a", "test"),
        (["mine", "masks", "batch 1"], "a.png", True, "a", None),
        (["Segmentation dataset"], "a.jpg", False, "a", None),
        (["Segmentation dataset", "segmentation"], "a.png", True, "a", None),
        (["masks"], "a.png", True, "a", None),
        (["train", "test"], "a.png", False, "a", "test"),
        (["train and test"], "a.png", False, "a", None),
        (["data", "val", "images"], "a.png", False, "a", "train"),
        (["masks and images", "images"], "a.png", False, "a", None),
        (["protest march", "attest"], "a.png", False, "a", None),
        ([], "a_mask.png", True, "a", None),
    ],
)
def test_what_names_tell(folders, name, is_mask, id, split):
    found = describe(Path("x", *folders, name), folders)
    assert (found.is_mask, found.id, found.split) == (is_mask, id, split)


def test_folders_are_searched_to_any_depth_without_litter(tmp_path):
    for name in ("b/c/d.png", "a.png", ".git/x.png", "__MACOSX/y.png", "b/.hidden.png", "b/notes.txt"):
        save(tmp_path / name, a_picture()) if name.endswith("png") else (tmp_path / name).touch()
    assert [path.relative_to(tmp_path).as_posix() for path in walk(tmp_path)] == [
        "a.png",
        "b/notes.txt",
        "b/c/d.png",
    ]


def found(paths, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    files, passed_over = gather(paths, scratch, progress=False)
    return {(one.path.name, one.is_mask, one.split) for one in files}, [path.name for path in passed_over]


def test_a_folder_called_images_is_told_by_its_parent(tmp_path):
    save(tmp_path / "test" / "images" / "a.png", a_picture())
    save(tmp_path / "test" / "masks" / "a.png", a_picture())
    files, _ = found([tmp_path / "test" / "images", tmp_path / "test" / "masks"], tmp_path)
    assert files == {("a.png", False, "test"), ("a.png", True, "test")}


def test_single_pictures_and_what_is_passed_over(tmp_path):
    one = save(tmp_path / "train" / "a.png", a_picture())
    (tmp_path / "train" / "notes.txt").touch()
    assert found([one], tmp_path) == ({("a.png", False, "train")}, [])
    (tmp_path / "scratch").rmdir()
    assert found([tmp_path / "train"], tmp_path) == ({("a.png", False, "train")}, ["notes.txt"])


def test_the_name_of_an_archive_speaks_for_files_without_a_folder(tmp_path):
    picture = save(tmp_path / "a.png", a_picture())
    with zipfile.ZipFile(tmp_path / "Test_GroundTruth.zip", "w") as archive:
        archive.write(picture, "a.png")
    assert found([tmp_path / "Test_GroundTruth.zip"], tmp_path)[0] == {("a.png", True, "test")}


@pytest.mark.parametrize("kind", ["missing", "text", "empty folder"])
def test_what_cannot_be_imported(tmp_path, kind):
    path = tmp_path / "thing"
    if kind == "text":
        path.write_text("hello")
    elif kind == "empty folder":
        path.mkdir()
    expected = {"missing": "nothing there", "text": "neither a picture nor", "empty folder": "no pictures in it"}
    with pytest.raises(DataError, match=f"thing: .*{expected[kind]}"):
        found([path], tmp_path)
