"""A training step beside another program on the same cores, by how long threads wait for each other busily."""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from typing import Any
from unittest import mock

from jaalnet_core import SPINS
from jaalnet_core.benchmark import build_subject, machine
from jaalnet_core.benchmark_settings import BenchmarkSettings
from jaalnet_core.errors import SettingsError
from jaalnet_core.peak_memory import in_fresh_process

WAITS = {"long": "300000", "short": SPINS}  # the first is what GNU OpenMP does by itself
COMPANIES = ("nothing", "a program busy with one thread", "a second training")
PATIENCE = 300.0  # seconds for another program to start


def measure_beside(settings: BenchmarkSettings) -> dict[str, Any]:
    """Seconds of a training step, alone and beside other programs that run all the while.

    Returns:
        `rows`: a row for each of `COMPANIES`, with `long` and `short`: median seconds and their range, `seconds_range`;
        the settings and the machine.

    Raises:
        SettingsError: a program did not start, or ended before it was measured.
    """
    rows = []
    for company in COMPANIES:
        row: dict[str, Any] = {"beside": company, "seconds_range": {}}
        for wait, spins in WAITS.items():
            with mock.patch.dict(os.environ, {"GOMP_SPINCOUNT": spins}), _company(company, settings):
                seconds = in_fresh_process(
                    step_seconds, settings, name="the training step", mend="choose a smaller --preset or --size"
                )
            row[wait] = statistics.median(seconds)
            row["seconds_range"][wait] = [min(seconds), max(seconds)]
        rows.append(row)
    about = {"preset": settings.preset, "size": list(settings.size), "batch_size": settings.batch_size}
    return {"of": "beside", "rows": rows, **about, "rounds": settings.rounds, **machine()}


def step_seconds(settings: BenchmarkSettings) -> list[float]:
    """Of each round, after one that warms up."""
    work, seconds = build_subject(settings, "step").work, []
    for _ in range(settings.rounds + 1):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return seconds[1:]


@contextmanager
def _company(company: str, settings: BenchmarkSettings) -> Iterator[None]:
    """Within it, the other program runs."""
    if company == "nothing":
        yield
        return
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_keep_company, args=(company, settings, ready), daemon=True)
    process.start()
    try:
        if not ready.wait(PATIENCE):
            raise SettingsError(f"{company}: did not start within {PATIENCE:.0f} s.")
        yield
        if process.exitcode is not None:
            raise SettingsError(f"{company}: ended (exit {process.exitcode}) before the step beside it was measured.")
    finally:
        process.kill()
        process.join()


def _keep_company(company: str, settings: BenchmarkSettings, ready: Event) -> None:
    """Never ends by itself."""
    work = build_subject(settings, "step").work if company == "a second training" else lambda: sum(range(10**6))
    work()
    ready.set()
    while True:
        work()
