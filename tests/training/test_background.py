"""A run in a thread: stopped and gone on with it is the same run, and whatever ends it is told."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
import torch

from jaalnet_core.errors import SettingsError, TrainingError
from jaalnet_core.training import train
from jaalnet_core.training.background import BackgroundTraining, in_notebook
from jaalnet_core.weights import read_training_checkpoint

QUIET = {"progress": False, "say": lambda text: None}


def stopping_at(step: int, run: list[BackgroundTraining]):
    """Asks the run in the list to stop, once, at a step."""
    asked = []

    def on_step(now: int, total: int) -> None:
        if now == step and not asked:
            asked.append(now)
            run[0].stop()

    return on_step


def test_stopped_in_mid_epoch_and_gone_on_with_the_weights_are_those_of_a_run_in_one_go(discs, quick):
    straight = train(dataclasses.replace(quick, out=quick.out.with_name("straight")), data=discs, **QUIET)
    states, those = [], []
    run = BackgroundTraining(quick, data=discs, on_step=stopping_at(5, those), on_change=states.append)
    those.append(run)
    run.start()
    halted = run.wait()
    assert (run.state, run.step, run.total_steps) == ("stopped", 5, 9)
    assert (halted.finished, halted.epochs) == (False, 1)
    assert "Stopped after step 5 of 9" in run.said[-1]
    run.start()
    ended = run.wait()
    assert ended.finished
    assert states == ["running", "stopping", "stopped", "running", "finished"]
    one, other = (read_training_checkpoint(folder / "last.pt") for folder in (straight.folder, ended.folder))
    for name in ("lf_net", "da_net"):
        for key, weights in one[name]["weights"].items():
            assert torch.equal(weights, other[name]["weights"][key]), f"{name} {key}"


def test_it_runs_beside_whoever_started_it_and_is_waited_for_only_so_long(discs, quick):
    here, there, go = threading.get_ident(), [], threading.Event()

    def on_step(step: int, total: int) -> None:
        there.append(threading.get_ident())
        go.wait(30)

    run = BackgroundTraining(quick, data=discs, on_step=on_step)
    run.start()
    assert run.wait(0.05) is None
    assert run.state == "running"
    go.set()
    assert run.wait().finished
    assert here not in there


def test_what_is_asked_for_at_the_wrong_time_does_nothing(discs, quick):
    run = BackgroundTraining(dataclasses.replace(quick, epochs=1), data=discs)
    run.stop()
    assert run.state == "ready"
    with pytest.raises(TrainingError, match="never started"):
        run.wait()
    run.start()
    thread = run._thread
    run.start()
    assert run._thread is thread
    assert run.wait().finished
    run.start(), run.stop()
    assert (run.state, run._thread) == ("finished", thread)


def test_each_epoch_comes_with_the_run_behind_it(discs, quick):
    seen = []
    run = BackgroundTraining(
        quick, data=discs, on_epoch=lambda line, run: seen.append((line["epoch"], run.progress.epoch, run.lf_net))
    )
    run.start()
    run.wait()
    assert [(epoch, finished) for epoch, finished, _ in seen] == [(1, 1), (2, 2), (3, 3)]
    assert not seen[0][2].training, "the averaged weights, ready to predict"


def test_an_error_is_told_by_the_state_and_raised_to_who_waits(discs, quick):
    train(quick, data=discs, **QUIET)
    states = []
    run = BackgroundTraining(quick, data=discs, on_change=states.append)  # no resume: the folder is taken
    run.start()
    with pytest.raises(SettingsError, match="already holds a run"):
        run.wait()
    assert states == ["running", "failed"]
    assert isinstance(run.error, SettingsError)


def test_after_an_error_on_the_way_it_can_go_on(discs, quick):
    broken = [True]

    def on_step(step: int, total: int) -> None:
        if step == 5 and broken:
            broken.clear()
            raise OSError("no space")

    run = BackgroundTraining(quick, data=discs, on_step=on_step)
    run.start()
    with pytest.raises(OSError, match="no space"):
        run.wait()
    run.start()
    assert run.error is None
    assert run.wait().finished


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to oneself on Windows")
def test_ctrl_c_while_waiting_stops_the_run_and_lets_it_save(discs, quick):
    run = BackgroundTraining(
        dataclasses.replace(quick, epochs=500), data=discs, on_step=lambda step, total: step == 2 and interrupt()
    )

    def interrupt() -> None:
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        time.sleep(0.5)

    run.start()
    with pytest.raises(KeyboardInterrupt):
        run.wait()
    assert run.state == "stopped"
    assert (run.result.folder / "last.pt").exists()


def test_this_is_no_notebook():
    assert not in_notebook()


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from dark_discs import dark_discs
from jaalnet_core.data.source import LesionData
from jaalnet_core.size import Size
from jaalnet_core.training import TrainSettings
from jaalnet_core.training.background import BackgroundTraining
data = LesionData("discs", Path("discs"), dark_discs(10), dark_discs(4, seed=1), dark_discs(4, seed=2), (), ())
settings = TrainSettings(preset="tiny", epochs=100_000, batch_size=4, size=Size(32, 32), out=Path({out!r}),
                         checkpoint_every=1000, device="cpu")
run = BackgroundTraining(settings, data=data)
run.start()
while run.step < 4:
    pass
"""


@pytest.mark.long
def test_a_process_that_ends_leaves_a_checkpoint_of_its_run(tmp_path, request):
    """No checkpoint is due for a long time: this one can only come from the stop at the end."""
    script = SCRIPT.format(folder=str(request.path.parent), out=str(tmp_path / "run"))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    state = read_training_checkpoint(tmp_path / "run" / "last.pt")
    assert state["training"]["progress"]["step"] >= 4
    assert state["training"]["progress"]["batch"] or state["training"]["progress"]["epoch"]
