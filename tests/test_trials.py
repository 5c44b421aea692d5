"""A trial: the prediction before the run, the outcome from the run's own log, and nobody else's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jaalnet_core.cli import main
from jaalnet_core.errors import DataError, SettingsError
from jaalnet_core.files import write_json
from jaalnet_core.report import sha256
from jaalnet_core.size import Size
from jaalnet_core.training.settings import TrainSettings
from jaalnet_core.trials import fill_trial, open_trial, read_trial, read_trials

COMMAND = "jaalnet train --preset tiny --size 32 --epochs 3 --learning-rate 5e-5 --seed 1"
ASKED = TrainSettings(preset="tiny", size=Size(32, 32), epochs=3, learning_rate=5e-5, seed=1)
DICE = (0.80, 0.93215, 0.91)


def a_run(folder: Path, *, ran: int = 3, seconds: float = 10.0, **changes: object) -> Path:
    """A run's folder as training leaves it after `ran` epochs; `changes` are of its settings."""
    folder.mkdir(exist_ok=True)
    free = {"out": str(folder), "resume": True, "workers": 1, "checkpoint_every": 1}
    write_json(folder / "settings.json", ASKED.resolved().to_json() | free | changes)
    rows = [f"{epoch},{seconds * epoch},{DICE[epoch - 1]}" for epoch in range(1, ran + 1)]
    (folder / "log.csv").write_text("\n".join(["epoch,seconds,validation_dice", *rows]) + "\n")
    (folder / "best.safetensors").write_bytes(f"weights of {ran} epochs".encode())
    write_json(folder / "data.json", {"name": "discs", "sha256": "ab", "train": 8, "notes": [f"at {folder}"]})
    write_json(folder / "environment.json", {"torch": "2", "command": f"jaalnet train --out {folder}"})
    return folder


@pytest.fixture
def trials(tmp_path) -> Path:
    return tmp_path / "trials"


def opened(trials: Path, name: str = "01-finer", **changes: object):
    values = {"predict": 93.0, "because": "sharper borders", "command": COMMAND, "against": None}
    return open_trial(trials / name, **values | changes)


def test_an_opened_trial_is_read_back(trials):
    trial = opened(trials)
    assert read_trial(trials / "01-finer") == trial
    assert (trial.number, trial.changes, trial.predicted.validation_dice) == (1, "finer", 93.0)
    assert trial.outcome is None
    assert opened(trials, "02-x", against=1, changes="twice the width").changes == "twice the width"
    assert [one.number for one in read_trials(trials)] == [1, 2]


def test_a_prediction_is_written_once(trials):
    opened(trials)
    before = (trials / "01-finer" / "trial.json").read_text()
    with pytest.raises(DataError, match="written once"):
        opened(trials, predict=99.0)
    assert (trials / "01-finer" / "trial.json").read_text() == before


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"predict": 0.93}, "--predict"),
        ({"predict": 101.0}, "--predict"),
        ({"because": " "}, "--because"),
        ({"command": "make reproduce"}, "--command"),
        ({"command": COMMAND + " --out /somewhere/runs"}, "--command"),
    ],
)
def test_no_prediction_no_reason_no_command_is_refused(trials, changes, named):
    with pytest.raises(SettingsError, match=named):
        opened(trials, **changes)
    assert not trials.exists()


def test_a_number_belongs_to_one_trial_and_the_other_must_be_there(trials):
    opened(trials)
    with pytest.raises(DataError, match="another trial 1"):
        opened(trials, "01-coarser")
    with pytest.raises(DataError, match="--against: found 7"):
        opened(trials, "02-coarser", against=7)
    with pytest.raises(DataError, match="a number and words"):
        opened(trials, "finer")


def test_the_outcome_comes_from_the_log(trials, tmp_path):
    opened(trials)
    run = a_run(tmp_path / "run")
    trial = fill_trial(trials / "01-finer", run, ASKED)
    assert read_trial(trials / "01-finer") == trial
    outcome = trial.outcome
    assert (outcome.validation_dice, outcome.epoch, outcome.epochs_run, outcome.epochs) == (93.215, 2, 3, 3)
    assert not outcome.is_partial
    assert outcome.weights_sha256 == sha256(run / "best.safetensors")
    assert outcome.data == {"name": "discs", "sha256": "ab", "train": 8}
    assert trial.predicted.validation_dice == 93.0
    assert trial.curve() == ([1, 2, 3], list(DICE))
    for file in (trials / "01-finer").iterdir():
        assert str(tmp_path) not in file.read_text(), file.name


def test_a_partial_run_is_filled_in_and_again_later(trials, tmp_path):
    opened(trials)
    partial = fill_trial(trials / "01-finer", a_run(tmp_path / "run", ran=1), ASKED)
    assert partial.outcome.is_partial
    assert partial.outcome.validation_dice == 80.0
    whole = fill_trial(trials / "01-finer", a_run(tmp_path / "run", ran=3), ASKED)
    assert whole.outcome.epochs_run == 3
    assert len(whole.curve()[0]) == 3


@pytest.mark.parametrize("other", [{"seconds": 11.0}, {"ran": 1}])
def test_the_record_of_another_run_is_never_overwritten(trials, tmp_path, other):
    opened(trials)
    fill_trial(trials / "01-finer", a_run(tmp_path / "run", ran=2), ASKED)
    before = {file: file.read_bytes() for file in (trials / "01-finer").iterdir()}
    with pytest.raises(DataError, match="another run"):
        fill_trial(trials / "01-finer", a_run(tmp_path / "other", **other), ASKED)
    assert {file: file.read_bytes() for file in (trials / "01-finer").iterdir()} == before


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"epochs": 4}, "epochs is 4, not 3"),
        ({"seed": 0}, "seed is 0, not 1"),
        ({"clip": 0.5}, "clip"),
        ({"start_from": "runs/best.safetensors"}, "start_from"),
        ({"data": "synthetic"}, "data"),
    ],
)
def test_a_run_of_other_settings_is_refused(trials, tmp_path, changes, named):
    opened(trials)
    with pytest.raises(DataError, match=named):
        fill_trial(trials / "01-finer", a_run(tmp_path / "run", **changes), ASKED)
    assert read_trial(trials / "01-finer").outcome is None


def test_without_a_prediction_nothing_is_filled_in(trials, tmp_path):
    opened(trials)
    path = trials / "01-finer" / "trial.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"predicted": None}))
    with pytest.raises(DataError, match="no prediction"):
        fill_trial(trials / "01-finer", a_run(tmp_path / "run"), ASKED)


@pytest.mark.parametrize("missing", ["best.safetensors", "log.csv", "settings.json"])
def test_a_run_that_has_not_begun_is_refused(trials, tmp_path, missing):
    opened(trials)
    run = a_run(tmp_path / "run")
    (run / missing).unlink()
    with pytest.raises(DataError, match=missing):
        fill_trial(trials / "01-finer", run, ASKED)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "jaalnet-trial", "number": 2}'])
def test_a_damaged_trial_is_named(trials, text):
    opened(trials)
    (trials / "01-finer" / "trial.json").write_text(text)
    with pytest.raises(DataError, match=r"trial\.json"):
        read_trials(trials)


def test_two_trials_of_one_number_are_refused(trials):
    opened(trials)
    other = trials / "01-coarser"
    other.mkdir()
    (other / "trial.json").write_bytes((trials / "01-finer" / "trial.json").read_bytes())
    with pytest.raises(DataError, match="one of its own"):
        read_trials(trials)


def test_the_command_opens_and_fills(trials, tmp_path, capsys):
    folder = str(trials / "01-finer")
    words = ["trial", folder, "--predict", "93", "--because", "why", "--command", COMMAND, "--against", "None"]
    assert main(words) == 0
    assert main(["trial", folder, "--run", str(a_run(tmp_path / "run", ran=1))]) == 0
    out = capsys.readouterr().out
    assert "93 expected" in out
    assert "80.00 in epoch 1" in out
    assert "not finished: 1 of 3" in out
    assert main(["trial", folder]) == 1
    assert main([*words, "--run", "x"]) == 1
    assert "either --predict" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["jaalnet train --epoch 3", "jaalnet evaluate", "jaalnet train --epochs many"])
def test_a_command_that_cannot_be_run_is_refused(trials, command, capsys):
    words = ["--predict", "93", "--because", "why", "--against", "None"]
    assert main(["trial", str(trials / "01-x"), *words, "--command", command]) == 1
    assert "--command" in capsys.readouterr().err
    assert not trials.exists()
