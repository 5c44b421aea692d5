"""The run's diary: one line an epoch in `log.csv`, the same numbers for TensorBoard."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

from torch import Tensor

from jaalnet_core.files import atomic_path
from jaalnet_core.run_log import COLUMNS, read_epochs
from jaalnet_core.training.writing import writing


class Averages:
    """Running means of an epoch's scalars, weighted by batch size; kept on their device until they are read."""

    def __init__(self, state: dict[str, Any] | None = None) -> None:
        state = state or {"sums": {}, "count": 0}
        self.sums: dict[str, float | Tensor] = dict(state["sums"])
        self.count: int = state["count"]

    def add(self, values: dict[str, Tensor], batch_size: int) -> None:
        """Take in the scalars of one step."""
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value.double() * batch_size
        self.count += batch_size

    def means(self) -> dict[str, float]:
        """The means so far."""
        return {name: float(total) / max(self.count, 1) for name, total in self.sums.items()}

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps, for a resume in mid-epoch."""
        return {"sums": {name: float(total) for name, total in self.sums.items()}, "count": self.count}


class RunLog:
    """Writes `log.csv` and `tensorboard/` in a run's folder.

    Args:
        first_epoch: lines from this epoch on belong to a part of the run that a resume repeats: they are cut off.
        lines: those of the epochs before, from the checkpoint that a resume starts from; None (an older checkpoint's)
            takes them from the file.

    Raises:
        CheckpointError: the folder takes no more.
    """

    def __init__(self, folder: Path, first_epoch: int, lines: list[dict[str, float]] | None = None) -> None:
        from torch.utils.tensorboard import SummaryWriter  # slow to import; needed by training alone

        self.folder, self.path = folder, folder / "log.csv"
        if lines is None:
            lines = read_epochs(self.path) if self.path.exists() else []
        self.kept = [line for line in lines if line["epoch"] < first_epoch]
        with writing(folder, "the log"):
            with atomic_path(self.path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(COLUMNS)
                writer.writerows(_cells(line) for line in self.kept)
            self._tensorboard = SummaryWriter(folder / "tensorboard", purge_step=first_epoch)

    def write(self, row: dict[str, float]) -> None:
        """Add one epoch; a quantity that this run does not have stays empty."""
        with writing(self.folder, "the log"):
            with self.path.open("a", newline="", encoding="utf-8") as file:
                csv.writer(file).writerow(_cells(row))
            for name, value in row.items():
                if name != "epoch":
                    self._tensorboard.add_scalar(name, value, int(row["epoch"]))
            self._tensorboard.flush()

    def close(self) -> None:
        """End the TensorBoard file."""
        self._tensorboard.close()


class NoLog:
    """In the place of `RunLog` in all processes of a run but the first: keeps nothing."""

    def __init__(self) -> None:
        self.kept: list[dict[str, float]] = []

    def write(self, row: dict[str, float]) -> None:
        """The first process does."""

    def close(self) -> None:
        """Nothing was opened."""


def _cells(line: dict[str, float]) -> list[str]:
    return [_cell(name, line.get(name, math.nan)) for name in COLUMNS]


def _cell(name: str, value: float) -> str:
    if math.isnan(value):
        return ""
    return str(int(value)) if name == "epoch" else f"{value:.6g}"
