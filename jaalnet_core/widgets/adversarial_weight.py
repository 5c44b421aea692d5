"""How loud is DA-Net? A slider of the adversarial weight over two gradients measured once."""

from __future__ import annotations

import math

import ipywidgets

from jaalnet_core.figures.gradient_mix import gradient_mix_figure
from jaalnet_core.figures.style import NotebookFigure
from jaalnet_core.training.gradients import GradientMix
from jaalnet_core.widgets.panel import Panel, panel

WEIGHTS = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def adversarial_weight_figure(mix: GradientMix, weight: float = 0.02) -> NotebookFigure:
    """DA-Net's share of LF-Net's gradient over all weights, and both pulls at one.

    Args:
        mix: measured by `gradient_mix` on one batch.
        weight: one of `WEIGHTS`.
    """
    return gradient_mix_figure(
        weight,
        WEIGHTS,
        [mix.share(each) for each in WEIGHTS],
        [mix.turn(each) for each in WEIGHTS],
        math.degrees(math.acos(mix.cosine)),
    )


def adversarial_weight_panel(mix: GradientMix, weight: float = 0.02) -> Panel:
    """The figure under a slider named `weight`."""
    slider = ipywidgets.SelectionSlider(
        options=[(f"{each:g}", each) for each in WEIGHTS], value=weight, description="adversarial weight"
    )
    return panel(lambda weight: adversarial_weight_figure(mix, weight), weight=slider)
