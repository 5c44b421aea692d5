"""What a room of learners takes: several kernels of one lesson at once, and how much of their memory they share.

Kernels that run from one installation share the pages of its libraries (torch is the largest); each has its own data.
So thirty kernels take thirty times the private part and once the shared one: less than thirty times one kernel.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from jaalnet_core.course.lessons import Lesson, read_notebook
from jaalnet_core.course.running import CELL_LIMIT, FAST_AND_SYNTHETIC
from jaalnet_core.errors import JaalnetError

_EVERY = 0.5  # seconds between two looks
_LONGEST_WAIT = 3600.0  # seconds that a kernel waits for the slowest one
MEGABYTE = 1e6


@dataclass(frozen=True)
class Share:
    """The memory of one kernel, in bytes.

    Attributes:
        private: pages of its own data: resident memory that belongs to no file.
        library: resident pages of files, which kernels of one installation share.
        proportional: PSS, private pages plus each shared page divided by the number of those who share it.
    """

    private: int
    library: int
    proportional: int


@dataclass(frozen=True)
class RoomMemory:
    """Several kernels of a lesson, run at once.

    Attributes:
        lesson: its number.
        kernels: how many.
        at_rest: a share each, all cells run and every kernel still there.
        largest_private: of each kernel, the most private bytes at any time.
        largest_together: the most that all private bytes came to at one time.
        seconds: from the first kernel's start to the last one's last cell.
    """

    lesson: int
    kernels: int
    at_rest: tuple[Share, ...]
    largest_private: tuple[int, ...]
    largest_together: int
    seconds: float

    @property
    def library(self) -> int:
        """Bytes of libraries in memory, counted once: those of the kernel that has most."""
        return max(share.library for share in self.at_rest)

    def estimate(self, kernels: int) -> tuple[int, int]:
        """Bytes for so many kernels of this lesson: at rest, and when all reach their largest at once.

        The libraries once, the mean private part for each. Without what the system and JupyterLab's servers take.
        """
        at_rest = sum(share.private for share in self.at_rest) / self.kernels
        largest = sum(self.largest_private) / self.kernels
        return round(self.library + kernels * at_rest), round(self.library + kernels * largest)

    def lines(self, room: int = 30) -> list[str]:
        """For people, in megabytes of a million bytes."""

        def mean(values: list[int]) -> str:
            return f"{sum(values) / len(values) / MEGABYTE:.0f} MB"

        rest, largest = self.estimate(room)
        return [
            f"lesson {self.lesson:02d}, {self.kernels} kernels at once, all cells run after {self.seconds:.0f} s",
            f"each at rest: private {mean([share.private for share in self.at_rest])}, "
            f"libraries {mean([share.library for share in self.at_rest])}, "
            f"PSS {mean([share.proportional for share in self.at_rest])}",
            f"each at its largest: private {mean(list(self.largest_private))}; "
            f"all together at one time: {self.largest_together / MEGABYTE:.0f} MB private",
            f"libraries, shared by all: {self.library / MEGABYTE:.0f} MB",
            f"{room} kernels: {rest / 1e9:.1f} GB at rest, {largest / 1e9:.1f} GB if all were at their largest at once",
        ]


def share_of(process: psutil.Process) -> Share:
    """The memory of a process.

    Raises:
        JaalnetError: the system does not tell (only Linux does).
    """
    memory = process.memory_full_info()
    if not hasattr(memory, "pss"):
        raise JaalnetError("lessons memory: this system does not say which memory is shared, expected Linux.")
    return Share(memory.rss - memory.shared, memory.shared, memory.pss)


def measure_room(lesson: Lesson, kernels: int, environment: Mapping[str, str] | None = None) -> RoomMemory:
    """Run every cell of a lesson in several kernels at once, wait until all are through, and look at their memory.

    Nothing is written; the lesson's outputs stay as they are.

    Args:
        lesson: which.
        kernels: from 1 up; each takes about what the lesson's map says.
        environment: variables of the kernels; by default the fast profile on synthetic pictures.

    Raises:
        JaalnetError: a cell raised or ran too long, a kernel died, or the system does not tell.
    """
    if kernels < 1:
        raise JaalnetError(f"--kernels: found {kernels}, expected at least 1.")
    share_of(psutil.Process())  # before anything is started
    notebook = read_notebook(lesson.path)
    watch = _Watch()
    all_through = threading.Barrier(kernels + 1)
    looked_at = threading.Event()
    variables = {**os.environ, **(FAST_AND_SYNTHETIC if environment is None else environment)}
    started = time.monotonic()
    with ThreadPoolExecutor(kernels + 1) as pool:
        watching = pool.submit(watch.run)
        learners = [
            pool.submit(_learner, deepcopy(notebook), lesson.path, variables, watch, all_through, looked_at)
            for _ in range(kernels)
        ]
        try:
            all_through.wait(_LONGEST_WAIT)
            seconds = time.monotonic() - started
            at_rest = tuple(share_of(process) for process in watch.processes)
        except threading.BrokenBarrierError:
            pass  # a learner failed; its error is raised below
        finally:
            looked_at.set()
            watch.stop.set()
        for one in (*learners, watching):
            one.result()
    largest = tuple(watch.largest[process.pid] for process in watch.processes)
    return RoomMemory(lesson.number, kernels, at_rest, largest, watch.largest_together, seconds)


def _learner(
    notebook: Any,
    path: Path,
    environment: Mapping[str, str],
    watch: _Watch,
    all_through: threading.Barrier,
    looked_at: threading.Event,
) -> None:
    """One kernel from its start to the moment when all have been looked at."""
    client = NotebookClient(
        notebook, timeout=CELL_LIMIT, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    try:
        with client.setup_kernel(env=dict(environment)):
            watch.add(client.km.provisioner.pid)
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
            all_through.wait(_LONGEST_WAIT)
            looked_at.wait(_LONGEST_WAIT)
    except threading.BrokenBarrierError:
        return  # another one failed and says so
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        all_through.abort()
        raise JaalnetError(f"{path}: {error}") from error
    except BaseException:
        all_through.abort()
        raise


class _Watch:
    """Looks at the private memory of some processes again and again."""

    def __init__(self) -> None:
        self.processes: list[psutil.Process] = []
        self.largest: dict[int, int] = {}
        self.largest_together = 0
        self.stop = threading.Event()

    def add(self, pid: int) -> None:
        self.largest[pid] = 0
        self.processes.append(psutil.Process(pid))

    def run(self) -> None:
        while not self.stop.wait(_EVERY):
            together = 0
            for process in list(self.processes):
                try:
                    memory = process.memory_info()  # quick: two numbers, no walk through all pages
                except psutil.Error:  # ended
                    continue
                private = memory.rss - getattr(memory, "shared", 0)
                self.largest[process.pid] = max(self.largest[process.pid], private)
                together += private
            self.largest_together = max(self.largest_together, together)
