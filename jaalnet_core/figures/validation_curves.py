"""The validation curves of several runs in one picture."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from jaalnet_core.figures.style import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY_BLUE,
    TEXT_SIZE,
    VERMILION,
    NotebookFigure,
    dress,
    new_figure,
)

_COLOURS = (BLACK, BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY_BLUE)
_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.5)), (0, (6, 1.5, 1.5, 1.5)))
_SHOWN = 8  # points below the lowest best: what the first epochs do beneath it tells the runs apart from nothing


def validation_curves(runs: Mapping[str, tuple[Sequence[int], Sequence[float]]], *, title: str = "") -> NotebookFigure:
    """One line a run, a ring on its best epoch; no two lines share colour and dash pattern (up to 28 runs).

    The axis begins 8 points below the lowest of the best values: the first epochs lie beneath it.

    Args:
        runs: name to its epochs and the validation Dice of each, a fraction.
        title: above the plot.

    Raises:
        ValueError: there is no run, or one without an epoch.
    """
    if not runs or not all(len(dice) for _, dice in runs.values()):
        raise ValueError(f"runs: found {list(runs)}, expected at least one, each with an epoch.")
    figure = new_figure(6.8, 2.6 + 0.16 * len(runs), alt=_in_words(runs, title))
    axes = figure.subplots()
    styles = itertools.cycle([(colour, dash) for dash in _DASHES for colour in _COLOURS])
    for (name, (epochs, dice)), (colour, dash) in zip(runs.items(), styles, strict=False):
        percent = [100 * value for value in dice]
        best = max(range(len(dice)), key=dice.__getitem__)
        marker = "o" if len(dice) == 1 else None  # a line through one epoch is invisible
        axes.plot(epochs, percent, color=colour, linestyle=dash, linewidth=1.2, marker=marker, markersize=3, label=name)
        axes.plot(epochs[best], percent[best], "o", markersize=6, markerfacecolor="none", markeredgecolor=colour)
    bests = [100 * max(dice) for _, dice in runs.values()]
    axes.set_ylim(max(0, min(bests) - _SHOWN), min(100, max(bests) + 1))
    dress(axes, title, "epoch", "validation Dice, percent")
    figure.legend(loc="outside lower center", fontsize=TEXT_SIZE - 1, frameon=False, handlelength=3.2, ncols=1)
    return figure


def _in_words(runs: Mapping[str, tuple[Sequence[int], Sequence[float]]], title: str) -> str:
    parts = []
    for name, (epochs, dice) in runs.items():
        best = max(range(len(dice)), key=dice.__getitem__)
        parts.append(f"{name}: {len(dice)} epochs, best {100 * dice[best]:.2f} in epoch {epochs[best]}")
    return f"{title or 'Validation Dice, percent'}. {'; '.join(parts)}."
