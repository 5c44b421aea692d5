"""What attention over N positions costs: memory kept for the backward pass, counted, and time, measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from jaalnet_core.attention import explicit_attention, fused_attention
from jaalnet_core.figures.style import BLUE, GREY, TEXT_SIZE, VERMILION, NotebookFigure, dress, new_figure

MEGABYTE = 1e6  # bytes, as in "67 MB"
_WAYS = {"explicit": (explicit_attention, VERMILION, "-"), "fused": (fused_attention, BLUE, "--")}


@dataclass(frozen=True)
class AttentionCost:
    """One way to compute attention over some number of positions.

    Attributes:
        way: `explicit` or `fused`.
        positions: N.
        kept_bytes: what autograd keeps for the backward pass; the same on every machine with this torch.
        seconds: fastest of the repetitions, forward and backward.
    """

    way: str
    positions: int
    kept_bytes: int
    seconds: float


def kept_for_backward(function: Callable[..., object], *inputs: Tensor) -> int:
    """Bytes that autograd holds on to between the forward and the backward pass of `function(*inputs)`.

    Storage that two operations share is counted once. At least one input must require gradients.
    """
    sizes: dict[int, int] = {}
    alive: list[Tensor] = []  # a freed tensor's address could be given away again, and hide the next one

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
        alive.append(tensor)
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        function(*inputs)
    return sum(sizes.values())


def measure_attention(
    sides: Sequence[int] = (8, 16, 32, 48), channels: int = 64, narrow: int = 8, repetitions: int = 3
) -> list[AttentionCost]:
    """Explicit and fused attention over maps of `side x side` positions, one picture, forward and backward.

    Args:
        channels, narrow: of the value, and of query and key; DA-Net `small` has 64 and 8.
        repetitions: timed runs of which the fastest counts.
    """
    costs = []
    for side in sides:
        positions = side * side
        query, key = (torch.randn(1, positions, narrow, requires_grad=True) for _ in range(2))
        value = torch.randn(1, positions, channels, requires_grad=True)
        for way, (attend, _colour, _dash) in _WAYS.items():
            kept = kept_for_backward(attend, query, key, value)
            seconds = min(_timed(attend, query, key, value) for _ in range(repetitions))
            costs.append(AttentionCost(way, positions, kept, seconds))
    return costs


def attention_cost_figure(costs: Sequence[AttentionCost]) -> NotebookFigure:
    """Memory (left) and time (right) against the number of positions, both axes in powers; `alt` gives the last row."""
    figure = new_figure(6.4, 2.6)
    memory, duration = figure.subplots(1, 2)
    words = []
    for way, (_attend, colour, dash) in _WAYS.items():
        own = [cost for cost in costs if cost.way == way]
        positions = [cost.positions for cost in own]
        style = {"color": colour, "linestyle": dash, "marker": "o", "markersize": 3.5, "linewidth": 1.4, "label": way}
        memory.plot(positions, [cost.kept_bytes / MEGABYTE for cost in own], **style)
        duration.plot(positions, [1000 * cost.seconds for cost in own], **style)
        last = own[-1]
        words.append(f"{way}: {last.kept_bytes / MEGABYTE:.1f} MB and {1000 * last.seconds:.0f} ms")
    counted = sorted({cost.positions for cost in costs})
    memory.plot(
        counted,
        [4 * n * n / MEGABYTE for n in counted],
        color=GREY,
        linestyle=":",
        linewidth=1,
        label="N x N x 4 bytes",
    )
    for axes, title, unit in ((memory, "kept for the backward pass", "MB"), (duration, "forward and backward", "ms")):
        over_positions(axes, counted, [str(n) for n in counted])
        dress(axes, title, "positions N", unit)
    memory.legend(fontsize=TEXT_SIZE - 1, frameon=False)
    figure.alt = f"Cost of attention against the number of positions. At {counted[-1]} positions {'; '.join(words)}."
    return figure


def over_positions(axes: Axes, counted: Sequence[int], names: Sequence[str]) -> None:
    """Both scales logarithmic, a tick with its name at every number of positions that was measured."""
    axes.set(xscale="log", yscale="log")
    axes.set_xticks(counted, names)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()


def _timed(attend: Callable[..., Tensor], *inputs: Tensor) -> float:
    started = time.perf_counter()
    attend(*inputs).sum().backward()
    return time.perf_counter() - started
