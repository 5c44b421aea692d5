"""Multiplications of a plain convolution beside those of a depthwise and a pointwise one."""

from __future__ import annotations

import numpy as np

from jaalnet_core.convolution_cost import plain_cost, saving, separable_cost
from jaalnet_core.figures.style import BLUE, ORANGE, TEXT_SIZE, VERMILION, NotebookFigure, dress, new_figure

_MOST_CHANNELS = 512


def cost_figure(in_channels: int, out_channels: int, kernel_size: int = 3, side: int = 128) -> NotebookFigure:
    """Two bars, and how the saving grows with the channels; the figure's `alt` says all the numbers.

    Args:
        in_channels, out_channels, kernel_size: of the convolution.
        side: height and width of the map, in pixels.

    Raises:
        ValueError: a count below 1.
    """
    plain = plain_cost(in_channels, out_channels, kernel_size, pixels=side * side)
    apart = separable_cost(in_channels, out_channels, kernel_size, pixels=side * side)
    times = saving(in_channels, out_channels, kernel_size)
    figure = new_figure(6.4, 2.6)
    bars, curve = figure.subplots(1, 2, width_ratios=(3, 2))
    _draw_bars(bars, plain, apart)
    _draw_saving(curve, out_channels, kernel_size, times)
    figure.alt = (
        f"From {in_channels} to {out_channels} channels with a {kernel_size}x{kernel_size} kernel on {side}x{side} "
        f"pixels: plain {plain.multiplications / 1e6:.1f} million multiplications, depthwise {_millions(apart, 0):.1f} "
        f"million and pointwise {_millions(apart, 1):.1f} million; {times:.2f} times fewer."
        if times >= 1
        else f"From {in_channels} to {out_channels} channels with a {kernel_size}x{kernel_size} kernel on "
        f"{side}x{side} pixels: taken apart it costs {1 / times:.2f} times more, {apart.weights} multiplications a "
        f"pixel instead of {plain.weights}."
    )
    return figure


def _millions(cost, part: int) -> float:
    return (cost.depthwise, cost.mixing)[part] * cost.pixels / 1e6


def _draw_bars(axes, plain, apart) -> None:
    dress(axes, "cost of one layer", "million multiplications")
    axes.barh(["plain"], [_millions(plain, 1)], color=BLUE)
    depthwise, pointwise = _millions(apart, 0), _millions(apart, 1)
    axes.barh(["DDSConv"], [depthwise], color=VERMILION, hatch="///", edgecolor="white", label="depthwise")
    axes.barh(["DDSConv"], [pointwise], left=[depthwise], color=ORANGE, label="pointwise")
    axes.invert_yaxis()
    axes.tick_params(axis="y", labelsize=TEXT_SIZE)
    axes.legend(fontsize=TEXT_SIZE - 1, frameon=False, loc="lower right")


def _draw_saving(axes, out_channels: int, kernel_size: int, times: float) -> None:
    dress(axes, "times fewer", "channels made")
    channels = np.unique(np.geomspace(1, max(_MOST_CHANNELS, out_channels), 60).round()).astype(int)
    axes.plot(channels, [saving(1, int(count), kernel_size) for count in channels], color=BLUE)
    axes.plot([out_channels], [times], "o", color=VERMILION)
    axes.axhline(kernel_size**2, color="0.5", linestyle=":")
    axes.annotate(
        f"never beyond {kernel_size**2}",
        (channels[0], kernel_size**2),
        xytext=(2, -10),
        textcoords="offset points",
        fontsize=TEXT_SIZE - 1,
    )
    axes.set_xscale("log", base=2)
    axes.set_ylim(0, 1.08 * kernel_size**2)
