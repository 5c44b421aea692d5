"""Each change that was made to the training step for speed: undone and done, in turns, in one run.

A change stays in this list with the way it was done before, so that its worth can be measured again, and so that a
test can show that the numbers did not change.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import torch
from torch import Tensor

from jaalnet_core.attention import ChannelGate
from jaalnet_core.benchmark import build_subject, machine
from jaalnet_core.benchmark_settings import BenchmarkSettings


@dataclass(frozen=True)
class Change:
    """One change.

    Attributes:
        name: what was changed, in a few words.
        why: what was seen in the profile.
        predicted: the gain in speed, percent, written before it was measured.
        undone: within it, things are done as they were before.
    """

    name: str
    why: str
    predicted: float
    undone: Callable[[], Any]


def _gate_by_amax(self: ChannelGate, features: Tensor) -> Tensor:
    """`ChannelGate.gate` as it was: `amax` searches the map for its maximum again on the way back."""
    average = self.mlp(features.mean(dim=(2, 3)))
    maximum = self.mlp(features.amax(dim=(2, 3)))
    return torch.sigmoid(average + maximum)[:, :, None, None]


@contextmanager
def gate_by_amax() -> Iterator[None]:
    """Within it, channel gates take their maxima by `amax`."""
    with mock.patch.object(ChannelGate, "gate", _gate_by_amax):
        yield


CHANGES = (
    Change(
        name="channel gate: the maximum remembers its place",
        why="`amax` compares the whole map with its maximum on the way back and sums the comparison as 64-bit integers",
        predicted=8,
        undone=gate_by_amax,
    ),
)


def measure_changes(settings: BenchmarkSettings) -> dict[str, Any]:
    """The adversarial step with each of `CHANGES` undone and done, in turns.

    Returns:
        `changes`: `name`, `why`, `predicted` (percent), `before` and `after` (images a second, median), and `gain`
        (percent; median over the rounds, each a pair of steps next to one another); the settings and the machine.
    """
    step = build_subject(settings, "step")
    rows = []
    for change in CHANGES:
        before, after = [], []
        for turn in range(settings.rounds + 1):
            with change.undone():
                undone = _speed(step.work, settings.batch_size)
            done = _speed(step.work, settings.batch_size)
            if turn:  # the first warms up
                before.append(undone)
                after.append(done)
        gains = [100 * (done / undone - 1) for undone, done in zip(before, after, strict=True)]
        rows.append(
            {
                "name": change.name,
                "why": change.why,
                "predicted": change.predicted,
                "before": statistics.median(before),
                "after": statistics.median(after),
                "gain": statistics.median(gains),
            }
        )
    about = {"preset": settings.preset, "batch_size": settings.batch_size, "rounds": settings.rounds, **machine()}
    return {"of": "changes", "changes": rows, **about}


def _speed(work: Callable[[], object], pictures: int) -> float:
    started = time.perf_counter()
    work()
    return pictures / (time.perf_counter() - started)
