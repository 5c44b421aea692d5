"""Traits of pictures, on pictures drawn so that each is known."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from jaalnet_core.data.disturbances import grow_hair
from jaalnet_core.data.traits import traits

SKIN, LESION = (220, 180, 160), (90, 50, 40)


def a_lesion(radius: int = 20, colour: tuple[int, int, int] = LESION) -> tuple[np.ndarray, np.ndarray]:
    """A disc in the middle of plain skin, 128x128, and its mask."""
    picture, mask = np.full((128, 128, 3), SKIN, np.uint8), np.zeros((128, 128), np.uint8)
    cv2.circle(picture, (64, 64), radius, colour, -1)
    cv2.circle(mask, (64, 64), radius, 1, -1)
    return picture, mask


def lab(colour: tuple[int, int, int]) -> np.ndarray:
    return cv2.cvtColor(np.float32([[colour]]) / 255, cv2.COLOR_RGB2LAB)[0, 0]


def test_a_plain_lesion_has_its_share_and_its_contrast_and_nothing_else():
    picture, mask = a_lesion()
    found = traits(picture, mask)
    assert found.share == mask.mean()
    assert found.contrast == pytest.approx(np.linalg.norm(lab(SKIN) - lab(LESION)), rel=1e-4)
    assert (found.touches_border, found.fine, found.dark_corners) == (False, 0.0, 0)
    assert not found.has_fine_structures


@pytest.mark.parametrize(("row", "column"), [(0, 60), (127, 60), (60, 0), (60, 127)])
def test_one_pixel_at_any_edge_touches_it(row, column):
    picture, mask = a_lesion()
    mask[row, column] = 1
    assert traits(picture, mask).touches_border


def test_a_pale_lesion_has_less_contrast():
    pale = tuple((3 * skin + lesion) // 4 for skin, lesion in zip(SKIN, LESION, strict=True))
    assert traits(*a_lesion(colour=pale)).contrast < 0.4 * traits(*a_lesion()).contrast


def test_only_the_skin_near_the_lesion_is_compared():
    picture, mask = a_lesion()
    far = cv2.circle(np.zeros_like(mask), (64, 64), 45, 1, -1) == 0
    picture[far] = (20, 200, 20)
    assert traits(picture, mask).contrast == pytest.approx(traits(*a_lesion()).contrast)


def test_the_black_of_a_dermoscope_is_no_skin_and_no_fine_structure():
    picture, mask = a_lesion(40)
    beyond = cv2.circle(np.zeros_like(mask), (64, 64), 46, 1, -1) == 0  # nearly all that lies around the lesion
    picture[beyond] = 0
    found = traits(picture, mask)
    assert found.contrast == pytest.approx(traits(*a_lesion(40)).contrast, rel=1e-4)
    assert found.dark_corners == 4
    assert found.fine == 0


def test_the_rim_of_a_round_view_is_no_fine_structure():
    """The slit between a round view and the frame's edge is narrow and dark, and yet no hair."""
    picture, mask = a_lesion()
    beyond = cv2.circle(np.zeros_like(mask), (64, 64), 66, 1, -1) == 0
    picture[beyond] = 0
    assert traits(picture, mask).dark_corners == 4
    assert traits(picture, mask).fine == 0


def test_corners_are_counted_one_by_one():
    picture, mask = a_lesion()
    picture[:12, :12] = picture[-12:, -12:] = 5
    assert traits(picture, mask).dark_corners == 2


def test_without_skin_or_without_lesion_there_is_no_contrast():
    picture, mask = a_lesion()
    assert math.isnan(traits(picture, np.ones_like(mask)).contrast)
    assert math.isnan(traits(picture, np.zeros_like(mask)).contrast)


def test_lines_on_the_skin_are_fine_structures_and_on_the_lesion_are_not():
    picture, mask = a_lesion()
    within = picture.copy()
    cv2.line(within, (50, 64), (78, 64), (250, 240, 230), 1)
    cv2.line(within, (50, 70), (78, 70), (5, 5, 5), 1)
    assert traits(within, mask).fine == 0
    for ends in [((4, 10), (120, 10)), ((10, 4), (10, 120)), ((2, 90), (36, 124)), ((2, 36), (36, 2))]:
        lined = picture.copy()
        cv2.line(lined, *ends, (60, 40, 30), 1)
        assert 0.001 < traits(lined, mask).fine < 0.02, ends


def test_much_hair_is_worth_a_word():
    picture, mask = a_lesion()
    hairy = [traits(grow_hair(picture, 60, id), mask).has_fine_structures for id in "abcdefghij"]
    assert sum(hairy) >= 6  # one in a while has light hair, or stubble


def test_a_broad_dark_patch_is_no_fine_structure():
    picture, mask = a_lesion()
    picture[8:40, 8:40] = (120, 80, 60)
    assert traits(picture, mask).fine == 0


def test_sizes_that_differ_are_refused():
    picture, mask = a_lesion()
    with pytest.raises(ValueError, match="expected the same size"):
        traits(picture, mask[:64])
