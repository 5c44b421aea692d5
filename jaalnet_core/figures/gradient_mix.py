"""Two gradients and their sum: how an adversarial weight turns LF-Net's step."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from jaalnet_core.figures.style import BLACK, BLUE, TEXT_SIZE, VERMILION, NotebookFigure, dress, new_figure


def gradient_mix_figure(
    weight: float, weights: Sequence[float], shares: Sequence[float], turns: Sequence[float], angle: float
) -> NotebookFigure:
    """The adversarial share at every weight, and the two pulls with their sum at one of them.

    Args:
        weight: one of `weights`; marked on the left, drawn as arrows on the right.
        weights: increasing, from 0; drawn on a logarithmic axis, on which 0 stands at its left end.
        shares: DA-Net's share of LF-Net's pull at each weight, 0..1.
        turns: degrees by which it turns the step at each weight.
        angle: degrees between the supervised and the adversarial pull.

    Raises:
        ValueError: `weight` is none of `weights`, or the lists differ in length.
    """
    if not len(weights) == len(shares) == len(turns):
        raise ValueError(
            f"found {len(weights)} weights, {len(shares)} shares and {len(turns)} turns, expected as many."
        )
    if weight not in weights:
        raise ValueError(f"weight: found {weight:g}, expected one of {', '.join(f'{w:g}' for w in weights)}.")
    at = list(weights).index(weight)
    share, turn = shares[at], turns[at]
    figure = new_figure(6.4, 2.7)
    left, right = figure.subplots(1, 2, width_ratios=(4, 3))
    _curve(left, weights, shares, at)
    _arrows(right, share, math.radians(angle), math.radians(turn))
    figure.alt = (
        f"Adversarial weight {weight:g}: DA-Net has {100 * share:.1f} percent of LF-Net's pull and turns its step by "
        f"{turn:.0f} degrees; the two pulls lie {angle:.0f} degrees apart."
    )
    return figure


def _curve(axes: Axes, weights: Sequence[float], shares: Sequence[float], at: int) -> None:
    smallest = min(w for w in weights if w > 0)
    shown = np.array([w if w > 0 else smallest / 4 for w in weights])
    axes.plot(shown, 100 * np.asarray(shares), color=BLUE, linewidth=1.4)
    axes.plot(shown[at], 100 * shares[at], "o", color=VERMILION, markersize=7)
    axes.set(xscale="log", ylim=(-3, 103))
    ticks = [shown[0], *[10.0**k for k in range(-3, 2) if smallest <= 10.0**k <= shown[-1]]]
    axes.set_xticks(ticks, ["0" if weights[0] == 0 else f"{shown[0]:g}", *[f"{tick:g}" for tick in ticks[1:]]])
    axes.minorticks_off()
    dress(axes, "DA-Net's share of LF-Net's pull", "adversarial weight", "percent")


def _arrows(axes: Axes, share: float, angle: float, turn: float) -> None:
    """Supervised pull to the right, adversarial pull at `angle` (radians), and the way the step goes."""
    supervised = np.array([1 - share, 0.0])
    adversarial = share * np.array([math.cos(angle), math.sin(angle)])
    step = 0.9 * np.array([math.cos(turn), math.sin(turn)])
    for end, colour, line, name in (
        (step, BLACK, (0, (4, 1.5)), "the step's direction"),
        (supervised, BLUE, "-", "mask and outline"),
        (adversarial, VERMILION, "-", "DA-Net"),
    ):
        axes.plot([0, end[0]], [0, end[1]], color=colour, linestyle=line, linewidth=1.2 if colour == BLACK else 2.4)
        axes.plot(*end, marker=(3, 0, math.degrees(math.atan2(end[1], end[0])) - 90), color=colour, markersize=7)
        axes.plot([], [], color=colour, linestyle=line, label=name)
    axes.set(xlim=(-1.05, 1.05), ylim=(-0.12, 1.05), aspect="equal", xticks=[], yticks=[])
    axes.set_frame_on(False)
    axes.set_title("the two pulls", fontsize=TEXT_SIZE + 1, loc="left")
    axes.legend(fontsize=TEXT_SIZE - 1, loc="upper center", bbox_to_anchor=(0.5, 0.0), frameon=False, ncols=1)
