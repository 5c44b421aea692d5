"""Figures of the contour stream: its levels under gates as they are, open and shut, and what becomes of the outline."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from jaalnet_core.figures.outlines import draw_outlines
from jaalnet_core.figures.panels import picture_row
from jaalnet_core.figures.style import NotebookFigure
from jaalnet_core.gating import GatedRun, mask_dice, outline_dice, run_with_gates, stream_contrast

_SIDE = 384  # pixels of the photograph as shown: on a small picture the lines would hide the border


def stream_levels(runs: Mapping[str, GatedRun], index: int = 0, *, alt: str) -> NotebookFigure:
    """A row for each run: the contour stream after every gate, coarse to fine, then the outline that it draws.

    Args:
        runs: by the words that name them, such as `as trained`; all of the same pictures.
        index: which picture.
        alt: what is to be seen, in words.
    """
    images, titles = [], []
    for name, run in runs.items():
        for stream in run.streams:
            images.append(stream_contrast(stream)[index])
            titles.append(f"{name}\n{stream.shape[-2]}x{stream.shape[-1]}, {stream.shape[1]} channels")
        images.append(torch.sigmoid(run.contour[index, 0]))
        titles.append(f"{name}\noutline drawn")
    return picture_row(images, titles, alt=alt, cmap="viridis", columns=len(images) // len(runs))


def gate_levels(run: GatedRun, index: int = 0, *, alt: str) -> NotebookFigure:
    """The gates of one picture, coarse to fine, on one scale from 0 (shut) to 1 (open)."""
    gates = [gate[index, 0] for gate in run.gates]
    titles = [f"gate at {gate.shape[-2]}x{gate.shape[-1]}\nmean {gate.mean():.2f}" for gate in gates]
    return picture_row(gates, titles, alt=alt, cmap="viridis", limits=(0.0, 1.0))


def gates_and_outline(
    network: nn.Module, picture: np.ndarray, mask: np.ndarray, *, strength: float = 1.0, forced: float | None = None
) -> NotebookFigure:
    """One photograph under chosen gates: both outlines, the finest gate, the outline drawn and the one wanted.

    The figure's `alt` gives the Dice of mask and outline.

    Args:
        network: an LF-Net.
        picture: `(H, W, 3)` uint8, RGB.
        mask: the expert's, `(H, W)`, 0 or 1.
        strength, forced: as in `jaalnet_core.gating.run_with_gates`.
    """
    images = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255
    truth = torch.from_numpy(np.ascontiguousarray(mask))[None, None].float()
    run = run_with_gates(network, images, strength=strength, forced=forced)
    drawn = draw_outlines(picture, expert=mask, predicted=(run.logits[0, 0] > 0).numpy(), enlarge_to=_SIDE)
    gates = f"Every gate forced to {forced:.2f}" if forced is not None else f"Every gate times {strength:.2f}"
    on_mask, on_outline = mask_dice(run.logits, truth), outline_dice(run.contour, truth)
    return picture_row(
        [drawn, run.gates[-1][0, 0], torch.sigmoid(run.contour[0, 0])],
        [f"mask: Dice {on_mask:.2f}", "finest gate", f"outline drawn: Dice {on_outline:.2f}"],
        alt=f"{gates}: the mask's Dice is {on_mask:.3f}, the outline's {on_outline:.3f}. The photograph with the "
        "expert's outline (solid) and the network's (dashed), the finest gate, and the outline that the stream draws.",
        cmap="viridis",
        limits=(0.0, max(1.0, strength if forced is None else 1.0)),
    )
