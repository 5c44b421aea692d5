"""What a finished run leaves behind: one JSON from which its row, its curve and every average can be remade."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaalnet_core.ablation.cost import Cost, cost_of
from jaalnet_core.errors import DataError
from jaalnet_core.evaluation import Evaluation
from jaalnet_core.files import write_json
from jaalnet_core.typed_fields import from_fields

FORMAT = "jaalnet-ablation-run"


@dataclass(frozen=True, eq=False)
class RunFile:
    """One run of one variant.

    Attributes:
        variant, seed: which run.
        says: the variant's change in words.
        settings: of the training, resolved, as plain values; without the folders of one machine.
        data: name, SHA-256 of the training and validation pictures, how many were learnt from.
        command: makes this file anew.
        environment: versions and machine, with `git_revision`.
        weights_sha256: of the weights that were scored: those of the last epoch.
        seconds: of training.
        curve: validation Dice after each epoch.
        evaluations: split (`validation`; `test` where it was asked for) to the counted pixels of each image.
        cost: of the network that predicts; None leaves it to be counted from the settings, as for older files.
    """

    variant: str
    says: str
    seed: int
    settings: dict[str, Any]
    data: dict[str, Any]
    command: str
    environment: dict[str, Any]
    weights_sha256: str
    seconds: float
    curve: tuple[float, ...]
    evaluations: dict[str, Evaluation]
    cost: Cost | None = None

    def counted_cost(self) -> Cost:
        """Its `cost`, counted now where the file does not hold it."""
        return self.cost or cost_of(self.settings)

    @property
    def name(self) -> str:
        """Such as `course-seed0`."""
        return run_name(self.variant, self.seed)

    def save(self, folder: Path) -> Path:
        """Write `folder/<name>.json`, whole or not at all."""
        path = folder / f"{self.name}.json"
        values = {"format": FORMAT} | {name: getattr(self, name) for name in self.__dataclass_fields__}
        values["curve"] = [round(dice, 6) for dice in self.curve]
        values["evaluations"] = {split: one.to_json() for split, one in self.evaluations.items()}
        values["cost"] = None if self.cost is None else dataclasses.asdict(self.cost)
        write_json(path, values)
        return path


def run_name(variant: str, seed: int) -> str:
    """How a run's files and folder are called."""
    return f"{variant}-seed{seed}"


def read_run_file(path: Path) -> RunFile:
    """Read what `RunFile.save` wrote.

    Raises:
        DataError: missing, damaged, or something else.
    """
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
        if values.pop("format") != FORMAT:
            raise ValueError("another format")
        values["curve"] = tuple(values["curve"])
        values["evaluations"] = {split: Evaluation.from_json(one) for split, one in values["evaluations"].items()}
        if (cost := values.get("cost")) is not None:
            values["cost"] = Cost(int(cost["parameters"]), float(cost["gflop"]))
        return from_fields(RunFile, values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{path}: cannot be read as the result of a run ({type(error).__name__}: {error}). Remove it, and "
            "`jaalnet ablate` makes it anew."
        ) from error


def read_run_files(folder: Path) -> list[RunFile]:
    """Every run in `folder`, by variant and seed; none where there is no such folder.

    Raises:
        DataError: a file is damaged.
    """
    runs = [read_run_file(path) for path in Path(folder).glob("*.json")]
    return sorted(runs, key=lambda run: (run.variant, run.seed))
