"""Loader processes: only the run answers Ctrl-C, and a killed one is told in words."""

from __future__ import annotations

import dataclasses
import os
import signal
from pathlib import Path

import psutil
import pytest
from torch.utils.data import DataLoader, Dataset

from jaalnet_core.errors import TrainingError
from jaalnet_core.training import loop, train
from jaalnet_core.training.workers import deaths_of_workers_named, live_and_end_with_the_run, started_deaf

posix = pytest.mark.skipif(os.name == "nt", reason="signals between processes")


class Handlers(Dataset):
    """What its process does on Ctrl-C and on SIGTERM."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> list[bool]:
        return [signal.getsignal(number) == signal.SIG_IGN for number in (signal.SIGINT, signal.SIGTERM)]


def test_a_worker_hears_neither_ctrl_c_nor_sigterm():
    before = signal.getsignal(signal.SIGINT)
    loader = DataLoader(Handlers(), num_workers=1, worker_init_fn=live_and_end_with_the_run, batch_size=None)
    assert list(loader) == [[True, True]]
    assert signal.getsignal(signal.SIGINT) is before


@posix
@pytest.mark.parametrize(
    ("step", "mend"), [(1, "No checkpoint was written yet"), (5, r"Go on from .*last\.pt.*--resume")]
)
def test_a_killed_worker_is_named_with_the_mend(discs, quick, monkeypatch, step, mend):
    usual = loop.Run.set_learning_rates

    def kill(run, total_steps):
        if run.progress.step + 1 == step:
            workers = [child for child in psutil.Process().children() if child.cmdline() == psutil.Process().cmdline()]
            for worker in workers:
                worker.kill()
            psutil.wait_procs(workers, timeout=60)
        return usual(run, total_steps)

    monkeypatch.setattr(loop.Run, "set_learning_rates", kill)
    with pytest.raises(TrainingError, match=rf"ended before its work was done.*{mend}.*--workers 0"):
        train(dataclasses.replace(quick, workers=1), data=discs, progress=False, say=lambda text: None)
    resumed = train(dataclasses.replace(quick, resume=True), data=discs, progress=False, say=lambda text: None)
    assert resumed.finished


class HeldBack(Dataset):
    """Which signals its process holds back."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> list[int]:
        return sorted(signal.pthread_sigmask(signal.SIG_BLOCK, []))


@posix
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_worker_is_deaf_before_its_first_line(start, monkeypatch):
    monkeypatch.setattr("multiprocessing.get_start_method", lambda: start)
    loader = DataLoader(HeldBack(), num_workers=1, batch_size=None, multiprocessing_context=start)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    for held in started_deaf(loader):
        assert {signal.SIGINT, signal.SIGTERM} <= set(held)
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before  # the run hears


def test_batches_come_as_they_were():
    assert [list(started_deaf(range(count))) for count in (0, 1, 3)] == [[], [0], [0, 1, 2]]


def test_another_error_stays_what_it_is(tmp_path):
    with pytest.raises(RuntimeError, match="out of memory"), deaths_of_workers_named(tmp_path):
        raise RuntimeError("CUDA out of memory")


@pytest.mark.parametrize("error", [ConnectionResetError(104, "Connection reset by peer"), EOFError()])
def test_a_worker_that_dies_while_it_hands_over_a_batch_is_named_too(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(TrainingError, match="ended before its work was done"), deaths_of_workers_named(tmp_path):
        raise error
