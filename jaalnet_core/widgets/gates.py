"""Turn LF-Net's contour gates up, down, open or shut, and see what the outline and the mask make of it."""

from __future__ import annotations

import ipywidgets
from torch import nn

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.figures.gates import gates_and_outline
from jaalnet_core.figures.style import NotebookFigure
from jaalnet_core.widgets.panel import Panel, panel

AS_THEY_ARE, SHUT, OPEN = "multiplied by the strength", "forced shut", "forced open"
STRONGEST = 3.0


def gate_panel(network: nn.Module, arrays: LesionArrays) -> Panel:
    """Controls `picture`, `gates` (one of three ways) and `strength` above the figure of `gates_and_outline`.

    `strength` takes no value while the gates are forced.

    Args:
        network: an LF-Net in evaluation mode.
        arrays: the pictures to choose from.
    """

    def draw(picture: int, gates: str, strength: float) -> NotebookFigure:
        forced = {AS_THEY_ARE: None, SHUT: 0.0, OPEN: 1.0}[gates]
        image, mask = arrays.images[picture - 1], arrays.masks[picture - 1]
        return gates_and_outline(network, image, mask, strength=strength, forced=forced)

    made = panel(
        draw,
        picture=ipywidgets.IntSlider(1, 1, len(arrays), description="picture", continuous_update=False),
        gates=ipywidgets.Dropdown(options=(AS_THEY_ARE, SHUT, OPEN), description="gates"),
        strength=ipywidgets.FloatSlider(
            1.0, min=0.0, max=STRONGEST, step=0.1, description="strength", continuous_update=False
        ),
    )
    gates, strength = made.controls["gates"], made.controls["strength"]
    # forced gates have no strength: a slider that moves nothing would look broken
    gates.observe(lambda _change: setattr(strength, "disabled", gates.value != AS_THEY_ARE), names="value")
    return made
