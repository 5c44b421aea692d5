"""One run in a folder at a time: the second is told who the first is; a lock whose owner was killed is taken over."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from jaalnet_core.errors import SettingsError
from jaalnet_core.files import write_json
from jaalnet_core.training.writing import writing

LOCK, OWNER = ".running.lock", ".running.json"
_PATIENCE = 15.0  # seconds: so long at most do a killed run's loader processes live on, and hold its lock


@contextmanager
def only_run_in(folder: Path, say: Callable[[str], None] = print) -> Iterator[None]:
    """Make `folder` and hold it for this process.

    The system holds the lock (`.running.lock`) and gives it back when the process ends, however it ends; who holds it
    stands in `.running.json`. Where the file system knows no locks, nothing is held, and `say` is told.

    Raises:
        SettingsError: another process trains there; folder, process and host are named.
        CheckpointError: the folder cannot be made or written.
    """
    folder = Path(folder)
    with writing(folder, "the run's folder"):
        folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK)
    _acquire(lock, folder, say)
    try:
        if (before := _owner(folder)) is not None:
            say(f"{folder}: the run before this one ({_words(before)}) was cut off; its lock is taken over.")
        with writing(folder, "the run's folder"):
            write_json(folder / OWNER, _this_process())
        yield
    finally:
        with suppress(OSError):
            (folder / OWNER).unlink()
        lock.release()


def _acquire(lock: FileLock, folder: Path, say: Callable[[str], None]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not _try_to_acquire(lock, folder, say):
        owner = _owner(folder)
        if (owner is not None and not _has_ended(owner)) or time.monotonic() > deadline:
            who = "a process that did not say its name" if owner is None else _words(owner)
            raise SettingsError(
                f"--out: another run trains in {folder} ({who}). Wait for its end, stop it, or name another folder by "
                "--out."
            )
        time.sleep(0.1)  # it is just writing its name, or was killed and its loader processes are about to notice


def _try_to_acquire(lock: FileLock, folder: Path, say: Callable[[str], None]) -> bool:
    with writing(folder, "the run's lock"):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
        except NotImplementedError:
            say(f"{folder}: lies on a file system without locks; see yourself that no other run trains there.")
    return True


def _this_process() -> dict[str, Any]:
    return {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def _owner(folder: Path) -> dict[str, Any] | None:
    """Who wrote `.running.json`; None where it is missing or damaged."""
    try:
        owner = json.loads((folder / OWNER).read_text(encoding="utf-8"))
        return {"process": int(owner["process"]), "host": str(owner["host"]), "since": str(owner["since"])}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _has_ended(owner: dict[str, Any]) -> bool:
    return owner["host"] == socket.gethostname() and not psutil.pid_exists(owner["process"])


def _words(owner: dict[str, Any]) -> str:
    return f"process {owner['process']} on {owner['host']}, since {owner['since']}"
