"""Training curves from a run's `log.csv`: what each loss did, what D thought, and what it brought."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaalnet_core.errors import DataError
from jaalnet_core.figures.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    TEXT_SIZE,
    VERMILION,
    dress,
    new_figure,
)
from jaalnet_core.run_log import read_epochs

# column of the log: name in the legend, colour, dash pattern
_LOSSES = {
    "g_loss": ("total", BLACK, "-"),
    "region": ("region", BLUE, (0, (5, 1.5))),
    "contour": ("contour, unweighted", VERMILION, (0, (1.5, 1.5))),
}
_ADVERSARIAL = {
    "d_loss": ("DA-Net", ORANGE, "-"),
    "adversarial": ("LF-Net (adversarial part)", BLUE, (0, (5, 1.5))),
}
_OPINION = {
    "d_real": ("real pairs", GREEN, "-"),
    "d_fake": ("fake pairs", VERMILION, (0, (5, 1.5))),
}
_VALIDATION = {
    "validation_dice": ("Dice", BLUE, "-"),
    "validation_iou": ("IoU", ORANGE, (0, (5, 1.5))),
}


def read_log(path: Path) -> dict[str, np.ndarray]:
    """Read a run's `log.csv`: a float64 array a column, with nan where a cell is empty or no number.

    Raises:
        DataError: the file is missing, has no column `epoch`, or no row.
    """
    rows = read_epochs(path)
    if not rows:
        raise DataError(f"{path}: found no epoch to draw, expected the log.csv of a run that finished at least one.")
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def training_curves(log: Path | Mapping[str, np.ndarray], *, title: str = "") -> Figure:
    """Four small panels over the epochs: LF-Net's losses, the adversarial pair, D's opinion, validation.

    A column that the run did not fill (the discriminator of a non-adversarial run) leaves a sentence in its
    panel instead of an empty grid.

    Args:
        log: a `log.csv`, or what `read_log` made of it.
        title: a line above the panels, such as the run's name.

    Returns:
        The figure; `.alt` is `curves_in_words`.
    """
    columns = log if isinstance(log, Mapping) else read_log(log)
    figure = new_figure(6.4, 4.2, alt=curves_in_words(columns, title))
    panels = figure.subplots(2, 2, sharex=True)
    _lines(panels[0, 0], columns, _LOSSES, "LF-Net's losses")
    _lines(panels[0, 1], columns, _ADVERSARIAL, "Losses of the two opponents")
    _lines(panels[1, 0], columns, _OPINION, "DA-Net: how real is it?", "opinion, 0 to 1")
    _lines(panels[1, 1], columns, _VALIDATION, "Validation, per image")
    if panels[0, 0].lines:
        _logarithmic_where_wide(panels[0, 0])
    if panels[1, 0].lines:
        panels[1, 0].axhline(0.5, color=GREY, linewidth=0.8, zorder=0)
        panels[1, 0].set_ylim(-0.02, 1.02)
    if panels[1, 1].lines:
        _mark_best(panels[1, 1], columns)
    for axes in panels[1]:
        axes.set_xlabel("epoch", fontsize=TEXT_SIZE)
    if title:
        figure.suptitle(title, fontsize=TEXT_SIZE + 2, x=0.01, ha="left")
    return figure


def curves_in_words(columns: Mapping[str, np.ndarray], title: str = "") -> str:
    """What the panels show from the first epoch to the last, in words; quantities without values are left out.

    Args:
        columns: as `read_log` returns them.
        title: such as the run's name; put in front.
    """
    parts = [f"{title or 'Training curves'}, {len(columns['epoch'])} epochs"]
    said = {
        "region": "region loss",
        "adversarial": "LF-Net's adversarial loss",
        "d_real": "DA-Net's opinion of real pairs",
        "d_fake": "of fake pairs",
        "validation_dice": "validation Dice",
    }
    for name, words in said.items():
        values = columns.get(name, np.array([]))
        known = values[np.isfinite(values)]
        if len(known):
            parts.append(f"{words} from {known[0]:.2f} to {known[-1]:.2f}")
    return "; ".join(parts) + "."


def _lines(axes: Axes, columns: Mapping[str, np.ndarray], wanted: dict[str, tuple], title: str, y: str = "") -> None:
    epochs = columns["epoch"]
    for name, (label, colour, dashes) in wanted.items():
        values = columns.get(name)
        if values is None or not np.isfinite(values).any():
            continue
        known = np.isfinite(values)  # a metric measured every few epochs is one line, not loose dots
        marker = "o" if known.sum() < 4 else None  # a line through one epoch is invisible
        axes.plot(
            epochs[known],
            values[known],
            color=colour,
            linestyle=dashes,
            linewidth=1.4,
            marker=marker,
            markersize=3,
            label=label,
        )
    dress(axes, title, y=y)
    axes.xaxis.get_major_locator().set_params(integer=True)
    if len(epochs) == 1:  # without this the axis would zoom into fractions of an epoch
        axes.set_xlim(epochs[0] - 1, epochs[0] + 1)
    if axes.lines:
        _legend(axes)
    else:
        axes.set_ylabel("")
        axes.text(
            0.5,
            0.5,
            "not part of this run",
            ha="center",
            va="center",
            fontsize=TEXT_SIZE,
            color=GREY,
            transform=axes.transAxes,
        )
        axes.set_yticks([])


def _logarithmic_where_wide(axes: Axes) -> None:
    """A log scale where the lines span a factor of 30 and more: the small ones would lie on the axis."""
    values = np.concatenate([line.get_ydata() for line in axes.lines])
    if values.min() > 0 and values.max() > 30 * values.min():
        axes.set_yscale("log")


def _mark_best(axes: Axes, columns: Mapping[str, np.ndarray]) -> None:
    """A ring on the epoch whose weights became `best.safetensors`."""
    dice = columns.get("validation_dice")
    if dice is None or not np.isfinite(dice).any():
        return
    best = int(np.nanargmax(dice))
    axes.plot(
        columns["epoch"][best],
        dice[best],
        marker="o",
        markersize=6,
        markerfacecolor="none",
        markeredgecolor=BLACK,
        linestyle="none",
        label=f"best: {dice[best]:.3f}, epoch {columns['epoch'][best]:.0f}",
    )
    _legend(axes)


def _legend(axes: Axes) -> None:
    """One row between title and panel: inside, it lies over a line sooner or later."""
    axes.set_title(axes.get_title(loc="left"), fontsize=TEXT_SIZE + 1, loc="left", pad=18)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.02, 0.98),
        ncols=3,
        fontsize=TEXT_SIZE - 1,
        handlelength=2.2,
        columnspacing=1.2,
        frameon=False,
        borderpad=0.2,
        borderaxespad=0.0,
    )
