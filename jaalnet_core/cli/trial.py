"""A trial of the search for a better network: write the prediction before the run, and what became of it afterwards.

    jaalnet trial reports/published/trials/02-larger --predict 93.0 --because "sharper borders" \\
        --command "jaalnet train --preset small --size 192 --epochs 48"
    jaalnet trial reports/published/trials/02-larger --run checkpoints/isbi2016-small-course-seed0

A run that is not finished may be filled in, and again later; a prediction is never changed. `jaalnet report` then
rebuilds the protocol's table.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from jaalnet_core.errors import SettingsError

if TYPE_CHECKING:
    from jaalnet_core.training.settings import TrainSettings


@dataclass(frozen=True)
class Settings:
    """Settings of `jaalnet trial`."""

    folder: Positional[Path]
    """The trial's folder: a number and words, such as reports/published/trials/02-larger."""
    predict: float | None = None
    """Opens the trial: the best validation Dice expected, in percent."""
    because: str = ""
    """Why so much."""
    command: str = ""
    """The `jaalnet train ...` that is going to be run, in quotes."""
    changes: str = ""
    """What is different, in words. Left out: the folder's name."""
    against: int | None = 0
    """Number of the trial that this one is meant to beat."""
    run: Path | None = None
    """Fills the trial: the training run's folder."""


def run(settings: Settings) -> int:
    """Open or fill, and say what is on record now."""
    from jaalnet_core.trials import fill_trial, open_trial, read_trial

    if (settings.predict is None) == (settings.run is None):
        raise SettingsError(
            "trial: expected either --predict with --because and --command, before the run, or --run afterwards."
        )
    if settings.run is None:
        train_settings(settings.command)
        trial = open_trial(
            settings.folder,
            predict=settings.predict,
            because=settings.because,
            command=settings.command,
            changes=settings.changes,
            against=settings.against,
        )
        print(f"Trial {trial.number} is open: {trial.predicted.validation_dice:g} expected. Now: {trial.command}")
        return 0
    asked = train_settings(read_trial(settings.folder).command)
    trial = fill_trial(settings.folder, settings.run, asked)
    outcome = trial.outcome
    partial = f", not finished: {outcome.epochs_run} of {outcome.epochs} epochs" if outcome.is_partial else ""
    print(
        f"Trial {trial.number}: best validation Dice {outcome.validation_dice:.2f} in epoch {outcome.epoch}, predicted "
        f"{trial.predicted.validation_dice:g}{partial}. `jaalnet report` rebuilds the protocol's table."
    )
    return 0


def train_settings(command: str) -> TrainSettings:
    """The settings that a `jaalnet train ...` command line stands for.

    Raises:
        SettingsError: it is no such command, or has an option that is unknown or wrong.
    """
    import tyro

    from jaalnet_core.cli.registry import registry
    from jaalnet_core.training.settings import TrainSettings

    words = shlex.split(command)
    if words[:2] != ["jaalnet", "train"]:
        raise SettingsError(f"--command: found {command!r}, expected `jaalnet train ...`.")
    try:
        return tyro.cli(TrainSettings, prog="jaalnet train", args=words[2:], registry=registry())
    except SystemExit:
        raise SettingsError(
            f"--command: {command!r} is no training that can be run; try it with --help for the options."
        ) from None
