"""Tiny maps with their numbers written in: what fits on the screen can be checked by head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from jaalnet_core.figures.panels import as_picture
from jaalnet_core.figures.style import TEXT_SIZE, NotebookFigure, new_figure

_WIDEST = 6.4  # inches
_LARGEST_CELL = 0.3
_SMALLEST_CELL = 0.17
_FILLED, _LETTER = 0.85, 0.62  # how much of a square a number may fill; a digit's width as a share of its height
_MOST_CELLS = 36  # across the whole figure, so that the numbers stay readable


def number_grid(
    maps: Sequence[np.ndarray | Tensor],
    titles: Sequence[str],
    *,
    alt: str,
    columns: int | None = None,
    decimals: int = 0,
) -> NotebookFigure:
    """Small maps side by side, each value written in its square; the larger its size, the darker the square.

    Zeros are written faintly, so that the others stand out. Each map has its own scale.

    Args:
        maps: `(H, W)`, any type; tensors may bring leading axes of 1.
        titles: one a map.
        alt: what is to be seen, in words.
        columns: maps a row; all by default.
        decimals: places after the point.

    Raises:
        ValueError: no map, counts that differ, no `(H, W)` map, or too many squares in a row to be read.
    """
    if not len(maps) or len(maps) != len(titles):
        raise ValueError(f"found {len(maps)} maps and {len(titles)} titles, expected at least one, and as many.")
    arrays = [as_picture(values).astype(float) for values in maps]
    if odd := [array.shape for array in arrays if array.ndim != 2]:
        raise ValueError(f"maps: found shape {odd[0]}, expected (H, W).")
    columns = min(columns or len(arrays), len(arrays))
    widest = max(array.shape[1] for array in arrays)
    if columns * widest > _MOST_CELLS:
        raise ValueError(f"maps: found {columns * widest} squares in a row, expected at most {_MOST_CELLS}.")
    rows = -(-len(arrays) // columns)
    cell = min(max((_WIDEST - 0.2 * columns) / (columns * widest), _SMALLEST_CELL), _LARGEST_CELL)
    height = cell * max(array.shape[0] for array in arrays) + 0.3
    figure = new_figure(max(columns * (widest * cell + 0.2), 2.4), rows * height, alt=alt)
    grid = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in grid:
        axes.set_axis_off()
    for axes, array, title in zip(grid, arrays, titles, strict=False):
        darkest = max(np.abs(array).max(), 1e-12)
        axes.imshow(np.abs(array), cmap="Greys", vmin=0, vmax=1.6 * darkest, interpolation="nearest")
        axes.set_title(title, fontsize=TEXT_SIZE)
        for (y, x), value in np.ndenumerate(array):
            written = f"{value + 0.0:.{decimals}f}"
            colour = "black" if value else "0.75"
            size = min(TEXT_SIZE, 72 * cell * _FILLED / (_LETTER * len(written)))
            axes.text(x, y, written, ha="center", va="center", fontsize=size, color=colour)
    return figure
