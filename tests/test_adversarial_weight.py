"""The adversarial weight's figure and slider: what they show is the mix's arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest

from jaalnet_core.figures.gradient_mix import gradient_mix_figure
from jaalnet_core.training.gradients import GradientMix
from jaalnet_core.widgets.adversarial_weight import WEIGHTS, adversarial_weight_figure, adversarial_weight_panel

MIX = GradientMix(supervised=1.0, adversarial=2.0, cosine=0.0)


def test_the_curve_holds_every_weights_share():
    left, _ = adversarial_weight_figure(MIX, 0.5).axes
    x, y = left.lines[0].get_data()
    np.testing.assert_allclose(x[1:], WEIGHTS[1:])
    assert 0 < x[0] < WEIGHTS[1], "0 stands at the left end of a logarithmic axis"
    np.testing.assert_allclose(y, [100 * MIX.share(weight) for weight in WEIGHTS])
    (marked_x,), (marked_y,) = left.lines[1].get_data()
    assert (marked_x, marked_y) == (0.5, pytest.approx(50))
    assert left.get_xticklabels()[0].get_text() == "0"


def test_the_arrows_are_the_two_pulls_and_their_sum():
    _, right = adversarial_weight_figure(MIX, 0.5).axes
    step, supervised, adversarial = (line.get_xydata()[1] for line in right.lines[0::3])
    np.testing.assert_allclose(supervised, [0.5, 0], atol=1e-12)
    np.testing.assert_allclose(adversarial, [0, 0.5], atol=1e-12)
    total = supervised + adversarial
    np.testing.assert_allclose(step / np.linalg.norm(step), total / np.linalg.norm(total))


@pytest.mark.parametrize("cosine", [-0.9, -0.3, 0.4])
def test_the_step_goes_where_the_sum_points_at_any_angle(cosine):
    mix = GradientMix(supervised=3.0, adversarial=5.0, cosine=cosine)
    for weight in WEIGHTS:
        _, right = adversarial_weight_figure(mix, weight).axes
        step, supervised, adversarial = (line.get_xydata()[1] for line in right.lines[0::3])
        total = supervised + adversarial
        np.testing.assert_allclose(step / np.linalg.norm(step), total / np.linalg.norm(total), atol=1e-9)


def test_the_alternative_text_says_share_and_turn():
    assert adversarial_weight_figure(MIX, 0.5).alt == (
        "Adversarial weight 0.5: DA-Net has 50.0 percent of LF-Net's pull and turns its step by 45 degrees; "
        "the two pulls lie 90 degrees apart."
    )


def test_the_slider_moves_figure_and_sentence():
    widget = adversarial_weight_panel(MIX)
    assert "Adversarial weight 0.02" in widget.sentence.value
    before = widget.picture.value
    widget.controls["weight"].value = 10.0
    assert "Adversarial weight 10: DA-Net has 95.2 percent" in widget.sentence.value
    assert widget.picture.value != before
    widget.controls["weight"].value = 0.0
    assert "0.0 percent" in widget.sentence.value
    assert "by 0 degrees" in widget.sentence.value


def test_a_weight_that_is_not_there_is_refused_by_name():
    with pytest.raises(ValueError, match=r"weight: found 3, expected one of 0, 0\.001"):
        adversarial_weight_figure(MIX, 3.0)
    with pytest.raises(ValueError, match="found 2 weights, 1 shares"):
        gradient_mix_figure(0.0, [0.0, 1.0], [0.0], [0.0, 1.0], 90)


def test_perfect_agreement_and_opposition_can_be_drawn():
    for cosine, angle in ((1.0, 0), (-1.0, 180)):
        figure = adversarial_weight_figure(GradientMix(1.0, 1.0, cosine), 0.1)
        assert f"{angle} degrees apart" in figure.alt
        assert all(math.isfinite(value) for line in figure.axes[1].lines[:2] for value in line.get_xydata().flat)
