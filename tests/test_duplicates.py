"""jaalnet_core.data.duplicates: the same photograph, however it was saved."""

import numpy as np
import pytest
from lesion_files import a_picture

from jaalnet_core.data import duplicates
from jaalnet_core.data.duplicates import near_groups, same_groups, thumbnail
from jaalnet_core.data.preprocess import resize_picture
from jaalnet_core.size import Size

PICTURE = a_picture(1, height=120, width=160)


def test_the_pattern_ignores_size_brightness_and_contrast():
    darker = (PICTURE * 0.5 + 10).astype(np.uint8)
    for other in (darker, resize_picture(PICTURE, Size(64, 64)), resize_picture(PICTURE, Size(300, 400))):
        assert thumbnail(PICTURE) @ thumbnail(other) > 0.99


def test_a_pattern_has_mean_zero_and_length_one():
    pattern = thumbnail(PICTURE)
    assert pattern.shape == (256,)
    assert pattern.mean() == pytest.approx(0, abs=1e-6)
    assert np.linalg.norm(pattern) == pytest.approx(1, abs=1e-5)


def test_plain_pictures_resemble_nothing():
    plain = thumbnail(np.full((50, 50, 3), 128, np.uint8))
    assert not plain.any()
    assert near_groups([plain, plain]) == []


def test_groups_of_equal_keys():
    assert same_groups("abcacb") == [[0, 3], [1, 5], [2, 4]]
    assert same_groups("abc") == []


@pytest.mark.parametrize("rows", [2, 3, 1024])
def test_near_pictures_are_grouped_whatever_the_block_size(monkeypatch, rows):
    monkeypatch.setattr(duplicates, "_ROWS", rows)
    thumbnails = [thumbnail(a_picture(seed)) for seed in range(6)]
    again = [thumbnail((a_picture(seed) * 0.8).astype(np.uint8)) for seed in (1, 4)]
    assert near_groups([*thumbnails, *again, again[0]]) == [[1, 6, 8], [4, 7]]


def test_a_chain_of_near_pictures_is_one_group():
    middle = np.zeros(256, np.float32)
    middle[0] = 1
    turned = [np.zeros(256, np.float32) for _ in range(2)]
    for sign, one in zip((1, -1), turned, strict=True):  # each 0.995 like the middle, 0.98 like one another
        one[0], one[1] = 0.995, sign * np.sqrt(1 - 0.995**2)
    assert near_groups([turned[0], turned[1], middle]) == [[0, 1, 2]]
    assert near_groups(turned) == []


def test_no_pictures_no_groups():
    assert near_groups([]) == []
