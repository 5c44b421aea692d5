"""Whether the changes for speed that round differently change scores: short trainings with them undone and done.

Both of a pair have the same seed, pictures, order and augmentation; rounding alone drives them apart. How far that may
go, the seeds tell, which differ by more.
"""

from __future__ import annotations

import statistics
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from jaalnet_core.benchmark import machine, train_settings
from jaalnet_core.benchmark_settings import BenchmarkSettings
from jaalnet_core.data.source import LesionData, open_data
from jaalnet_core.speed.before import all_that_rounds_differently
from jaalnet_core.training import TrainSettings, train

WAYS = {"before": all_that_rounds_differently, "after": nullcontext}


def measure_scores(settings: BenchmarkSettings, data: LesionData | None = None) -> dict[str, Any]:
    """Validation Dice of trainings with what rounds differently as it was before, and as it is now.

    Of the last epoch's averaged weights: no epoch is chosen.

    Args:
        data: pictures in memory; None opens the data set.

    Returns:
        `rows`: a seed's `before` and `after` (per-image Dice, 0..1) and the `seconds` of both; `difference`: after less
        before, mean over the seeds, with its standard error, `difference_error`, and `difference_range`;
        `spread_before`: standard deviation over the seeds (both None for one); the settings, the pictures and the
        machine.
    """
    data = data if data is not None else open_data(None, settings.size)
    return summary([_pair(settings, data, seed) for seed in settings.seeds]) | {
        "data": data.name,
        "learnt_from": min(settings.pictures, len(data.train)),
        "validation": len(data.validation),
        "preset": settings.preset,
        "size": list(settings.size),
        "batch_size": settings.batch_size,
        "epochs": settings.epochs,
        **machine(),
    }


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What the seeds' pairs say together; see `measure_scores`."""
    differences = [row["after"] - row["before"] for row in rows]
    several = len(rows) > 1
    return {
        "of": "scores",
        "rows": rows,
        "difference": statistics.mean(differences),
        "difference_error": statistics.stdev(differences) / len(rows) ** 0.5 if several else None,
        "difference_range": [min(differences), max(differences)],
        "spread_before": statistics.stdev(row["before"] for row in rows) if several else None,
    }


def _pair(settings: BenchmarkSettings, data: LesionData, seed: int) -> dict[str, Any]:
    row: dict[str, Any] = {"seed": seed, "seconds": {}}
    for way, within in WAYS.items():
        with tempfile.TemporaryDirectory() as folder, within():
            chosen = _training(settings, seed, Path(folder) / "run")
            result = train(chosen, data=data, say=lambda _: None)
            if not result.finished:  # the user wants to stop all of it; half a training has no score
                raise KeyboardInterrupt
        row[way] = result.last_dice
        row["seconds"][way] = result.seconds
    return row


def _training(settings: BenchmarkSettings, seed: int, folder: Path) -> TrainSettings:
    return train_settings(
        settings,
        seed=seed,
        epochs=settings.epochs,
        limit=settings.pictures,
        checkpoint_every=settings.epochs,
        out=folder,
    )
