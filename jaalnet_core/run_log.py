"""A run's `log.csv`: what is in it and how to read it. Written by training, read by figures, reports and tests."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from jaalnet_core.errors import DataError

COLUMNS = (
    "epoch",
    "seconds",  # of training since the run's start, over all its starts
    "learning_rate",
    "d_loss",
    "g_loss",
    "adversarial",
    "region",
    "contour",
    "d_real",
    "d_fake",
    "validation_dice",
    "validation_iou",
)


def read_epochs(path: Path) -> list[dict[str, float]]:
    """The lines of a `log.csv`, one dictionary an epoch; a cell that is empty or no number reads as NaN.

    Raises:
        DataError: the file is missing or cannot be read, or has lines but no column `epoch`.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error}); expected the log.csv of a training run.") from None
    if rows and "epoch" not in rows[0]:
        raise DataError(f"{path}: found no column epoch, expected the log.csv of a training run.")
    return [{name: _number(value) for name, value in row.items() if name} for row in rows]


def _number(cell: str | None) -> float:
    try:
        return float(cell or "nan")
    except ValueError:
        return math.nan
