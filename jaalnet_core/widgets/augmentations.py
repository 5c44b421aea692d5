"""Turn augmentation up and down, and watch a picture and its outline move together, or leave the frame."""

from __future__ import annotations

import ipywidgets

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.augment import augmentation_of_strength
from jaalnet_core.figures.augmentations import augmentation_grid
from jaalnet_core.figures.style import NotebookFigure
from jaalnet_core.widgets.panel import Panel, panel

DRAWS = 7
LARGEST_ZOOM = 3.0


def _in_words(rotation: float, zoom: float, colour: float, flips: bool) -> str:
    """The strengths: rotation and colour move no number of the masks, yet who cannot see should hear of them."""
    mirrored = "on" if flips else "off"
    return f"Rotation up to {rotation:g} degrees, zoom up to {zoom:g}, colour {colour:g}, flips {mirrored}"


def augmentation_panel(arrays: LesionArrays) -> Panel:
    """Controls `picture`, `rotation` (degrees), `zoom`, `colour`, `flips` and `first_draw` above a grid of draws.

    The sentence below says the controls' values, how much of the frame the lesion covers, and how often it is cut.

    Args:
        arrays: the pictures to choose from.
    """

    def draw(picture: int, first_draw: int, **strengths: float) -> NotebookFigure:
        transform = augmentation_of_strength(**strengths)
        image, mask = arrays.images[picture - 1], arrays.masks[picture - 1]
        grid = augmentation_grid(transform, image, mask, count=DRAWS, seed=first_draw)
        grid.alt = f"{_in_words(**strengths)}, draws from {first_draw}. {grid.alt}"
        return grid

    def slider(kind: type, value: float, low: float, high: float, step: float, label: str) -> ipywidgets.Widget:
        return kind(value=value, min=low, max=high, step=step, description=label, continuous_update=False)

    whole, decimal = ipywidgets.IntSlider, ipywidgets.FloatSlider
    return panel(
        draw,
        picture=slider(whole, 1, 1, len(arrays), 1, "picture"),
        rotation=slider(whole, 30, 0, 180, 5, "rotation, degrees"),
        zoom=slider(decimal, 1.2, 1.0, LARGEST_ZOOM, 0.1, "zoom, factor"),
        colour=slider(decimal, 0.2, 0.0, 1.0, 0.05, "colour"),
        flips=ipywidgets.Checkbox(value=True, description="flips", indent=True),
        first_draw=slider(whole, 0, 0, 100, DRAWS, "first draw"),
    )
