"""Position attention against the number of positions: time and memory, with the matrix stored and without it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from jaalnet_core.attention import explicit_attention, fused_attention
from jaalnet_core.benchmark import machine
from jaalnet_core.benchmark_settings import BenchmarkSettings
from jaalnet_core.figures.attention_growth import WAYS
from jaalnet_core.peak_memory import in_fresh_process, peak_of

SIDES = (16, 32, 64, 96, 128)
LARGEST_EXPLICIT = 96 * 96  # positions: beyond, the matrices of one picture take several gigabytes
CHANNELS, NARROW = 64, 8  # of the value, and of query and key: DA-Net `small`
COMPARED = 64 * 64  # positions up to which both are computed to be compared
_ATTEND = dict(zip(WAYS, (explicit_attention, fused_attention), strict=True))


def measure_attention(settings: BenchmarkSettings, sides: Sequence[int] = SIDES) -> dict[str, Any]:
    """Forward and backward pass of attention over maps of `side x side` positions, one picture.

    Returns:
        `rows`: `way`, `positions`, `seconds` (median), `seconds_range`, `peak_mb` (in a process of its own, inputs and
        gradients included); `largest_difference`: between the two ways' outputs, relative to the largest output, over
        the sizes where both were computed; `channels`, `narrow` and the machine.
    """
    rows, differences = [], []
    for side in sides:
        positions = side * side
        for way in WAYS:
            if way == "explicit" and positions > LARGEST_EXPLICIT:
                continue
            peak = in_fresh_process(peak_with_gradient, way, positions, name=way, mend="close other programs")
            seconds = _seconds(way, positions, settings.rounds)
            rows.append(
                {
                    "way": way,
                    "positions": positions,
                    "seconds": statistics.median(seconds),
                    "seconds_range": [min(seconds), max(seconds)],
                    "peak_mb": peak,
                }
            )
        if positions <= COMPARED:
            differences.append(largest_difference(positions))
    about = {"channels": CHANNELS, "narrow": NARROW, "rounds": settings.rounds, **machine()}
    return {"of": "attention", "rows": rows, "largest_difference": max(differences, default=None), **about}


def peak_with_gradient(way: str, positions: int) -> float:
    """MB that a forward and a backward pass over so many positions take, above torch itself warmed up."""
    _learn(way, _inputs(64))
    return peak_of(lambda: _learn(way, _inputs(positions)))


def largest_difference(positions: int) -> float:
    """Between the two ways' outputs, as a fraction of the largest output."""
    with torch.no_grad():
        explicit, fused = (attend(*_inputs(positions)) for attend in _ATTEND.values())
    return float((explicit - fused).abs().max() / explicit.abs().max())


def _inputs(positions: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(positions)
    widths = (NARROW, NARROW, CHANNELS)
    return [torch.randn(1, positions, width, generator=generator).requires_grad_() for width in widths]


def _learn(way: str, inputs: Sequence[Tensor]) -> None:
    _ATTEND[way](*inputs).square().mean().backward()


def _seconds(way: str, positions: int, rounds: int) -> list[float]:
    inputs = _inputs(positions)
    taken = []
    for turn in range(rounds + 1):
        started = time.perf_counter()
        _learn(way, inputs)
        if turn:  # the first warms up
            taken.append(time.perf_counter() - started)
    return taken
