"""jaalnet_core.data.source: one door to the data."""

import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from lesion_files import a_data_folder, a_mask, a_picture, save, save_pair
from PIL import Image

from jaalnet_core.data.check import check_data
from jaalnet_core.data.layout import LEAKED_IDS, OFFICIAL_FOLDERS, NoPicturesError
from jaalnet_core.data.preprocess import CACHE_NAME, resize_mask, resize_picture
from jaalnet_core.data.source import DATA_VARIABLE, locate_folder, open_data
from jaalnet_core.data.splits import is_validation
from jaalnet_core.errors import DataError, PictureError, SettingsError
from jaalnet_core.size import Size

SIZE = Size(32, 48)


@pytest.fixture(autouse=True)
def _somewhere_empty(tmp_path, monkeypatch):
    """No data of the machine's owner is found, and no cache of theirs is written to."""
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


@pytest.fixture
def folder(tmp_path):
    return a_data_folder(tmp_path / "mine", train=12, test=3)


def opened(data, **options):
    return open_data(data, SIZE, progress=False, **options)


def test_the_three_splits(folder):
    data = opened(folder)
    train = [f"l{number:02}" for number in range(12)]
    assert data.validation.ids == tuple(id for id in train if is_validation(id))
    assert data.train.ids == tuple(id for id in train if not is_validation(id))
    assert len(data.validation) > 0
    assert data.test.ids == tuple(one.id for one in data.test_samples) == ("l12", "l13", "l14")
    assert np.array_equal(data.test.images[1], resize_picture(a_picture(13), SIZE))
    assert np.array_equal(data.test.masks[1], resize_mask(a_mask(13), SIZE))
    assert (data.name, data.root) == ("mine", folder)
    counts = f"{len(data.train)} train, {len(data.validation)} validation, 3 test pictures, read at 48x32"
    assert counts in data.notes[0]


def test_only_what_is_asked_for_is_read(folder):
    (folder / "train" / "images" / "l00.png").write_bytes(b"broken")
    data = opened(folder, splits=("test",))
    assert (len(data.train), len(data.validation), len(data.test)) == (0, 0, 3)
    assert data.train.size == SIZE
    assert opened(folder, splits=["validation"]).test_samples == ()


def test_an_unknown_split_is_refused(folder):
    with pytest.raises(DataError, match=r"found \['val'\], expected some of train, validation, test"):
        opened(folder, splits=("val",))


def test_the_cache_serves_the_second_time(folder, monkeypatch):
    first = opened(folder)
    assert sorted(path.name for path in (folder / CACHE_NAME).iterdir()) == [
        "test-48x32.npz",
        "train-48x32.npz",
        "validation-48x32.npz",
    ]
    monkeypatch.setattr("jaalnet_core.data.preprocess.read_picture", lambda *_, **__: pytest.fail("read again"))
    again = opened(str(folder))
    assert np.array_equal(first.train.images, again.train.images)
    assert first.notes == again.notes


def test_the_leaked_pictures_are_dropped_and_the_notes_say_so(tmp_path):
    for id in (*LEAKED_IDS, "ISIC_0000001"):
        pictures, masks = OFFICIAL_FOLDERS["train"]
        save_pair(tmp_path / pictures / f"{id}.jpg", tmp_path / masks / f"{id}_Segmentation.png")
    data = opened(tmp_path)
    assert data.name == "ISBI2016"
    assert data.train.ids + data.validation.ids == ("ISIC_0000001",)
    assert any("ISIC_0001184, ISIC_0001385" in note and "leaked" in note for note in data.notes)
    assert "There are no test pictures here." in data.notes


def test_pictures_without_a_mask_are_left_out_and_counted(folder):
    (folder / "test" / "masks" / "l13_mask.png").unlink()
    data = opened(folder)
    assert data.test.ids == ("l12", "l14")
    assert tuple(one.id for one in data.test_samples) == ("l12", "l14")
    assert any("want of a mask: 1 (l13)" in note for note in data.notes)


def test_no_mask_at_all_is_an_error(folder):
    shutil.rmtree(folder / "train" / "masks")
    shutil.rmtree(folder / "test" / "masks")
    with pytest.raises(DataError, match="15 pictures and no mask for any"):
        opened(folder)


def test_a_folder_that_was_named_is_never_replaced_by_another(tmp_path, monkeypatch):
    with pytest.raises(NoPicturesError, match="nowhere: no such folder"):
        opened(tmp_path / "nowhere")
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(NoPicturesError, match="gone: no such folder"):
        opened(None)


def test_the_variable_comes_before_the_data_folder(folder, monkeypatch):
    a_data_folder(folder.parent / "work" / "data", train=1, test=1)
    assert str(locate_folder(None)) == "data"
    assert opened(None).name == "data"
    monkeypatch.setenv(DATA_VARIABLE, str(folder))
    assert opened(None).name == "mine"


def test_a_confused_data_folder_is_reported_not_passed_over(folder, tmp_path):
    here = tmp_path / "work" / "data"
    save(here / "train" / "a.png", a_picture())
    save(here / "train" / "a.jpg", a_picture())
    with pytest.raises(DataError, match="the same id 'a' twice"):
        opened(None)


@pytest.fixture
def made(monkeypatch):
    """A small stand-in for the synthetic set's maker, and the folders it was asked to fill."""
    folders = []

    def write_dataset(folder, *, progress):
        folders.append(folder)
        return a_data_folder(folder, train=2, test=1)

    monkeypatch.setattr("jaalnet_core.data.synthetic.write_dataset", write_dataset)
    return folders


def test_without_any_pictures_the_synthetic_set_is_made_once(made, tmp_path):
    data = opened(None)
    assert data.name == "synthetic"
    assert (tmp_path / "work" / "data" / "synthetic" / "train" / "images").is_dir()
    assert any("synthetic" in note and "nothing about patients" in note for note in data.notes)
    assert any(DATA_VARIABLE in note and "jaalnet data download" in note for note in data.notes)
    assert opened(None).name == "synthetic"
    assert len(made) == 1


def test_the_synthetic_set_by_name(made, folder, monkeypatch, tmp_path):
    monkeypatch.setenv(DATA_VARIABLE, str(folder))
    data = opened("synthetic", synthetic_folder=tmp_path / "made")
    assert (data.name, data.root) == ("synthetic", tmp_path / "made")
    assert not any(DATA_VARIABLE in note for note in data.notes)
    monkeypatch.setenv(DATA_VARIABLE, "synthetic")
    assert opened(None).name == "synthetic"


def test_the_synthetic_folder_given_as_a_folder_keeps_its_name(made):
    opened("synthetic")
    assert opened("data/synthetic").name == "synthetic"


def test_a_place_where_nothing_can_be_written_is_explained(monkeypatch, tmp_path):
    def write_dataset(folder, **_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("jaalnet_core.data.synthetic.write_dataset", write_dataset)
    with pytest.raises(DataError, match=r"cannot be written there \(Permission denied\).*synthesize"):
        opened("synthetic")


def test_the_real_maker_fits(tmp_path, monkeypatch):
    from functools import partial

    from jaalnet_core.data import synthetic

    small = partial(synthetic.write_dataset, train=2, test=1, size=Size(32, 32))
    monkeypatch.setattr(synthetic, "write_dataset", small)
    data = opened("synthetic")
    assert (len(data.train) + len(data.validation), len(data.test)) == (2, 1)


def test_an_odd_size_is_refused_where_it_is_read():
    with pytest.raises(SettingsError, match="at least 32"):
        Size.parse("16")


def test_odd_pictures_at_a_size_of_one_s_own(tmp_path):
    root = tmp_path / "odd"
    picture, mask = a_picture(1, 60, 80), a_mask(1, 60, 80) * np.uint8(255)
    turned = Image.Exif()
    turned[0x0112] = 6
    kinds = {
        "grey one.PNG": (Image.fromarray(picture).convert("L"), {}),
        "Läsion 痣 №1.JPEG": (Image.fromarray(np.rot90(picture).copy()), {"exif": turned, "quality": 98}),
        "cmyk.JPG": (Image.fromarray(picture).convert("CMYK"), {"quality": 98}),
        "alpha é.png": (Image.fromarray(picture).convert("RGBA"), {}),
        "sixteen.tif": (Image.fromarray(picture[:, :, 1].astype(np.uint16) * 257), {}),
        "palette.x.PNG": (Image.fromarray(picture).quantize(200), {}),
    }
    for name, (image, options) in kinds.items():
        save(root / "test" / "masks" / f"{Path(name).stem}_mask.png", mask)
        (root / "test" / "images").mkdir(exist_ok=True)
        image.save(root / "test" / "images" / name, **options)
    assert check_data(root, progress=False).count("error") == 0
    data = open_data(root, Size.parse("192x160"), progress=False)
    assert set(data.test.ids) == {unicodedata.normalize("NFC", Path(name).stem) for name in kinds}
    assert data.test.images.shape == (6, 160, 192, 3)
    assert (data.test.masks == data.test.masks[0]).all()
    # Whatever the file's kind, the same photograph, upright: its brightness correlates with the original's.
    expected = resize_picture(picture, data.test.size).mean(axis=2).ravel()
    for image in data.test.images:
        assert np.corrcoef(image.mean(axis=2).ravel(), expected)[0, 1] > 0.6


@pytest.mark.real_data
def test_the_real_pictures_from_a_folder_that_is_only_read(real_data, tmp_path):
    before = sorted(path.name for path in real_data.iterdir())
    data = open_data(real_data, Size(32, 32), splits=("validation", "test"), progress=False)
    assert data.name == "ISBI2016"
    assert len(data.test) == 379
    assert 0.2 < data.test.masks.mean() < 0.4
    assert all(is_validation(id) for id in data.validation.ids)
    if not real_data.stat().st_mode & 0o222:
        assert sorted(path.name for path in real_data.iterdir()) == before
        assert list((tmp_path / "caches" / "jaalnet").rglob("test-32x32.npz"))


def test_pictures_are_found_by_their_ids_in_the_split_that_holds_them_all(tmp_path):
    data = open_data(a_data_folder(tmp_path, train=4), Size(32, 32), progress=False)
    wanted = data.test.ids[::-1]
    found = data.pictures(wanted)
    assert found.ids == wanted
    assert np.array_equal(found.images, data.test.images[::-1])
    assert np.array_equal(found.masks, data.test.masks[::-1])
    for ids in ((*wanted, data.train.ids[0]), ("elsewhere",), ()):
        with pytest.raises(DataError, match=f"does not hold the {len(ids)} pictures that were scored"):
            data.pictures(ids)


def test_the_limit_of_megapixels_can_be_raised_and_lowered(folder, monkeypatch):
    with pytest.raises(PictureError, match=r"expected at most 0\.001"):
        opened(folder, max_megapixels=0.001)
    monkeypatch.setenv("JAALNET_MAX_MEGAPIXELS", "0.001")
    with pytest.raises(PictureError, match="JAALNET_MAX_MEGAPIXELS"):
        opened(folder)
    assert len(opened(folder, max_megapixels=1).test) == 3
