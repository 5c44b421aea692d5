"""Trials of the search for a better network: the prediction first, then the run, then what became of it.

    open_trial(folder, predict=93.0, because="sharper borders", command="jaalnet train --size 192 ...")
    fill_trial(folder, run, asked)

A trial's folder, such as `reports/published/trials/01-larger-pictures`, holds `trial.json`, and of the run `log.csv`
and `settings.json`.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaalnet_core.errors import DataError, SettingsError
from jaalnet_core.files import new_path, write_json
from jaalnet_core.report import read_run, sha256
from jaalnet_core.run_log import read_epochs
from jaalnet_core.scoring_log import today
from jaalnet_core.training.folder import FREE_ON_RESUME
from jaalnet_core.training.settings import TrainSettings
from jaalnet_core.typed_fields import from_fields

TRIALS = Path("reports") / "published" / "trials"
TRIAL, LOG, SETTINGS, WEIGHTS = "trial.json", "log.csv", "settings.json", "best.safetensors"
FORMAT = "jaalnet-trial"
_FREE = FREE_ON_RESUME - {"epochs"} | {"device"}  # what may differ from the command: where and how, not what


@dataclass(frozen=True)
class Prediction:
    """What was expected, written before the run.

    Attributes:
        validation_dice: the best, per image, in percent.
        because: why.
    """

    validation_dice: float
    because: str


@dataclass(frozen=True)
class Outcome:
    """What the run's log says.

    Attributes:
        validation_dice: the best, per image, in percent.
        epoch: of it.
        epochs_run, epochs: so far, and as asked for.
        weights_sha256: of the weights of that epoch.
        data: name, number and SHA-256 of the pictures that were learnt from.
        environment: versions and machine.
    """

    validation_dice: float
    epoch: int
    epochs_run: int
    epochs: int
    weights_sha256: str
    data: dict[str, Any]
    environment: dict[str, Any]

    @property
    def is_partial(self) -> bool:
        """Whether epochs are missing: the run goes on, or was broken off."""
        return self.epochs_run < self.epochs


@dataclass(frozen=True)
class Trial:
    """One trial.

    Attributes:
        folder: where it lies; its name begins with the number.
        changes: what is different, in words.
        command: trains it.
        against: number of the trial that it is compared with; None for the first.
        opened: day, as 2026-01-31.
        predicted: None for a run that was there before the protocol.
        outcome: None before the run.
    """

    folder: Path
    changes: str
    command: str
    against: int | None
    opened: str
    predicted: Prediction | None
    outcome: Outcome | None = None

    @property
    def number(self) -> int:
        """Its number among the trials."""
        return _number(self.folder)

    def curve(self) -> tuple[list[int], list[float]]:
        """The epochs of the log and the validation Dice of each, a fraction; epochs without one are left out."""
        rows = read_epochs(self.folder / LOG)
        known = [row for row in rows if math.isfinite(row["validation_dice"])]
        return [int(row["epoch"]) for row in known], [row["validation_dice"] for row in known]

    def to_json(self) -> dict[str, Any]:
        """Plain values, number first."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "folder"}
        for name in ("predicted", "outcome"):
            values[name] = None if values[name] is None else dataclasses.asdict(values[name])
        return {"format": FORMAT, "number": self.number} | values


def open_trial(
    folder: Path, *, predict: float, because: str, command: str, changes: str = "", against: int | None = 0
) -> Trial:
    """Write a trial's prediction; its run comes afterwards.

    Args:
        folder: not there yet, its name a number and words, such as `trials/01-larger-pictures`.
        predict: best validation Dice, per image, in percent.
        because: why so much.
        command: `jaalnet train ...`, without the folders of one machine.
        changes: what is different, in words; the folder's name says it unless given.
        against: number of the trial to compare with.

    Raises:
        DataError: the trial is there already, its number is taken, or there is no trial `against`.
        SettingsError: the prediction, its reason or the command is not one.
    """
    if not 1 < predict <= 100:
        raise SettingsError(f"--predict: found {predict:g}, expected a Dice in percent, above 1 and up to 100.")
    if not because.strip():
        raise SettingsError("--because: found nothing, expected the reason for the prediction.")
    if command.split()[:2] != ["jaalnet", "train"] or any(Path(word).is_absolute() for word in command.split()):
        raise SettingsError(
            f"--command: found {command!r}, expected `jaalnet train ...` as anyone can run it; leave out --out and "
            "--data where they name a folder of this machine."
        )
    number = _number(folder)
    others = {trial.number for trial in read_trials(folder.parent) if trial.folder.name != folder.name}
    if number in others:
        raise DataError(f"{folder}: found another trial {number} in {folder.parent}, expected a number of its own.")
    if against is not None and against not in others:
        raise DataError(
            f"--against: found {against}, expected one of the trials in {folder.parent}: "
            f"{', '.join(map(str, sorted(others))) or 'none yet'}."
        )
    words = changes.strip() or " ".join(folder.name.split("-")[1:])
    trial = Trial(folder, words, command, against, today(), Prediction(predict, because.strip()))
    try:
        with new_path(folder / TRIAL) as temporary:
            temporary.write_text(json.dumps(trial.to_json(), indent=2) + "\n", encoding="utf-8")
    except FileExistsError:
        raise DataError(
            f"{folder / TRIAL}: is there already. A prediction is written once; open another trial."
        ) from None
    return trial


def fill_trial(folder: Path, run: Path, asked: TrainSettings) -> Trial:
    """Write what became of a trial, from its run's folder; a run that goes on is filled in again later.

    Args:
        folder: of an opened trial.
        run: the training run's folder; it may still be running.
        asked: the settings that the trial's command stands for.

    Raises:
        DataError: no prediction was written, a file is missing or damaged, the run's settings are others than the
            command's, or the trial holds the record of another run.
    """
    trial = read_trial(folder)
    if trial.predicted is None:
        raise DataError(f"{folder / TRIAL}: holds no prediction, expected one from before the run (`jaalnet trial`).")
    record = read_run(run)
    if differing := _differing(asked.resolved(), record.settings):
        raise DataError(f"{run}: has other settings than the command of {folder / TRIAL}: {differing}.")
    rows = read_epochs(run / LOG)
    known = [row for row in rows if math.isfinite(row.get("validation_dice", math.nan))]
    if not known or not (run / WEIGHTS).is_file():
        raise DataError(f"{run}: found no validated epoch with {WEIGHTS} yet, expected at least one.")
    if trial.outcome is not None:
        _require_same_run(folder, run, rows)
    best = max(known, key=lambda row: row["validation_dice"])
    outcome = Outcome(
        validation_dice=round(100 * best["validation_dice"], 4),
        epoch=int(best["epoch"]),
        epochs_run=int(rows[-1]["epoch"]),
        epochs=record.settings.epochs,
        weights_sha256=sha256(run / WEIGHTS),
        data={key: record.data.get(key) for key in ("name", "sha256", "train")},
        environment={key: value for key, value in record.environment.items() if key != "command"},
    )
    filled = dataclasses.replace(trial, outcome=outcome)
    shutil.copyfile(run / LOG, folder / LOG)
    data = "synthetic" if record.settings.data == "synthetic" else None
    settings = dataclasses.replace(record.settings, data=data, out=None, resume=False)
    write_json(folder / SETTINGS, settings.to_json())
    write_json(folder / TRIAL, filled.to_json())
    return filled


def read_trial(folder: Path) -> Trial:
    """Read what `open_trial` and `fill_trial` wrote.

    Raises:
        DataError: missing, damaged, or something else.
    """
    path = folder / TRIAL
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values.pop("format") != FORMAT or values.pop("number") != _number(folder):
            raise ValueError("another format, or another trial's")
        if values["predicted"] is not None:
            values["predicted"] = from_fields(Prediction, values["predicted"])
        if values["outcome"] is not None:
            values["outcome"] = from_fields(Outcome, values["outcome"])
        return from_fields(Trial, values | {"folder": folder})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{path}: cannot be read as a trial ({type(error).__name__}: {error}), expected what `jaalnet trial` wrote."
        ) from error


def read_trials(trials: Path) -> list[Trial]:
    """Every trial in a folder, by number.

    Raises:
        DataError: a file is damaged, or two trials have one number.
    """
    found = sorted((read_trial(path.parent) for path in trials.glob(f"*/{TRIAL}")), key=lambda trial: trial.number)
    for first, second in itertools.pairwise(found):
        if first.number == second.number:
            raise DataError(f"{second.folder}: found the number of {first.folder.name}, expected one of its own.")
    return found


def _number(folder: Path) -> int:
    match = re.fullmatch(r"(\d\d+)-[a-z0-9].*", folder.name)
    if not match:
        raise DataError(f"{folder}: found the name {folder.name!r}, expected a number and words: 01-larger-pictures.")
    return int(match[1])


def _differing(asked: TrainSettings, found: TrainSettings) -> str:
    """What a run did otherwise than its command says, in words; empty where nothing."""
    wanted, has = (
        {name: value for name, value in one.to_json().items() if name not in _FREE}
        | {"start_from": one.start_from and "/".join(one.start_from.parts[-2:]), "data": one.data == "synthetic"}
        for one in (asked, found)
    )
    return ", ".join(f"{name} is {has[name]!r}, not {wanted[name]!r}" for name in wanted if has[name] != wanted[name])


def _require_same_run(folder: Path, run: Path, rows: list[dict[str, float]]) -> None:
    """The first epoch's line, with its seconds, is a run's fingerprint; and a log does not grow shorter."""
    before = read_epochs(folder / LOG)
    if repr(before[0]) != repr(rows[0]) or len(rows) < len(before):
        raise DataError(
            f"{folder / LOG}: holds {len(before)} epochs of another run than {run}, expected its beginning. "
            "Open another trial for it."
        )
