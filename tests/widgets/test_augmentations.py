"""The augmented grid and its panel: outlines belong to their pictures, and the words say what the masks hold."""

from __future__ import annotations

import numpy as np
import pytest

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.augment import augment_pair, augmentation_of_strength
from jaalnet_core.figures.augmentations import AugmentedDraws, augmentation_grid, augmented_draws
from jaalnet_core.widgets.augmentations import DRAWS, augmentation_panel

STILL = {"rotation": 0, "zoom": 1.0, "colour": 0.0, "flips": False}


@pytest.fixture
def arrays() -> LesionArrays:
    """A square of a quarter of the frame in the middle, and a bar along the top border."""
    masks = np.zeros((2, 40, 40), np.uint8)
    masks[0, 10:30, 10:30] = 1
    masks[1, :8] = 1
    images = np.full((2, 40, 40, 3), 200, np.uint8)
    images[masks == 1] = 60
    return LesionArrays(("square", "bar"), images, masks)


def test_draws_are_those_of_training(arrays):
    transform = augmentation_of_strength(rotation=90, zoom=1.5, colour=0.3, flips=True)
    draws = augmented_draws(transform, arrays.images[0], arrays.masks[0], count=3, seed=5)
    for number in range(3):
        image, mask = augment_pair(transform, arrays.images[0], arrays.masks[0], 5 + number)
        np.testing.assert_array_equal(draws.images[number].transpose(2, 0, 1), (image * 255).round().numpy())
        np.testing.assert_array_equal(draws.masks[number], mask[0].numpy())


def test_shares_and_cuts_are_counted():
    masks = np.zeros((4, 10, 10), np.uint8)
    masks[0, 3:6, 3:6] = 1
    masks[1, 0:2, 4:6] = 1
    masks[2, 5, 9] = 1
    draws = AugmentedDraws(np.zeros((4, 10, 10, 3), np.uint8), masks)
    np.testing.assert_allclose(draws.lesion_shares, [0.09, 0.04, 0.01, 0])
    np.testing.assert_array_equal(draws.cut, [False, True, True, False])


def test_the_grid_shows_and_says_every_draw(arrays):
    grid = augmentation_grid(augmentation_of_strength(**STILL), arrays.images[0], arrays.masks[0], count=3, seed=2)
    assert [axes.get_title() for axes in grid.axes[:4]] == ["as it is", "draw 2", "draw 3", "draw 4"]
    shown = [np.asarray(axes.images[0].get_array()) for axes in grid.axes[:4]]
    assert all(np.array_equal(shown[0], other) for other in shown[1:])
    assert not np.array_equal(shown[0], arrays.images[0])  # an outline is on it
    assert "covers 25% of the frame before, 25% to 25% after; in 0 of 3 it touches" in grid.alt


def test_a_lesion_that_left_the_frame_is_said(arrays):
    away = augmentation_of_strength(**STILL | {"zoom": 3.0})
    masks = np.zeros((40, 40), np.uint8)
    masks[:2, :2] = 1  # a corner: enlarging pushes it out
    grid = augmentation_grid(away, arrays.images[0], masks, count=12)
    assert "left the frame" in grid.alt


def test_every_control_reaches_the_figure(arrays):
    panel = augmentation_panel(arrays)
    for name, value in STILL.items():
        panel.controls[name].value = value
    assert f"25% to 25% after; in 0 of {DRAWS} it touches" in panel.sentence.value
    for name, value in {"picture": 2, "rotation": 45, "zoom": 2.0, "colour": 0.5, "flips": True}.items():
        before, said = panel.picture.value, panel.sentence.value
        panel.controls[name].value = value
        assert panel.picture.value != before, name
        assert panel.sentence.value != said, name  # a colour moves no number of the masks, and is told all the same
        panel.controls[name].value = STILL.get(name, value)
    assert f"20% to 20% after; in {DRAWS} of {DRAWS} it touches" in panel.sentence.value
    assert all(control.description for control in panel.controls.values())
    panel.controls["rotation"].value = 180
    before = panel.picture.value
    panel.controls["first_draw"].value = 14
    assert panel.picture.value != before
    start = "Rotation up to 180 degrees, zoom up to 1, colour 0, flips off, draws from 14. A picture and"
    assert f'alt="{start}' in panel.picture.value
