"""Processes side by side and processes that die; each study sees a product that gets it wrong."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess

import many_processes
from promise import promises_hold
from small_run import as_data, drawn_lesions, quietly

from jaalnet_core.training import TrainSettings, batches, loop

test_the_promise_holds = promises_hold(many_processes.STUDIES)


def test_a_process_with_other_results_is_seen(tmp_path):
    tally = many_processes.predictions_at_once(2, tmp_path, checkpoint=lambda number: ("one", "other")[number])
    assert len(tally.broken) == 1


def test_a_file_that_is_written_in_place_is_seen(tmp_path):
    tally = many_processes.read_while_saved(20, tmp_path, write=many_processes.written_in_place)
    assert tally.broken


def test_an_error_without_a_mend_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "deaths_of_workers_named", lambda folder: contextlib.nullcontext())
    tally = many_processes.killed_workers(3, tmp_path)
    assert any("RuntimeError" in line for line in tally.broken)


def without_an_end(settings: TrainSettings, start: str) -> None:
    """A training whose workers look for their end themselves, as PyTorch has it."""
    batches.live_and_end_with_the_run = leave_stopping_alone
    many_processes.train_in_a_group(settings, start)


def leave_stopping_alone(worker: int) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def test_workers_that_outlive_a_killed_run_are_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(many_processes, "GONE_WITHIN", 15.0)
    tally = many_processes.stopped_with_workers(1, tmp_path, work=without_an_end, first=2)
    assert tally.broken
    assert ", 0 left" not in tally.broken[0]


def leaves_a_process(settings: TrainSettings, start: str) -> None:
    """A training with a process beside it that hears no Ctrl-C."""
    os.setsid()
    subprocess.Popen(["sh", "-c", "trap '' INT; sleep 600"])
    quietly(settings, as_data(drawn_lesions(8)))


def test_a_process_that_is_left_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(many_processes, "GONE_WITHIN", 1.0)
    assert ", 0 left" not in many_processes.stopped_with_workers(1, tmp_path, work=leaves_a_process).broken[0]
