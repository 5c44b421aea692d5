"""Processes that prepare pictures beside the training (`--workers`): who stops them, and what their end means."""

from __future__ import annotations

import itertools
import multiprocessing
import multiprocessing.process
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TypeVar

from jaalnet_core.errors import CheckpointError, TrainingError
from jaalnet_core.training.checkpoint import load_newest

Batch = TypeVar("Batch")
STOPS = (signal.SIGINT, signal.SIGTERM)


def live_and_end_with_the_run(worker: int) -> None:
    """For a data loader's `worker_init_fn`: only the run answers a stop, and where it is killed its workers end too.

    A terminal's Ctrl-C reaches every process; the run finishes its step, saves, and ends its workers itself. PyTorch's
    own workers look every five seconds whether their parent is another: that of those started by a `forkserver` (the
    rule since Python 3.14) is the server, which lives as long as they do, so they would outlive a killed run for ever.
    """
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)
    if (run := multiprocessing.parent_process()) is not None:
        threading.Thread(target=_end_after, args=(run,), daemon=True).start()


def _end_after(run: multiprocessing.process.BaseProcess) -> None:
    run.join()
    os._exit(1)  # at once, whatever the worker waits for: nobody takes its batches any more


def started_deaf(batches: Iterable[Batch]) -> Iterator[Batch]:
    """The same batches, from workers that hear no Ctrl-C from their first moment on.

    A worker inherits what its parent holds back. Without that, one that does not start as a copy of the run (macOS,
    Python 3.14) dies of a Ctrl-C in the seconds before it comes to `live_and_end_with_the_run`. The run itself hears
    it once the first batch is there. Windows knows no held-back signals.
    """
    with _stops_held_back():
        iterator = iter(batches)
        first = list(itertools.islice(iterator, 1))
    yield from first
    yield from iterator


@contextmanager
def _stops_held_back() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    if multiprocessing.get_start_method() != "fork":
        resource_tracker.ensure_running()  # its first start would let the signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def deaths_of_workers_named(folder: Path) -> Iterator[None]:
    """Turn a worker's death, which PyTorch reports as a bare RuntimeError, into words and a mend.

    Args:
        folder: the run's.

    Raises:
        TrainingError: a worker was killed, or ran out of memory. The step in hand may be half done: nothing is saved.
    """
    try:
        yield
    except (RuntimeError, ConnectionError, EOFError) as error:  # the latter: in mid-batch
        if isinstance(error, RuntimeError) and "DataLoader worker" not in str(error):
            raise
        reason = str(error).split("\n")[0].strip().removesuffix(".") or type(error).__name__
        raise TrainingError(
            f"A process that prepares pictures ended before its work was done ({reason}): something killed it, or the "
            f"memory ran out. {_how_to_go_on(folder)} If it happens again, --workers 0 needs no such processes."
        ) from error


def _how_to_go_on(folder: Path) -> str:
    try:
        newest = load_newest(folder)
    except CheckpointError as error:
        return f"{error}"
    if newest is None:
        return "No checkpoint was written yet: start again with the same command."
    return f"Go on from {newest[0]} with the same command and --resume."
