"""jaalnet_core.data.layout: which files are pictures, which masks, and which belong together."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion_files import a_data_folder

from jaalnet_core.data.layout import (
    LEAKED_IDS,
    OFFICIAL_FOLDERS,
    NoPicturesError,
    Sample,
    file_id,
    find_layout,
    is_mask_name,
    is_usable_name,
    mask_id,
    pair,
    split_folders,
)
from jaalnet_core.errors import DataError


def touch(root: Path, *names: str) -> Path:
    """Empty files: the layout goes by names alone."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def names(samples: tuple[Sample, ...]) -> dict[str, tuple[str, str | None]]:
    return {one.id: (one.picture.name, one.mask and one.mask.name) for one in samples}


def official(split: str, id: str) -> tuple[str, str]:
    pictures, masks = OFFICIAL_FOLDERS[split]
    return f"{pictures}/{id}.jpg", f"{masks}/{id}_Segmentation.png"


def test_the_official_folders(tmp_path):
    touch(tmp_path, *official("train", "ISIC_0000001"), *official("test", "ISIC_0000003"), "README.md")
    layout = find_layout(tmp_path)
    assert layout.kind == "official"
    assert layout.root == tmp_path
    assert names(layout.train) == {"ISIC_0000001": ("ISIC_0000001.jpg", "ISIC_0000001_Segmentation.png")}
    assert names(layout.test) == {"ISIC_0000003": ("ISIC_0000003.jpg", "ISIC_0000003_Segmentation.png")}
    assert layout.dropped == ()


def test_the_leaked_pictures_leave_training_only(tmp_path):
    for id in (*LEAKED_IDS, "ISIC_0000001"):
        touch(tmp_path, *official("train", id), *official("test", id))
    layout = find_layout(tmp_path)
    assert [one.id for one in layout.train] == ["ISIC_0000001"]
    assert layout.dropped == LEAKED_IDS
    assert len(layout.test) == 3


def test_images_and_masks_folders(tmp_path):
    layout = find_layout(a_data_folder(tmp_path, train=3, test=2))
    assert layout.kind == "folders"
    assert list(names(layout.train)) == ["l00", "l01", "l02"]
    assert names(layout.test)["l03"] == ("l03.png", "l03_mask.png")


def test_lying_flat(tmp_path):
    touch(tmp_path, "train/a.jpg", "train/a_mask.png", "test/b.TIF", "test/b_segmentation.BMP", "test/c.webp")
    layout = find_layout(tmp_path)
    assert layout.kind == "flat"
    assert names(layout.train) == {"a": ("a.jpg", "a_mask.png")}
    assert names(layout.test) == {"b": ("b.TIF", "b_segmentation.BMP"), "c": ("c.webp", None)}


def test_flat_files_beside_the_folders_are_not_lost(tmp_path):
    touch(tmp_path, "train/images/a.jpg", "train/masks/a.png", "train/b.jpg", "train/b_mask.png", "train/a_x.png")
    assert set(names(find_layout(tmp_path).train)) == {"a", "b", "a_x"}


@pytest.mark.parametrize("mask", ["x_Segmentation.png", "x_segmentation.tif", "x_MASK.jpg", "x_mask.bmp", "x.png"])
def test_names_of_masks_in_their_own_folder(tmp_path, mask):
    touch(tmp_path, "train/images/x.jpeg", f"train/masks/{mask}")
    assert names(find_layout(tmp_path).train) == {"x": ("x.jpeg", mask)}


def test_a_picture_whose_own_name_ends_like_a_mask(tmp_path):
    touch(tmp_path, "train/images/x_mask.jpg", "train/masks/x_mask.png")
    assert names(find_layout(tmp_path).train) == {"x_mask": ("x_mask.jpg", "x_mask.png")}


def test_spaces_and_accents_in_either_unicode_form(tmp_path):
    composed = unicodedata.normalize("NFC", "Läsion é 1")
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    touch(tmp_path, f"train/images/{decomposed}.JPG", f"train/masks/{composed}.png")
    (sample,) = find_layout(tmp_path).train
    assert sample.id == composed
    assert sample.mask is not None


def test_litter_is_ignored(tmp_path):
    touch(tmp_path, "train/a.jpg", "train/._a.jpg", "train/.DS_Store", "train/a_superpixels.png", "train/notes.txt")
    touch(tmp_path, "train/__MACOSX/b.jpg", "train/sub.jpg/inner.jpg")
    assert names(find_layout(tmp_path).train) == {"a": ("a.jpg", None)}


@pytest.mark.parametrize("split", ["train", "test"])
def test_one_split_alone_is_usable(tmp_path, split):
    touch(tmp_path, f"{split}/images/a.jpg")
    layout = find_layout(tmp_path)
    assert len(getattr(layout, split)) == 1
    assert len(layout.train) + len(layout.test) == 1


def test_two_pictures_with_one_id_are_both_named(tmp_path):
    touch(tmp_path, "train/images/a.jpg", "train/images/a.png", "train/masks/a.png")
    with pytest.raises(DataError, match=r"images/a\.jpg and .*images/a\.png: the same id 'a' twice in the train set"):
        find_layout(tmp_path)


def test_two_masks_with_one_id_are_both_named(tmp_path):
    touch(tmp_path, "test/a.jpg", "test/a_mask.png", "test/a_Segmentation.png")
    with pytest.raises(DataError, match=r"a_Segmentation\.png and .*a_mask\.png"):
        find_layout(tmp_path)


def test_the_same_id_in_both_splits_is_allowed(tmp_path):
    touch(tmp_path, "train/1.jpg", "test/1.jpg")
    assert find_layout(tmp_path).test[0].id == "1"


def test_two_layouts_side_by_side_are_refused(tmp_path):
    touch(tmp_path, *official("test", "ISIC_0000003"), "train/images/mine.jpg")
    with pytest.raises(DataError, match="official ISBI2016 folders and also pictures in train or test"):
        find_layout(tmp_path)


def test_empty_own_folders_beside_the_official_ones_do_no_harm(tmp_path):
    touch(tmp_path, *official("test", "ISIC_0000003"), "train/.gitkeep")
    assert find_layout(tmp_path).kind == "official"


def test_nothing_there_says_what_was_expected(tmp_path):
    with pytest.raises(NoPicturesError, match="no such folder"):
        find_layout(tmp_path / "nowhere")
    with pytest.raises(NoPicturesError, match=r"no pictures found; expected the four ISBI2016_ISIC_Part1_"):
        find_layout(tmp_path)


def test_the_folder_below_is_suggested(tmp_path):
    a_data_folder(tmp_path / "isbi", train=1, test=0)
    with pytest.raises(NoPicturesError, match=r"there are some in .*isbi: name that folder"):
        find_layout(tmp_path)


def test_orphan_masks_are_told_apart(tmp_path):
    pairing = pair([tmp_path / "a.jpg"], [tmp_path / "a_mask.png", tmp_path / "b_mask.png"])
    assert [one.name for one in pairing.orphan_masks] == ["b_mask.png"]
    assert pairing.clashes == ()


@settings(deadline=None)
@given(st.data(), st.sets(st.from_regex(r"[a-z0-9]{1,6}", fullmatch=True), min_size=1, max_size=12))
def test_pairs_do_not_depend_on_any_order(data, ids):
    masked = data.draw(st.sets(st.sampled_from(sorted(ids))))
    pictures = data.draw(st.permutations([Path(f"{id}.jpg") for id in ids]))
    masks = data.draw(st.permutations([Path(f"{id}_Segmentation.png") for id in masked]))
    pairing = pair(pictures, masks)
    assert [one.id for one in pairing.samples] == sorted(ids)
    for one in pairing.samples:
        assert one.picture == Path(f"{one.id}.jpg")
        assert one.mask == (Path(f"{one.id}_Segmentation.png") if one.id in masked else None)


def test_names(tmp_path):
    assert mask_id(Path("a_b_Segmentation.png")) == "a_b"
    assert mask_id(Path("_mask.png")) == "_mask"
    assert file_id(Path("x/a.b.jpg")) == "a.b"
    assert is_mask_name(Path("a_Mask.png"))
    assert not is_mask_name(Path("unmask.png"))
    assert not is_usable_name(Path("a_SuperPixels.png"))


def test_folders_of_a_split(tmp_path):
    touch(tmp_path, "train/masks/a.png", official("train", "ISIC_1")[0])
    found = {path.relative_to(tmp_path).as_posix() for path in split_folders(tmp_path, "train")}
    assert found == {"train", "train/masks", OFFICIAL_FOLDERS["train"][0]}


@pytest.mark.real_data
def test_the_real_folders(real_data):
    layout = find_layout(real_data)
    assert layout.kind == "official"
    assert len(layout.test) == 379
    assert layout.dropped == LEAKED_IDS
    assert all(one.mask is not None and mask_id(one.mask) == one.id for one in (*layout.train, *layout.test))
