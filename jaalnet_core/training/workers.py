"""Processes that prepare pictures beside the training (`--workers`): who stops them, and what their end means."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jaalnet_core.errors import CheckpointError, TrainingError
from jaalnet_core.training.checkpoint import load_newest


def leave_stopping_to_the_run(worker: int) -> None:
    """For a data loader's `worker_init_fn`: a terminal's Ctrl-C reaches every process, and only the run answers it.

    The run finishes its step, saves, and ends its workers itself.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


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
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        reason = str(error).split("\n")[0].strip().removesuffix(".")
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
