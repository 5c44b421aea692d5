"""Move the threshold and watch one outline, its five scores, and its place on the curve."""

from __future__ import annotations

import ipywidgets
from torch import Tensor

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.figures.style import NotebookFigure
from jaalnet_core.figures.thresholds import threshold_view
from jaalnet_core.widgets.panel import Panel, panel


def threshold_panel(arrays: LesionArrays, probabilities: Tensor) -> Panel:
    """A slider for the threshold and a list of pictures, above `figures.thresholds.threshold_view`.

    Args:
        arrays: `N` pictures with the experts' masks.
        probabilities: `(N, 1, H, W)`, 0..1, at the pictures' size.

    Raises:
        ValueError: no picture, or shapes that differ.
    """
    if not len(arrays) or probabilities.shape != (len(arrays), 1, *arrays.size):
        raise ValueError(
            f"probabilities: found {tuple(probabilities.shape)} for {len(arrays)} pictures of {arrays.size}, expected "
            f"({len(arrays)}, 1, {arrays.size.height}, {arrays.size.width}), and at least one picture."
        )

    def draw(picture: int, threshold: float) -> NotebookFigure:
        return threshold_view(arrays.images[picture], arrays.masks[picture], probabilities[picture], threshold)

    return panel(
        draw,
        picture=ipywidgets.Dropdown(
            options=[(id, index) for index, id in enumerate(arrays.ids)], value=0, description="picture"
        ),
        threshold=ipywidgets.FloatSlider(
            value=0.5, min=0.01, max=0.99, step=0.01, description="threshold", continuous_update=False
        ),
    )
