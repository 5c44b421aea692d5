"""The widget of lesson 00: its numbers, and that its controls reach them."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from torch import nn

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.widgets.first_look import dice_of, disturbed_figure, disturbed_outline, first_look

UNTOUCHED = {"brightness": 1.0, "blurring": 0.0, "warmth": 0.0}


class DarkIsLesion(nn.Module):
    """Logits above 0 where the mean colour is below one half."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return 20 * (0.5 - images.mean(dim=1, keepdim=True))


@pytest.fixture
def arrays() -> LesionArrays:
    images = np.full((2, 64, 64, 3), 200, np.uint8)
    masks = np.zeros((2, 64, 64), np.uint8)
    masks[0, 16:48, 16:48] = masks[1, 8:24, 8:56] = 1
    images[masks == 1] = 60
    return LesionArrays(("a", "b"), images, masks)


def test_dice_of_half_an_overlap() -> None:
    expert = np.array([[1, 1, 0, 0]], np.uint8)
    assert dice_of(np.array([[0, 1, 1, 0]], np.uint8), expert) == pytest.approx(0.5)


def test_untouched_is_perfect_and_darkness_is_not(arrays) -> None:
    worse, mask, dice = disturbed_outline(DarkIsLesion(), arrays.images[0], arrays.masks[0], **UNTOUCHED)
    assert np.array_equal(worse, arrays.images[0])
    assert np.array_equal(mask, arrays.masks[0])
    assert dice == 1
    dark = UNTOUCHED | {"brightness": 0.5}  # skin falls below one half: everything is lesion
    worse, mask, dice = disturbed_outline(DarkIsLesion(), arrays.images[0], arrays.masks[0], **dark)
    assert worse.max() == 100
    assert mask.all()
    assert dice == pytest.approx(2 * 1024 / (1024 + 4096))


def test_the_figure_says_both_scores(arrays) -> None:
    figure = disturbed_figure(DarkIsLesion(), arrays.images[0], arrays.masks[0], **UNTOUCHED | {"brightness": 0.5})
    assert [axes.get_title() for axes in figure.axes] == ["as it is: Dice 1.000", "disturbed: Dice 0.400"]
    assert "Dice 1.000" in figure.alt
    assert "0.400 at brightness 0.50" in figure.alt


def test_the_controls_reach_the_outline(arrays) -> None:
    widget = first_look(DarkIsLesion(), arrays)
    assert "1.000 at brightness 1.00" in widget.sentence.value
    widget.controls["brightness"].value = 0.5
    assert "0.400 at brightness 0.50" in widget.sentence.value
    before = widget.picture.value
    widget.controls["picture"].value = 1
    assert widget.picture.value != before
    assert re.search(r'alt="The network&#x27;s outline scores', widget.picture.value)
