"""The most memory that a piece of work takes, seen from a thread beside it, and where it counts in its own process."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import psutil

from jaalnet_core.errors import SettingsError

MEGABYTE = 2**20
_PAUSE = 0.002  # seconds between two looks


def peak_of(work: Callable[[], object]) -> float:
    """Most memory (resident) that this process held while `work()` ran, above what it held before, in MB."""
    process, done = psutil.Process(), threading.Event()
    before = peak = process.memory_info().rss

    def watch() -> None:
        nonlocal peak
        while not done.wait(_PAUSE):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    return (max(peak, process.memory_info().rss) - before) / MEGABYTE


def in_fresh_process(function: Callable[..., Any], *arguments: Any, name: str, mend: str) -> Any:
    """`function(*arguments)`, computed in a new process, in which nothing that came before counts.

    Args:
        function: importable by its name.
        name, mend: for the error, what was computed and what may help.

    Raises:
        SettingsError: the process ended without an answer.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(sender, function, arguments))
    process.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError as error:
        raise SettingsError(
            f"{name}: its process ended while its memory was read, perhaps for want of it; {mend}."
        ) from error
    finally:
        process.join()


def _answer(sender: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    sender.send(function(*arguments))
    sender.close()
