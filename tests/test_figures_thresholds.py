"""Figures of thresholds and reliability, and the widget: what they draw, and the same in words."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from jaalnet_core.calibration import reliability
from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.figures.thresholds import reliability_diagram, scores_in_words, threshold_figure, threshold_view
from jaalnet_core.metrics import METRICS
from jaalnet_core.thresholds import threshold_curve
from jaalnet_core.widgets.threshold import threshold_panel


def two_pictures(side: int = 16) -> tuple[LesionArrays, torch.Tensor]:
    """A square lesion that is found surely, and one of which half is doubtful (0.295)."""
    masks = np.zeros((2, side, side), np.uint8)
    masks[:, 4:12, 4:12] = 1
    probabilities = torch.from_numpy(masks).float()[:, None] * 0.9 + 0.055
    probabilities[1, 0, 4:12, 8:12] = 0.295
    images = np.full((2, side, side, 3), 180, np.uint8)
    return LesionArrays(("sure", "doubtful"), images, masks), probabilities


def test_the_curve_is_drawn_from_the_counts():
    arrays, probabilities = two_pictures()
    curve = threshold_curve(probabilities, torch.from_numpy(arrays.masks)[:, None])
    figure = threshold_figure(curve, at=0.4)
    (axes,) = figure.axes
    lines = {line.get_label(): line for line in axes.lines}
    for name, label in (("dice", "Dice"), ("sensitivity", "sensitivity"), ("specificity", "specificity")):
        assert np.asarray(lines[label].get_ydata()) == pytest.approx(curve.scores()[name].numpy())
    assert list(lines["in use: 0.40"].get_xdata()) == [0.4, 0.4]
    assert "Dice is highest, 1.000, at 0.18" in figure.alt  # 0.06 to 0.29 are all perfect
    assert "of 2 images" in figure.alt


def test_one_picture_at_one_threshold():
    arrays, probabilities = two_pictures()
    figure = threshold_view(arrays.images[1], arrays.masks[1], probabilities[1], 0.5)
    assert figure.alt.startswith("Threshold 0.50: Dice 0.667, IoU 0.500, accuracy 0.875, sensitivity 0.500")
    assert "50% of the lesion is missed, 0% of the skin is marked." in figure.alt
    left, right = figure.axes
    point = [line for line in right.lines if len(line.get_xdata()) == 1 and line.get_markerfacecolor() != "none"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in point] == [(0.5, pytest.approx(2 / 3))]
    drawn = left.images[0].get_array()
    assert drawn.shape == (48, 48, 3)
    assert (drawn != 180).any()


def test_words_for_a_perfect_and_a_lost_outline():
    assert scores_in_words(0.5, dict.fromkeys(METRICS, 1.0)).endswith(
        "0% of the lesion is missed, 0% of the skin is marked."
    )
    assert "Dice 0.000, IoU 0.000" in scores_in_words(0.25, dict.fromkeys(METRICS, 0.0))


def test_reliability_draws_what_was_counted():
    found = reliability(torch.tensor([0.05, 0.15, 0.15, 0.95]), torch.tensor([0, 0, 1, 1]))
    figure = reliability_diagram(found)
    above, below = figure.axes
    measured = next(line for line in above.lines if line.get_label() == "measured")
    assert list(measured.get_xdata()) == pytest.approx([0.05, 0.15, 0.95], abs=1e-6)
    assert list(measured.get_ydata()) == pytest.approx([0, 0.5, 1])  # empty bins leave no point
    assert [bar.get_height() for bar in below.patches] == found.pixels.tolist()
    assert "0.15 promised and 0.50 found" in figure.alt
    assert f"calibration error {found.expected_error:.3f}" in figure.alt


def test_the_widget_follows_its_slider_and_its_list():
    arrays, probabilities = two_pictures()
    shown = threshold_panel(arrays, probabilities)
    assert "Dice 1.000" in shown.sentence.value
    first = shown.picture.value
    shown.controls["picture"].value = 1
    assert "Threshold 0.50: Dice 0.667" in shown.sentence.value
    assert shown.picture.value != first
    shown.controls["threshold"].value = 0.2
    assert "Threshold 0.20: Dice 1.000" in shown.sentence.value
    assert 'alt="Threshold 0.20' in shown.picture.value


def test_the_widget_wants_a_map_for_each_picture():
    arrays, probabilities = two_pictures()
    with pytest.raises(ValueError, match="2 pictures"):
        threshold_panel(arrays, probabilities[:1])
