"""Pictures, masks and maps side by side: the plainest figure of the course."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from jaalnet_core.figures.style import TEXT_SIZE, NotebookFigure, new_figure

Picture = np.ndarray | Tensor
_WIDEST = 6.4  # inches
_LARGEST_CELL = 2.1


def picture_row(
    images: Sequence[Picture],
    titles: Sequence[str],
    *,
    alt: str,
    cmap: str | None = None,
    limits: tuple[float, float] | None = None,
    columns: int | None = None,
    colourbar: bool = False,
) -> NotebookFigure:
    """Photographs, masks and maps in a row, or in rows of `columns`, each under its title.

    Args:
        images: `(H, W, 3)` RGB, uint8 or float in 0..1, or `(H, W)` of any type; tensors may bring a leading axis of 1.
        titles: one an image; empty strings are fine.
        alt: what is to be seen, in words.
        cmap: matplotlib's name for `(H, W)` images; by default grey for masks and bytes, `viridis` for values.
        limits: lowest and highest value of the colour map; by default each image's own.
        columns: images a row; all by default.
        colourbar: show the scale of each `(H, W)` image.

    Raises:
        ValueError: no image, counts that differ, or a shape that is no picture.
    """
    if not images or len(images) != len(titles):
        raise ValueError(f"found {len(images)} images and {len(titles)} titles, expected at least one, and as many.")
    arrays = [as_picture(image) for image in images]
    columns = min(columns or len(arrays), len(arrays))
    rows = -(-len(arrays) // columns)
    cell = min(_WIDEST / columns, _LARGEST_CELL)
    tallest = max(array.shape[0] / array.shape[1] for array in arrays)
    lines = max(title.count("\n") + 1 for title in titles)
    figure = new_figure(max(columns * cell, 2.4), rows * (cell * tallest + 0.08 + 0.16 * lines), alt=alt)
    for axes in (grid := list(figure.subplots(rows, columns, squeeze=False).flat)):
        axes.set(xticks=[], yticks=[])
        axes.set_frame_on(False)
    for axes, array, title in zip(grid, arrays, titles, strict=False):
        low, high = limits or (None, None)
        flat = array.ndim == 2
        drawn = axes.imshow(
            array,
            cmap=(cmap or _usual_map(array)) if flat else None,
            vmin=low if flat else None,
            vmax=high if flat else None,
            interpolation="nearest",
        )
        axes.set_title(title, fontsize=TEXT_SIZE)
        if colourbar and flat:
            bar = figure.colorbar(drawn, ax=axes, shrink=0.8, pad=0.02)
            bar.ax.tick_params(labelsize=TEXT_SIZE - 1, length=2)
    return figure


def as_picture(image: Picture) -> np.ndarray:
    """`(H, W, 3)` or `(H, W)` from an array or tensor in any usual order of axes; booleans become 0 and 1.

    Raises:
        ValueError: a shape that is neither a photograph nor a map.
    """
    array = image.detach().cpu().numpy() if isinstance(image, Tensor) else np.asarray(image)
    shape = array.shape
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 3 and array.shape[0] == 3 and array.shape[2] != 3:  # channels first, as networks want it
        array = array.transpose(1, 2, 0)
    if array.ndim != 2 and (array.ndim != 3 or array.shape[2] != 3):
        raise ValueError(f"image: found shape {shape}, expected (H, W), (H, W, 3) or (3, H, W).")
    if array.ndim == 3 and array.dtype != np.uint8:
        array = array.clip(0, 1)
    return array.astype(np.uint8) if array.dtype == bool else array


def _usual_map(array: np.ndarray) -> str:
    return "gray" if array.dtype == np.uint8 or set(np.unique(array[:64])) <= {0, 1} else "viridis"
