"""What a night of training, or a day in one notebook, may gather: memory, open files, threads."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from fault_study import Study, Tally
from small_run import as_data, drawn_lesions, quietly, small_settings

from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.prediction import outline_lesion
from jaalnet_core.size import Size
from jaalnet_core.weights import save_weights

FULL_RUN = 16_200  # steps of 300 epochs of 859 pictures, 16 at a time
GROWTH = 8.0  # MB from the second quarter of a long run to its last that count as flat: the allocator breathes
WARMING = 0.25  # share of a run in which buffers, caches and imports still fill


@dataclass(frozen=True)
class Use:
    """What the process holds: resident memory in MB, open files and sockets, threads."""

    megabytes: float
    files: int
    threads: int


def use() -> Use:
    """What this process holds now, after rubbish was collected."""
    gc.collect()
    process = psutil.Process()
    return Use(process.memory_info().rss / 2**20, process.num_fds(), process.num_threads())


def judge(uses: list[Use], tries: int, what: str) -> Tally:
    """Flat or not: the median of the last quarter against that of the quarter after warming up."""
    tally = Tally()
    warm = uses[int(len(uses) * WARMING) :]
    quarter = max(1, len(warm) // 3)
    early, late = warm[:quarter], warm[-quarter:]
    growth = statistics.median(u.megabytes for u in late) - statistics.median(u.megabytes for u in early)
    files = max(u.files for u in late) - max(u.files for u in early)
    threads = max(u.threads for u in late) - max(u.threads for u in early)
    faults = [f"memory grew by {growth:.1f} MB"] if growth > GROWTH else []
    faults += [f"{files} more open files"] if files > 0 else []
    faults += [f"{threads} more threads"] if threads > 0 else []
    if faults:
        tally.broke(f"{tries} times {what}: {', '.join(faults)}")
    else:
        tally.outcomes[f"{what}: memory {growth:+.1f} MB, open files {files:+d}, threads {threads:+d}"] += tries
    return tally


def one_long_training(times: int, folder: Path, leak: Callable[[], object] = lambda: None) -> Tally:
    """So many steps of one run, with its checkpoints, logs and validation, measured after every epoch.

    Args:
        leak: called after every epoch; a test gives one that leaks.
    """
    steps = 54 if times >= 540 else max(1, times // 12)  # an epoch
    uses: list[Use] = []

    def measure(line: dict[str, float]) -> None:
        leak()
        uses.append(use())

    settings = small_settings(
        folder / "run",
        epochs=-(-times // steps),
        checkpoint_every=1 if steps < 54 else 10,
        keep_checkpoints=2,
        learning_rate=1e-4,
    )
    result = quietly(settings, as_data(drawn_lesions(2 * steps)), on_epoch=measure)
    if not result.finished:
        tally = Tally()
        tally.broke(f"stopped after {result.epochs} epochs")
        return tally
    return judge(uses, steps * settings.epochs, "steps")


def many_trainings(times: int, folder: Path, leak: Callable[[], object] = lambda: None) -> Tally:
    """Whole runs one after another in one process, as in a notebook."""
    data, uses = as_data(drawn_lesions(2)), []
    for number in range(times):
        quietly(small_settings(folder / f"{number}", epochs=1, recipe=("course", "published")[number % 2]), data)
        leak()
        uses.append(use())
    return judge(uses, times, "trainings")


def many_predictions(times: int, folder: Path, leak: Callable[[], object] = lambda: None) -> Tally:
    """Photographs of changing sizes outlined one after another, the weights opened each time as a notebook does."""
    weights = save_weights(build_lf_net("tiny"), folder / "weights.safetensors", Size(32, 32))
    random, uses = np.random.default_rng(7), []
    for _ in range(times):
        height, width = random.integers(16, 200, 2)
        picture = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        outline_lesion(weights, picture, flips=bool(height % 2))
        leak()
        uses.append(use())
    return judge(uses, times, "predictions")


FLAT = "memory, open files and threads stay flat after the first quarter"
STUDIES = [
    Study("Memory and processes", "Steps of one training with its checkpoints", FLAT, 48, FULL_RUN, one_long_training),
    Study("Memory and processes", "Trainings one after another in one process", FLAT, 6, 200, many_trainings),
    Study("Memory and processes", "Predictions one after another in one process", FLAT, 12, 1000, many_predictions),
]
