"""Obstacles change the picture and never the mask, and a seed gives the same ones again."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from torchvision.transforms import v2

from jaalnet_core.data.augment import augment_pair
from jaalnet_core.data.obstacles import CutOut, DrawnHair

SKIN = np.full((64, 96, 3), 200, np.uint8)
MASK = np.zeros((64, 96), np.uint8)
MASK[16:48, 24:72] = 1


@pytest.mark.parametrize("obstacle", [DrawnHair(), CutOut(p=1, scale=(0.05, 0.1))])
def test_the_picture_changes_in_places_and_the_mask_stays(obstacle: v2.Transform) -> None:
    shares = []
    for seed in range(20):
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # torchvision warns where a transform meets a mask that it leaves alone
            image, mask = augment_pair(obstacle, SKIN, MASK, seed)
        np.testing.assert_array_equal(mask[0].numpy(), MASK)
        changed = (image * 255).round().numpy() != 200
        shares.append(changed.any(0).mean())
    assert min(shares) > 0
    assert max(shares) < 0.6
    assert len(set(shares)) > 10  # drawn anew each time


def test_the_same_seed_draws_the_same_hairs() -> None:
    first, again, other = (augment_pair(DrawnHair(), SKIN, MASK, seed)[0] for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_more_hairs_cover_more() -> None:
    def covered(most: int) -> float:
        pictures = [augment_pair(DrawnHair(most), SKIN, MASK, seed)[0] for seed in range(30)]
        return float(np.mean([(picture.numpy() < 0.7).mean() for picture in pictures]))

    assert covered(40) > 2 * covered(2) > 0


def test_no_hair_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="found 0"):
        DrawnHair(most=0)
