"""What a kill left undone, a resume does first."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from jaalnet_core.errors import CheckpointError
from jaalnet_core.run_log import read_epochs
from jaalnet_core.training import loop, saving, train
from jaalnet_core.training.log import RunLog
from jaalnet_core.weights import load_lf_net, read_training_checkpoint


class Killed(BaseException):
    """In place of SIGKILL."""


def run(settings, data, **options):
    return train(settings, data=data, progress=False, **{"say": lambda text: None} | options)


def killed_in(monkeypatch, module, name, settings, data, after=0):
    """Train until `module.name` was called `after` times, and end there."""
    calls = 0
    real = getattr(module, name)

    def killed(*args, **options):
        nonlocal calls
        calls += 1
        if calls > after:
            raise Killed
        return real(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(module, name, killed)
        with pytest.raises(Killed):
            run(settings, data)


def test_the_line_of_an_epoch_that_was_saved_but_not_logged(discs, quick, monkeypatch):
    killed_in(monkeypatch, RunLog, "write", quick, discs, after=1)
    assert [row["epoch"] for row in read_epochs(quick.out / "log.csv")] == [1]
    run(dataclasses.replace(quick, resume=True), discs)
    assert [row["epoch"] for row in read_epochs(quick.out / "log.csv")] == [1, 2, 3]


def test_weights_whose_checkpoint_was_saved_but_not_they(discs, quick, monkeypatch):
    one = dataclasses.replace(quick, epochs=1)
    killed_in(monkeypatch, saving, "save_weights", one, discs)
    assert not (quick.out / "best.safetensors").exists()
    result = run(dataclasses.replace(one, resume=True), discs)
    assert result.finished
    for name in ("best.safetensors", "last.safetensors"):
        assert load_lf_net(quick.out / name).metadata["epoch"] == 1


def test_names_of_a_checkpoint_that_has_only_one(discs, quick, monkeypatch):
    one = dataclasses.replace(quick, epochs=1)
    killed_in(monkeypatch, saving, "_after_checkpoint", one, discs)
    for name in ("best.pt", "epoch-0001.pt"):
        (quick.out / name).unlink()
    run(dataclasses.replace(one, resume=True), discs)
    for name in ("best.pt", "epoch-0001.pt"):
        assert read_training_checkpoint(quick.out / name)["training"]["progress"]["epoch"] == 1


def test_half_written_files_of_a_killed_process_go(discs, quick):
    quick.out.mkdir()
    half = quick.out / ".last.12345.part.pt"
    half.write_bytes(b"half")
    other = quick.out / ".notes.part.txt"  # nobody's but the user's
    other.write_text("mine")
    run(dataclasses.replace(quick, epochs=1), discs)  # no --resume: half a file is no run
    assert not half.exists()
    assert other.exists()


def test_a_damaged_checkpoint_never_becomes_the_one_before(discs, quick):
    run(dataclasses.replace(quick, epochs=2, schedule="constant"), discs)
    (quick.out / "last.pt").write_bytes(b"damaged")  # in place: epoch-0002.pt, a hard link, is damaged too
    told = []
    longer = dataclasses.replace(quick, epochs=3, schedule="constant", resume=True)
    run(longer, discs, say=told.append)
    assert sum("Passed over" in text for text in told) >= 2
    assert any("previous.pt" in text or "epoch-0001.pt" in text for text in told if "Going on" in text)
    epochs = [
        read_training_checkpoint(quick.out / name)["training"]["progress"]["epoch"]
        for name in ("previous.pt", "last.pt")
    ]
    assert epochs == [2, 3]


def test_an_older_checkpoint_without_a_log_goes_on_from_the_file(discs, quick, monkeypatch):
    with monkeypatch.context() as patch:
        real = loop.Run.state

        def older(self):
            state = real(self)
            del state["training"]["log"]
            return state

        patch.setattr(loop.Run, "state", older)
        run(dataclasses.replace(quick, epochs=2, schedule="constant"), discs)
    run(dataclasses.replace(quick, schedule="constant", resume=True), discs)
    assert [row["epoch"] for row in read_epochs(quick.out / "log.csv")] == [1, 2, 3]
    assert len(read_training_checkpoint(quick.out / "last.pt")["training"]["log"]) == 3


def test_weights_and_log_that_cannot_be_written_are_named(discs, quick, monkeypatch):
    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saving, "save_weights", full)
    with pytest.raises(CheckpointError, match=r"run: the weights could not be written .*No space.*--resume"):
        run(quick, discs)
    monkeypatch.undo()
    usual = Path.open
    monkeypatch.setattr(
        Path, "open", lambda path, *args, **options: (full if path.suffix == ".csv" else usual)(path, *args, **options)
    )
    with pytest.raises(CheckpointError, match=r"the log could not be written .*No space"):
        run(dataclasses.replace(quick, out=quick.out.with_name("other")), discs)
