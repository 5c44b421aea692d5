"""Whole epochs of a training, as `jaalnet train` runs them: batches, steps, validation and files together.

On a GPU this is the measure of a whole run: its length, and the arithmetic it reaches beside what the card multiplies
in one large matrix product.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from jaalnet_core.benchmark import count, machine, train_settings
from jaalnet_core.benchmark_settings import BenchmarkSettings
from jaalnet_core.data.source import LesionData, open_data
from jaalnet_core.speed.rates import arithmetic_rate
from jaalnet_core.training import train
from jaalnet_core.training.run import Run


def measure_epochs(settings: BenchmarkSettings, data: LesionData | None = None) -> dict[str, Any]:
    """Seconds of the epochs of a training on the data set.

    Args:
        data: pictures in memory; None opens the data set.

    Returns:
        `whole`: seconds from the first epoch's start to the run's last file; `first`: seconds of the first epoch, which
        prepares and, where asked for, compiles; `seconds`: of an epoch after it (median; the first where it is the
        only one), with its `seconds_range`, and of them `learning` (steps) and `validating` (medians; the rest makes
        batches and files); `images_per_second`; `gflop_per_second` and `matrix_gflop_per_second`: arithmetic while
        learning, and of a large matrix product in the same precision; the settings, the pictures and the machine.
    """
    data = data if data is not None else open_data(None, settings.size)
    watch = _Watch()
    with tempfile.TemporaryDirectory() as folder:
        chosen = train_settings(
            settings,
            epochs=settings.epochs,
            out=Path(folder) / "run",
            compile=settings.compile,
        )
        result = train(chosen, data=data, on_epoch=watch.epoch_ended, on_step=watch.step_ended, say=watch.said)
        if not result.finished:
            raise KeyboardInterrupt
        whole = time.perf_counter() - watch.started
    later = watch.epochs[1:] or watch.epochs
    seconds = [epoch["seconds"] for epoch in later]
    learning = statistics.median(epoch["learning"] for epoch in later)
    a_picture = count(settings, "step")["gflop_per_image"]
    precision = torch.bfloat16 if watch.device.type == "cuda" else torch.float32
    return {
        "of": "epoch",
        "whole": whole,
        "first": watch.epochs[0]["seconds"],
        "seconds": statistics.median(seconds),
        "seconds_range": [min(seconds), max(seconds)],
        "learning": learning,
        "validating": statistics.median(epoch["validating"] for epoch in later),
        "images_per_second": len(data.train) / statistics.median(seconds),
        "gflop_per_second": a_picture * len(data.train) / learning,
        "matrix_gflop_per_second": arithmetic_rate(watch.device, precision) / 1e9,
        "data": data.name,
        "learnt_from": len(data.train),
        "validation": len(data.validation),
        "preset": settings.preset,
        "size": list(settings.size),
        "batch_size": settings.batch_size,
        "epochs": settings.epochs,
        "compile": settings.compile,
        "device": _device_name(watch.device),
        **machine(),
    }


class _Watch:
    """Hears from a training when steps and epochs end."""

    def __init__(self) -> None:
        self.started = self.epoch_started = time.perf_counter()
        self.epochs: list[dict[str, float]] = []
        self.device = torch.device("cpu")
        self.seconds_before = self.seconds_of_steps = 0.0  # on the run's own clock, which counts steps and validation

    def said(self, _words: str) -> None:
        """The run's last words before its first step: what opened data and folder is no part of an epoch."""
        if not self.seconds_of_steps:
            self.started = self.epoch_started = time.perf_counter()

    def step_ended(self, run: Run, _steps: int) -> None:
        self.device, self.seconds_of_steps = run.fabric.device, run.progress.seconds

    def epoch_ended(self, line: Mapping[str, float]) -> None:
        now = time.perf_counter()
        self.epochs.append(
            {
                "seconds": now - self.epoch_started,
                "learning": self.seconds_of_steps - self.seconds_before,
                "validating": line["seconds"] - self.seconds_of_steps,
            }
        )
        self.epoch_started, self.seconds_before = now, line["seconds"]


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
