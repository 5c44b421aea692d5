"""jaalnet_core.data.preprocess: one size for all, read once."""

import os
import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion_files import a_data_folder, a_mask, a_picture, save, save_pair

from jaalnet_core.data import preprocess
from jaalnet_core.data.layout import Sample, find_layout
from jaalnet_core.data.preprocess import CACHE_NAME, cache_folder, load_arrays, resize_mask, resize_picture
from jaalnet_core.errors import DataError, PictureError
from jaalnet_core.size import Size

SIZE = Size(32, 48)


@pytest.fixture
def samples(tmp_path) -> tuple[Sample, ...]:
    return find_layout(a_data_folder(tmp_path / "set", train=4, test=0)).train


def load(samples, cache=None, size=SIZE):
    return load_arrays(samples, size, cache=cache, progress=False)


@pytest.fixture
def decoded(monkeypatch) -> list[Path]:
    """The pictures that were really read."""
    paths = []

    def read(path, **options):
        paths.append(path)
        return real(path, **options)

    real = preprocess.read_picture
    monkeypatch.setattr(preprocess, "read_picture", read)
    return paths


def test_shrinking_averages_areas():
    picture = a_picture(height=64, width=96)
    expected = picture.reshape(32, 2, 48, 2, 3).astype(float).mean(axis=(1, 3))
    assert np.abs(resize_picture(picture, SIZE) - expected).max() <= 0.5


@pytest.mark.parametrize("shape", [(32, 48), (64, 24), (16, 96), (16, 24), (500, 33)])
def test_any_shape_becomes_the_size(shape):
    height, width = shape
    picture = resize_picture(a_picture(height=height, width=width), SIZE)
    mask = resize_mask(a_mask(height=height, width=width), SIZE)
    assert picture.shape == (*SIZE, 3)
    assert picture.dtype == mask.dtype == np.uint8
    assert mask.shape == SIZE
    # The frame is kept whole: the lesion covers the same share of it wherever it is drawn.
    assert mask.mean() == pytest.approx(a_mask(height=height, width=width).mean(), abs=0.03)


def test_the_same_size_changes_nothing():
    picture, mask = a_picture(height=32, width=48), a_mask(height=32, width=48)
    assert np.array_equal(resize_picture(picture, SIZE), picture)
    assert np.array_equal(resize_mask(mask, SIZE), mask)


def test_a_side_that_shrinks_is_averaged_even_when_the_other_grows():
    stripes = np.zeros((16, 96, 3), np.uint8)
    stripes[:, ::2] = 200
    assert (resize_picture(stripes, SIZE) == 100).all()


def test_a_mask_pixel_is_lesion_when_half_of_it_is():
    mask = np.zeros((64, 96), np.uint8)
    mask[:, 1::2] = 1  # half of every 2x2 block
    assert resize_mask(mask, SIZE).all()
    mask[::2] = 0  # a quarter
    assert not resize_mask(mask, SIZE).any()


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(32, 70), st.integers(32, 70), st.integers(0, 99))
def test_masks_stay_binary_and_full_and_empty_stay_so(height, width, new_height, new_width, seed):
    size = Size(new_height, new_width)
    mask = np.random.default_rng(seed).integers(0, 2, (height, width), dtype=np.uint8)
    resized = resize_mask(mask, size)
    assert resized.shape == size
    assert set(np.unique(resized)) <= {0, 1}
    assert resize_mask(np.ones_like(mask), size).all()
    assert not resize_mask(np.zeros_like(mask), size).any()


def test_arrays_hold_the_samples_in_their_order(samples):
    arrays = load(samples[::-1])
    assert arrays.ids == ("l03", "l02", "l01", "l00")
    assert arrays.images.shape == (4, *SIZE, 3)
    assert np.array_equal(arrays.images[1], resize_picture(a_picture(2), SIZE))
    assert np.array_equal(arrays.masks[1], resize_mask(a_mask(2), SIZE))


def test_no_samples_give_empty_arrays(tmp_path):
    arrays = load([], tmp_path / "none.npz")
    assert len(arrays) == 0
    assert arrays.size == SIZE


def test_the_second_time_nothing_is_decoded(samples, tmp_path, decoded):
    first = load(samples, tmp_path / "deep" / "cache.npz")
    assert len(decoded) == 4
    second = load(samples, tmp_path / "deep" / "cache.npz")
    assert len(decoded) == 4
    assert second.ids == first.ids
    assert np.array_equal(second.images, first.images)
    assert np.array_equal(second.masks, first.masks)
    assert os.listdir(tmp_path / "deep") == ["cache.npz"]


@pytest.mark.parametrize("change", ["picture", "mask", "time", "size", "fewer", "order"])
def test_whatever_changes_the_arrays_is_noticed(samples, tmp_path, decoded, change):
    cache = tmp_path / "cache.npz"
    load(samples, cache)
    decoded.clear()
    size = SIZE
    if change == "picture":
        save(samples[0].picture, a_picture(77))
    elif change == "mask":
        save(samples[0].mask, a_mask(3) * np.uint8(255))
    elif change == "time":
        os.utime(samples[0].mask, ns=(1, 1))
    elif change == "size":
        size = Size(48, 32)
    elif change == "fewer":
        samples = samples[:3]
    else:
        samples = samples[::-1]
    arrays = load(samples, cache, size)
    assert len(decoded) == len(samples)
    assert arrays.ids == tuple(one.id for one in samples)
    assert np.array_equal(arrays.images, load(samples, size=size).images)
    assert np.array_equal(arrays.masks, load(samples, size=size).masks)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text", "folderless zip"])
def test_a_damaged_cache_is_made_again(samples, tmp_path, damage):
    cache = tmp_path / "cache.npz"
    expected = load(samples, cache)
    content = bytearray(cache.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flipped":
        content[len(content) // 2] ^= 0xFF  # amid the pixels: only a checksum notices
    elif damage == "empty":
        content = b""
    elif damage == "text":
        content = b"not a cache"
    else:
        content = b"PK\x05\x06" + bytes(18)
    cache.write_bytes(content)
    with pytest.warns(UserWarning, match=r"cache\.npz: damaged"):
        again = load(samples, cache)
    assert np.array_equal(again.images, expected.images)
    assert np.array_equal(load(samples, cache).images, expected.images)  # and now without a warning


def test_a_cache_that_cannot_be_written_is_only_a_warning(samples, tmp_path):
    (tmp_path / "file").touch()
    with pytest.warns(UserWarning, match="not written"):
        arrays = load(samples, tmp_path / "file" / "cache.npz")
    assert len(arrays) == 4


def test_an_interrupted_write_leaves_no_cache(samples, tmp_path, monkeypatch):
    def full(file, **arrays):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(preprocess.np, "savez", full)
    with pytest.warns(UserWarning, match="disk full"):
        load(samples, tmp_path / "cache" / "cache.npz")
    assert os.listdir(tmp_path / "cache") == []


def test_an_unreadable_file_is_named_with_the_way_to_find_all(samples):
    samples[2].mask.write_bytes(b"broken")
    with pytest.raises(PictureError, match=r"l02_mask\.png: cannot be read.*jaalnet data check"):
        load(samples)


def test_a_file_that_vanished_is_named(samples, tmp_path):
    samples[1].picture.unlink()
    with pytest.raises(PictureError, match=r"l01\.png"):
        load(samples, tmp_path / "cache.npz")


def test_a_sample_without_mask_is_refused(samples):
    with pytest.raises(DataError, match=r"l00\.png: has no mask"):
        load([Sample("l00", samples[0].picture, None)])


def test_the_limit_of_megapixels_reaches_the_reader(samples):
    with pytest.raises(PictureError, match="megapixels"):
        load_arrays(samples, SIZE, progress=False, max_megapixels=0.001)


def test_the_cache_lies_in_the_data_folder(tmp_path):
    assert cache_folder(tmp_path) == tmp_path / CACHE_NAME
    assert (tmp_path / CACHE_NAME).is_dir()


@pytest.fixture
def read_only(tmp_path):
    root = tmp_path / "set"
    root.mkdir()
    root.chmod(stat.S_IRUSR | stat.S_IXUSR)
    yield root
    root.chmod(0o700)


def test_a_read_only_folder_is_left_alone(tmp_path, monkeypatch, read_only):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    folder = cache_folder(read_only)
    assert folder.parent == tmp_path / "caches" / "jaalnet"
    assert folder.name.startswith("set-")
    assert os.listdir(read_only) == []
    other = tmp_path / "elsewhere" / "set"
    other.mkdir(parents=True)
    other.chmod(0o500)
    assert cache_folder(other) != folder  # two folders of one name do not share a cache


def test_the_home_folder_s_cache_comes_next(tmp_path, monkeypatch, read_only):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert cache_folder(read_only).parent == tmp_path / ".cache" / "jaalnet"


def test_no_place_for_a_cache_is_no_failure(tmp_path, monkeypatch, read_only):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert cache_folder(read_only) is None


def test_unusual_ids_survive_the_cache(tmp_path):
    folder = tmp_path / "train"
    for id in ("Läsion №1", "a b", "x" * 90):
        save_pair(folder / f"{id}.png", folder / f"{id}_mask.png")
    samples = find_layout(tmp_path).train
    load(samples, tmp_path / "cache.npz")
    assert load(samples, tmp_path / "cache.npz").ids == tuple(one.id for one in samples)


@pytest.mark.parametrize(("mask", "fits"), [((20, 28), True), ((21, 29), True), ((56, 40), False), ((40, 28), False)])
def test_a_mask_of_other_proportions_is_refused_by_name(tmp_path, mask, fits):
    """Resized to the network's square, it would cover something else."""
    picture = save(tmp_path / "a.png", a_picture())  # 56x40
    sample = Sample("a", picture, save(tmp_path / "a_mask.png", a_mask(0, *mask) * np.uint8(255)))
    if fits:
        assert load_arrays([sample], SIZE, progress=False).masks.any()
    else:
        with pytest.raises(PictureError, match=r"a_mask\.png: .* proportions of its picture a\.png, 56x40"):
            load_arrays([sample], SIZE, progress=False)
