"""Measured time and memory of attention against the number of positions, with the matrix stored and without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jaalnet_core.figures.attention_cost import over_positions
from jaalnet_core.figures.style import BLUE, GREY, TEXT_SIZE, VERMILION, NotebookFigure, dress, new_figure

WAYS = ("explicit", "fused")
_LOOKS = {"explicit": (VERMILION, "-", "o"), "fused": (BLUE, "--", "s")}


def attention_growth_figure(rows: Sequence[Mapping[str, Any]]) -> NotebookFigure:
    """Memory (left) and time (right), both axes in powers.

    Args:
        rows: `way`, `positions`, `seconds` and `peak_mb`, as `jaalnet benchmark --of attention` writes them.
    """
    figure = new_figure(6.4, 2.8)
    memory, duration = figure.subplots(1, 2)
    words = []
    for way in WAYS:
        own = sorted((row for row in rows if row["way"] == way), key=lambda row: row["positions"])
        colour, dash, marker = _LOOKS[way]
        style = {"color": colour, "linestyle": dash, "marker": marker, "markersize": 3.5, "linewidth": 1.4}
        positions = [row["positions"] for row in own]
        memory.plot(positions, [row["peak_mb"] for row in own], label=way, **style)
        duration.plot(positions, [row["seconds"] for row in own], label=way, **style)
        last = own[-1]
        words.append(
            f"{way} at {last['positions']} positions: {last['peak_mb']:.0f} MB and {last['seconds']:.2g} seconds"
        )
    counted = sorted({row["positions"] for row in rows})
    matrix = [4 * count * count / 2**20 for count in counted]
    memory.plot(counted, matrix, color=GREY, linestyle=":", linewidth=1, label="one N x N matrix")
    for axes, title, unit in ((memory, "most memory", "MB"), (duration, "forward and backward", "seconds")):
        over_positions(axes, counted, [f"{round(count**0.5)}²" for count in counted])
        dress(axes, title, "positions N", unit)
    memory.legend(fontsize=TEXT_SIZE - 1, frameon=False)
    figure.alt = f"Time and memory of attention against the number of positions, one picture. {'; '.join(words)}."
    return figure
