"""Figures of where DA-Net's position attention looks: one pixel for the widget, three for the page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from jaalnet_core.da_net import STRIDE
from jaalnet_core.figures.style import TEXT_SIZE, VERMILION, NotebookFigure, new_figure
from jaalnet_core.position_maps import Look, Pixel, PositionMaps, in_words, look_from, telling_pixels


def look_figure(maps: PositionMaps, pixel: Pixel) -> NotebookFigure:
    """The attention map of one pixel, and how it differs from the average map; `alt` says both in words."""
    look = look_from(maps, pixel)
    figure = new_figure(5.2, 2.5, alt=in_words(look))
    figure.set_layout_engine(None)  # margins by hand: arranging them takes half of the time between click and map
    figure.subplots_adjust(left=0.01, right=0.94, bottom=0.02, top=0.9, wspace=0.12)
    left, right = figure.subplots(1, 2)
    _draw_weights(left, maps, look, "attention of this position", colourbar=True)
    _draw_difference(right, maps, look, "minus the average map", colourbar=True)
    for axes in (left, right):
        _draw_cross(axes, pixel)
    return figure


def three_looks_figure(maps: PositionMaps, pixels: Sequence[Pixel] | None = None) -> NotebookFigure:
    """Above: the picture with three crosses and their maps. Below: the mask, and the maps minus the average map.

    Args:
        pixels: three of them (row, column); by default `telling_pixels` of the mask.
    """
    pixels = telling_pixels(maps.mask) if pixels is None else pixels
    looks = [look_from(maps, pixel) for pixel in pixels]
    highest = max(look.map.max() for look in looks) * looks[0].map.size
    widest = max(np.abs(look.difference).max() for look in looks) * looks[0].map.size
    figure = new_figure(6.4, 3.5, alt=" ".join(f"{i}: {in_words(look)}" for i, look in enumerate(looks, 1)))
    (photograph, *above), (mask, *below) = figure.subplots(2, 4)
    for axes, shown, title in ((photograph, maps.picture, "picture"), (mask, maps.mask, "mask shown with it")):
        axes.imshow(shown, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        _plain(axes, title)
    for number, (pixel, look, axes, lower) in enumerate(zip(pixels, looks, above, below, strict=True), start=1):
        _draw_cross(photograph, pixel, str(number))
        last = number == len(looks)
        _draw_weights(axes, maps, look, f"{number}: attention", highest, colourbar=last)
        _draw_difference(lower, maps, look, f"{number}: minus average", widest, colourbar=last)
        _draw_cross(axes, pixel)
        _draw_cross(lower, pixel)
    return figure


def _draw_weights(
    axes: Axes, maps: PositionMaps, look: Look, title: str, highest: float | None = None, *, colourbar: bool = False
) -> None:
    """Weights as multiples of an even share, so that pictures of any size read alike."""
    _draw_map(axes, maps, look.map * look.map.size, title, "viridis", (0, highest), colourbar)


def _draw_difference(
    axes: Axes, maps: PositionMaps, look: Look, title: str, widest: float | None = None, *, colourbar: bool = False
) -> None:
    values = look.difference * look.map.size
    widest = widest or max(float(np.abs(values).max()), 1e-9)
    _draw_map(axes, maps, values, title, "RdBu_r", (-widest, widest), colourbar)


def _draw_map(
    axes: Axes,
    maps: PositionMaps,
    values: np.ndarray,
    title: str,
    colours: str,
    limits: tuple[float, float | None],
    colourbar: bool,
) -> None:
    rows, columns = (STRIDE * count for count in maps.grid)
    drawn = axes.imshow(
        values, cmap=colours, vmin=limits[0], vmax=limits[1], extent=(-0.5, columns - 0.5, rows - 0.5, -0.5)
    )
    if maps.mask.min() < 0.5 < maps.mask.max():
        axes.contour(maps.mask, levels=[0.5], colors="white" if colours == "viridis" else "black", linewidths=0.8)
    height, width = maps.mask.shape
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    _plain(axes, title)
    if colourbar:
        bar = axes.figure.colorbar(drawn, ax=axes, shrink=0.8, pad=0.02)
        bar.ax.tick_params(labelsize=TEXT_SIZE - 1, length=2)


def _draw_cross(axes: Axes, pixel: Pixel, label: str = "") -> None:
    row, column = pixel
    axes.plot(column, row, "+", color="white", markersize=11, markeredgewidth=3.5)
    axes.plot(column, row, "+", color=VERMILION, markersize=9, markeredgewidth=1.5)
    if label:
        axes.annotate(
            label, (column, row), xytext=(5, 5), textcoords="offset points", fontsize=TEXT_SIZE, color="black",
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "linewidth": 0},
        )  # fmt: skip


def _plain(axes: Axes, title: str) -> None:
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=TEXT_SIZE)
