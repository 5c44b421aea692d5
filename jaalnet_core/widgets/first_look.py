"""Lesson 00: a trained network outlines a lesion, and what happens when the photograph gets worse."""

from __future__ import annotations

import ipywidgets
import numpy as np
import torch
from torch import nn

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.disturbances import blur, brighten, warm
from jaalnet_core.figures.outlines import draw_outlines
from jaalnet_core.figures.panels import picture_row
from jaalnet_core.figures.style import NotebookFigure
from jaalnet_core.metrics import confusion_counts, scores
from jaalnet_core.prediction import outline_lesion
from jaalnet_core.size import Size
from jaalnet_core.widgets.panel import Panel, panel

SIDE = 384  # pixels at which outlines are drawn


def dice_of(mask: np.ndarray, expert: np.ndarray) -> float:
    """Dice of one mask `(H, W)` with an expert's, 0..1."""
    counts = confusion_counts(torch.from_numpy(mask)[None].bool(), torch.from_numpy(expert)[None].bool())
    return scores(counts)["dice"].item()


def disturbed_outline(
    network: nn.Module, picture: np.ndarray, expert: np.ndarray, *, brightness: float, blurring: float, warmth: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """Make a photograph worse, outline the lesion in it, and score the outline.

    Args:
        network: images to logits, such as an LF-Net.
        picture: `(H, W, 3)` uint8, RGB; `expert`: its mask `(H, W)`, 0 or 1.
        brightness, blurring, warmth: see `jaalnet_core.data.disturbances`; 1, 0 and 0 change nothing.

    Returns:
        the disturbed photograph `(H, W, 3)` uint8, the network's mask `(H, W)` uint8, and its Dice in 0..1.
    """
    worse = warm(blur(brighten(picture, brightness), blurring), warmth)
    mask = outline_lesion(network, worse, size=Size(*picture.shape[:2])).mask
    return worse, mask, dice_of(mask, expert)


def disturbed_figure(
    network: nn.Module, picture: np.ndarray, expert: np.ndarray, *, brightness: float, blurring: float, warmth: float
) -> NotebookFigure:
    """The photograph as it is and made worse, with the expert's outline and the network's on both."""
    untouched = {"brightness": 1.0, "blurring": 0.0, "warmth": 0.0}
    _, before, dice_before = disturbed_outline(network, picture, expert, **untouched)
    asked = {"brightness": brightness, "blurring": blurring, "warmth": warmth}
    worse, after, dice_after = disturbed_outline(network, picture, expert, **asked)
    return picture_row(
        [
            draw_outlines(picture, expert=expert, predicted=before, enlarge_to=SIDE),
            draw_outlines(worse, expert=expert, predicted=after, enlarge_to=SIDE),
        ],
        [f"as it is: Dice {dice_before:.3f}", f"disturbed: Dice {dice_after:.3f}"],
        alt=f"The network's outline scores Dice {dice_before:.3f} on the picture as it is, and {dice_after:.3f} at "
        f"brightness {brightness:.2f}, blur {blurring:.1f} % and warmth {warmth:+.1f}.",
    )


def first_look(network: nn.Module, arrays: LesionArrays) -> Panel:
    """Choose one of the pictures, disturb it, and watch the outline and its score.

    Args:
        network: images to logits.
        arrays: the pictures to choose from, with the experts' masks.
    """

    def draw(picture: int, **amounts: float) -> NotebookFigure:
        return disturbed_figure(network, arrays.images[picture], arrays.masks[picture], **amounts)

    def slider(low: float, high: float, value: float, step: float, label: str) -> ipywidgets.FloatSlider:
        return ipywidgets.FloatSlider(
            value=value, min=low, max=high, step=step, description=label, continuous_update=False
        )

    return panel(
        draw,
        picture=ipywidgets.Dropdown(
            options=[(f"picture {i + 1}: {name}", i) for i, name in enumerate(arrays.ids)], description="picture"
        ),
        brightness=slider(0.2, 2.0, 1.0, 0.05, "brightness"),
        blurring=slider(0.0, 8.0, 0.0, 0.5, "blur (% of the side)"),
        warmth=slider(-1.0, 1.0, 0.0, 0.1, "warmth"),
    )
