"""Run lessons as a learner would, top to bottom in a fresh kernel, and keep their outputs."""

from __future__ import annotations

import copy
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from jaalnet_core.course.lessons import (
    NOTEBOOKS,
    fill_in,
    find_lessons,
    lesson_of,
    read_notebook,
    write_notebook,
)
from jaalnet_core.errors import JaalnetError

CELL_LIMIT = 300  # seconds
FAST_AND_SYNTHETIC = {"JAALNET_PROFILE": "fast", "JAALNET_DATA": "synthetic"}


@dataclass(frozen=True)
class Measured:
    """What a run of all cells took.

    Attributes:
        seconds: from the kernel's start to the last cell's end.
        megabytes: the kernel's largest resident memory, child processes included.
    """

    seconds: float
    megabytes: int


def run_in_place(path: Path) -> Measured:
    """Run a lesson in the fast profile on synthetic pictures and write it back with its outputs and measurements.

    A lesson that fails leaves the file as it was.

    Raises:
        JaalnetError: a cell raised; the message names the lesson and holds the cell and its traceback.
    """
    notebook = read_notebook(path)
    measured = execute(notebook, path, FAST_AND_SYNTHETIC)
    notebook.metadata["jaalnet"]["measured"] = {
        "seconds": round(measured.seconds, 1),
        "megabytes": measured.megabytes,
        "profile": FAST_AND_SYNTHETIC["JAALNET_PROFILE"],
        "pictures": FAST_AND_SYNTHETIC["JAALNET_DATA"],
    }
    _forget_the_machine(notebook)
    write_notebook(notebook, path)
    refresh(path.parent)
    return measured


def execute(notebook: Any, path: Path, environment: Mapping[str, str]) -> Measured:
    """Run every cell of a notebook in memory, from its own folder; outputs replace those there.

    Args:
        notebook: as nbformat reads it; changed in place.
        path: where it lies, or would lie.
        environment: variables that the kernel gets on top of this process's own.

    Raises:
        JaalnetError: a cell raised, ran longer than `CELL_LIMIT`, or the kernel died.
    """
    client = NotebookClient(
        notebook, timeout=CELL_LIMIT, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    started = time.monotonic()
    try:
        with _Peak() as peak:
            client.execute(env={**os.environ, **environment})
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise JaalnetError(f"{path}: {error}") from error
    return Measured(time.monotonic() - started, round(peak.bytes / 1e6))


def refresh(folder: Path = NOTEBOOKS) -> None:
    """Bring the generated cells of every lesson of a folder up to date, without running any."""
    lessons = find_lessons(folder)
    for lesson in lessons:
        notebook = read_notebook(lesson.path)
        before = copy.deepcopy(notebook)
        fill_in(notebook, lesson_of(lesson.path), lessons)
        if before != notebook:
            write_notebook(notebook, lesson.path)


def _forget_the_machine(notebook: Any) -> None:
    """Drop what differs from run to run without meaning anything: times of cells, the interpreter's version."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    notebook.metadata.get("language_info", {}).pop("version", None)


class _Peak:
    """Watch the resident memory of the processes that this one started."""

    def __enter__(self) -> _Peak:
        self.bytes = 0
        self._others = {child.pid for child in psutil.Process().children(recursive=True)}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.2):
            total = 0
            for child in psutil.Process().children(recursive=True):
                if child.pid not in self._others:
                    try:
                        total += child.memory_info().rss
                    except psutil.Error:  # ended meanwhile
                        continue
            self.bytes = max(self.bytes, total)
