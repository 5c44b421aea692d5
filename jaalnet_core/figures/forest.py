"""Estimates with their intervals, one below the other: the plot in which "undecided" can be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from jaalnet_core.figures.style import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    TEXT_SIZE,
    VERMILION,
    NotebookFigure,
    dress,
    new_figure,
)

_ROW = 0.27  # inches
_ABOVE = 0.25  # rows: the rings stand above their bar, so that neither hides the other


@dataclass(frozen=True)
class Estimate:
    """One row.

    Attributes:
        label: at the left.
        value: the estimate.
        low, high: the ends of its interval; both NaN or equal to `value` where there is none.
        dots: the single values that it is the mean of, such as one a seed.
    """

    label: str
    value: float
    low: float
    high: float
    dots: tuple[float, ...] = ()


def forest_plot(
    estimates: Sequence[Estimate],
    *,
    title: str,
    x: str,
    reference: float | None = None,
    reference_label: str = "",
    scale: float = 100.0,
) -> NotebookFigure:
    """One row an estimate, the first on top: a dot, a bar for the interval, rings for the single values.

    An interval that lies wholly beside the reference is drawn filled and thick; one that holds it is hollow and thin,
    so that what is decided shows without colours. The figure's `alt` says every row in words.

    Args:
        estimates: at least one.
        title, x: above the plot and below its axis.
        reference: a vertical line, such as 0 for differences.
        reference_label: what the line is, for the legend and the words.
        scale: values are drawn and told times this (100: fractions as percent).

    Raises:
        ValueError: there is no estimate.
    """
    if not estimates:
        raise ValueError("estimates: found none, expected at least one row.")
    figure = new_figure(6.2, 0.85 + _ROW * len(estimates))
    axes = figure.subplots()
    _rows(axes, estimates, reference, scale)
    dress(axes, title, x)
    if reference is not None and reference_label:
        axes.legend(axes.lines[:1], [reference_label], fontsize=TEXT_SIZE - 1, frameon=False, loc="best")
    figure.alt = f"{title} ({x}): {words(estimates, reference, reference_label, scale)}"
    return figure


def forest_panels(
    panels: Mapping[str, Sequence[Estimate]],
    *,
    references: Mapping[str, float] | None = None,
    reference_label: str = "",
    title: str = "",
    scale: float = 100.0,
) -> NotebookFigure:
    """The same rows in several panels side by side, such as one a metric, each with its own line of reference.

    Args:
        panels: title of the panel to its estimates; all have the same labels in the same order.
        references: title of a panel to the value of its vertical line.
        reference_label: what those lines are.
        title: above all.
        scale: values are drawn and told times this.

    Raises:
        ValueError: there is no panel, or their rows differ.
    """
    labels = [[one.label for one in estimates] for estimates in panels.values()]
    if not labels or any(one != labels[0] for one in labels):
        raise ValueError(f"panels: found rows {labels}, expected the same labels in each.")
    figure = new_figure(7.2, 1.25 + _ROW * len(labels[0]))
    all_axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    told = []
    for axes, (name, estimates) in zip(all_axes, panels.items(), strict=True):
        reference = (references or {}).get(name)
        _rows(axes, estimates, reference, scale)
        dress(axes, name)
        axes.locator_params(axis="x", nbins=3)
        told.append(f"{name}: {words(estimates, reference, reference_label, scale)}")
    if references and reference_label:
        line = all_axes[0].lines[0]
        figure.legend([line], [reference_label], loc="outside lower center", fontsize=TEXT_SIZE - 1, frameon=False)
    if title:
        figure.suptitle(title, fontsize=TEXT_SIZE + 2, x=0.01, ha="left")
    figure.alt = " ".join([f"{title}." if title else "", *told]).strip()
    return figure


def is_beside(estimate: Estimate, reference: float | None) -> bool:
    """Whether the interval lies wholly on one side of the reference: decided."""
    return reference is not None and not estimate.low <= reference <= estimate.high


def words(
    estimates: Sequence[Estimate], reference: float | None = None, reference_label: str = "", scale: float = 100.0
) -> str:
    """Every row as a clause, and on which side of the reference it lies."""
    said = []
    for one in estimates:
        clause = f"{one.label} {scale * one.value:.2f}"
        if one.high > one.low:
            clause += f" ({scale * one.low:.2f} to {scale * one.high:.2f})"
        if reference is not None:
            side = "above" if one.value > reference else "below"
            clause += f", {side}" if is_beside(one, reference) else ", not told apart"
        said.append(clause)
    if reference is not None:
        said.append(f"the line, {reference_label or 'reference'}, is at {scale * reference:.2f}")
    return "; ".join(said) + "."


def _rows(axes: Axes, estimates: Sequence[Estimate], reference: float | None, scale: float) -> None:
    if reference is not None:
        axes.axvline(scale * reference, color=VERMILION, linewidth=1.2, linestyle=(0, (5, 1.5)), zorder=1)
    for row, one in enumerate(estimates):
        decided = reference is None or is_beside(one, reference)
        axes.plot(
            [scale * one.low, scale * one.high],
            [row, row],
            color=BLUE if decided else GREY,
            linewidth=2.6 if decided else 1.2,
            solid_capstyle="butt",
            zorder=2,
        )
        axes.plot(
            [scale * dot for dot in one.dots],
            [row - _ABOVE] * len(one.dots),
            linestyle="none",
            marker="o",
            markersize=4.5,
            markerfacecolor="none",
            markeredgecolor=ORANGE,
            markeredgewidth=0.9,
            zorder=3,
        )
        axes.plot(
            scale * one.value,
            row,
            marker="D",
            markersize=4.5,
            markeredgecolor=BLACK,
            markerfacecolor=BLACK if decided else "white",
            linestyle="none",
            zorder=4,
        )
    axes.set_yticks(range(len(estimates)), [one.label for one in estimates])
    axes.set_ylim(len(estimates) - 0.5, -0.5)
