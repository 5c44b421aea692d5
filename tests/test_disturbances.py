"""Disturbances change what they say, and nothing at their neutral value."""

from __future__ import annotations

import numpy as np
import pytest

from jaalnet_core.data.disturbances import blur, brighten, warm


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


@pytest.mark.parametrize(("disturb", "neutral"), [(brighten, 1), (blur, 0), (warm, 0)])
def test_the_neutral_value_changes_nothing_and_gives_a_copy(picture, disturb, neutral) -> None:
    result = disturb(picture, neutral)
    assert np.array_equal(result, picture)
    assert not np.shares_memory(result, picture)


def test_brightness_multiplies_and_stops_at_white() -> None:
    grey = np.array([[[10, 100, 200]]], np.uint8)
    assert brighten(grey, 2).tolist() == [[[20, 200, 255]]]
    assert brighten(grey, 0.5).tolist() == [[[5, 50, 100]]]


def test_blur_keeps_the_mean_and_takes_the_detail(picture) -> None:
    softer = blur(picture, 5)
    assert softer.mean() == pytest.approx(picture.mean(), abs=2)
    assert softer.std() < picture.std() / 3


def test_blur_is_the_same_at_every_size() -> None:
    edge = np.zeros((100, 100, 3), np.uint8)
    edge[:, 50:] = 255
    large = blur(edge.repeat(2, 0).repeat(2, 1), 4)[::2, ::2]
    assert np.abs(large.astype(int) - blur(edge, 4)).max() < 12


def test_warmth_turns_red_up_and_blue_down() -> None:
    grey = np.full((1, 1, 3), 100, np.uint8)
    assert warm(grey, 0.5).tolist() == [[[125, 100, 75]]]
    assert warm(grey, -0.5).tolist() == [[[75, 100, 125]]]


@pytest.mark.parametrize(("disturb", "wrong"), [(brighten, -1), (blur, -0.1), (warm, 1.5)])
def test_a_value_outside_the_range_is_named(picture, disturb, wrong) -> None:
    with pytest.raises(ValueError, match=f"found {wrong}"):
        disturb(picture, wrong)
