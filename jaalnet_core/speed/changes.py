"""Each change that was made to the training step for speed: undone and done, in turns, in one run.

A change stays in this list with the way it was done before, so that its worth can be measured again, and so that a
test can show that the numbers did not change.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from jaalnet_core.benchmark import build_subject, machine, train_settings
from jaalnet_core.benchmark_settings import BenchmarkSettings
from jaalnet_core.speed.before import (
    augmented_one_by_one,
    dilated_gradients_by_general_kernels,
    gate_by_amax,
    norms_by_single_operations,
    norms_of_few_channels_by_general_kernels,
    not_compiled,
    optimisers_by_single_weights,
)
from jaalnet_core.speed.random_lesions import random_lesions
from jaalnet_core.training.batches import open_batches
from jaalnet_core.training.run import build_run
from jaalnet_core.training.without_waiting import random_batch, step_without_waiting

Work = Callable[[], object]


@dataclass(frozen=True)
class Change:
    """One change.

    Attributes:
        name: what was changed, in a few words.
        why: what was seen before.
        predicted: the gain in speed, percent, from what was known before it was measured.
        undone: within it, things are done as they were before.
        subject: what makes the work that is timed, a step of `batch_size` pictures.
    """

    name: str
    why: str
    predicted: float
    undone: Callable[[], Any]
    subject: Callable[[BenchmarkSettings], Work]


def adversarial_step(settings: BenchmarkSettings) -> Work:
    """The whole step on random pictures that lie ready."""
    return build_subject(settings, "step").work


def step_of_many(settings: BenchmarkSettings) -> Work:
    """The step of one process among several, that does not wait for the others."""
    return step_without_waiting(train_settings(settings), settings.batch_size)


def step_with_augmentation(settings: BenchmarkSettings) -> Work:
    """The step, and before it the augmentation of its pictures."""
    chosen = train_settings(settings, augment_on="device")
    lesions, run = random_lesions(settings.batch_size, settings.size), build_run(chosen)

    def work() -> None:
        for batch, its_masks in open_batches(lesions, chosen, run.processes)(0, 0):
            run.step(batch.contiguous(memory_format=torch.channels_last), its_masks)

    return work


def compiled_step(settings: BenchmarkSettings) -> Work:
    """The step with both networks compiled."""
    run = build_run(train_settings(settings, compile=True))
    images, masks = random_batch(settings.batch_size, settings.size)
    return lambda: run.step(images, masks)


CHANGES = (
    Change(
        name="dilated depthwise convolutions: gradients by the kernels of undilated ones",
        why="a CPU's fast kernels for these gradients know no dilation, and general ones take their place",
        predicted=25,
        undone=dilated_gradients_by_general_kernels,
        subject=adversarial_step,
    ),
    Change(
        name="batch norms of few channels: several pixels pass for one",
        why="two threads add up into one cache line and take it away from each other: slower than one thread",
        predicted=3,
        undone=norms_of_few_channels_by_general_kernels,
        subject=adversarial_step,
    ),
    Change(
        name="optimisers: all weights in each operation",
        why="a dozen operations for each of hundreds of tensors: 40 ms of a step, 23 if each takes all tensors",
        predicted=0.7,
        undone=optimisers_by_single_weights,
        subject=adversarial_step,
    ),
    Change(
        name="channel gate: the maximum remembers its place",
        why="`amax` compares the whole map with its maximum on the way back and sums the comparison as 64-bit integers",
        predicted=8,
        undone=gate_by_amax,
        subject=adversarial_step,
    ),
    Change(
        name="many processes: shared batch norms by PyTorch's own kernels",
        why="the step of one among several took 49 % longer than alone, before any waiting: the gain can be no more",
        predicted=49,
        undone=norms_by_single_operations,
        subject=step_of_many,
    ),
    Change(
        name="`--augment-on device`: a batch augmented at once",
        why="about 2 ms a picture, one after another",
        predicted=4,
        undone=augmented_one_by_one,
        subject=step_with_augmentation,
    ),
    Change(
        name="`--compile`: both networks compiled",
        why="the layers at full size wait for memory: fused, they read it less often",
        predicted=9,
        undone=not_compiled,
        subject=compiled_step,
    ),
)


def measure_changes(settings: BenchmarkSettings) -> dict[str, Any]:
    """The step with each of `CHANGES` undone and done, in turns.

    Returns:
        `changes`: `name`, `why`, `predicted` (percent), `before` and `after` (images a second, median), and `gain`
        (percent; median over the rounds, each a pair of steps next to one another), with its `gain_range`; the settings
        and the machine.
    """
    rows = []
    for change in CHANGES:
        work, before, after = change.subject(settings), [], []
        for turn in range(settings.rounds + 1):
            with change.undone():
                undone = _speed(work, settings.batch_size)
            done = _speed(work, settings.batch_size)
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
                "gain_range": [min(gains), max(gains)],
            }
        )
    about = {"preset": settings.preset, "batch_size": settings.batch_size, "rounds": settings.rounds, **machine()}
    return {"of": "changes", "changes": rows, **about}


def _speed(work: Work, pictures: int) -> float:
    started = time.perf_counter()
    work()
    return pictures / (time.perf_counter() - started)
