"""A disk that is full, and a folder that may not be written: a clear error, and on as soon as there is room again."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random

from fault_study import Study, Tally, needs_root
from training_process import REFUSED, Prepare, difference, newest_step, said, to_the_end, whole_run

from jaalnet_core.training import loop

NOBODY = 65534


@contextmanager
def small_disk(at: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of so many kilobytes, mounted at `at`."""
    at.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", at], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", at], check=True)


def filled_up(times: int, folder: Path, prepare: Prepare = bool) -> Tally:
    """A training on a disk that has too little room, at another point each time; then there is room again."""
    tally = Tally()
    whole = whole_run(folder / "whole")
    needed = int(subprocess.run(["du", "-sk", whole], check=True, capture_output=True, text=True).stdout.split()[0])
    for number in range(times):
        with small_disk(folder / f"disk-{number}", Random(number).randint(1, needed)) as disk:
            run = disk / "run"
            fault = _refused(run, Path(folder / f"run-{number}"), prepare)
            steps = 0 if fault else newest_step(run)
            if fault is None:
                subprocess.run(["mount", "-o", f"remount,size={4 * needed}k", disk], check=True)
                code = to_the_end(run)
                fault = f"afterwards it ended with {code}" if code else difference(run, whole)
        _count(tally, number, fault, "a checkpoint was there" if steps else "no checkpoint yet")
    return tally


def _refused(run: Path, aside: Path, prepare: Prepare) -> str | None:
    """Train where it cannot end well; what is wrong with how it ended, or None."""
    code = to_the_end(run, partial(_errors_aside, run, aside, prepare))
    words = said(aside)
    if code != REFUSED:
        return f"ended with {code}: {words}"
    return None if str(run) in words and "could not be written" in words else f"it said: {words}"


def _errors_aside(run: Path, aside: Path, prepare: Prepare) -> None:
    """In a child: its error goes to where there is room for it."""
    import training_process

    real = training_process.error_file
    training_process.error_file = lambda folder: real(aside if folder == run else folder)
    prepare()


def _count(tally: Tally, number: int, fault: str | None, outcome: str) -> None:
    if fault is None:
        tally.kept(f"clear error, {outcome}; then on to the same weights and log")
    else:
        tally.broke(f"try {number}: {fault}")


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user may write; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def as_nobody(run: Path, closing: int = 0) -> None:
    """In a child: go on as a user without rights; before the checkpoint of epoch `closing`, the folder is closed."""
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    real = loop.save_epoch

    def save_epoch(state, folder):
        if state.progress.epoch == closing:
            run.chmod(0o555)
        real(state, folder)

    loop.save_epoch = save_epoch


def never_writable(times: int, folder: Path) -> Tally:
    """The folder belongs to somebody else."""
    tally = Tally()
    for number in range(times):
        with open_folder() as place:
            run = place / "run"
            run.mkdir(mode=0o555)
            fault = _refused(run, run, partial(as_nobody, run))
            left = sorted(path.name for path in run.iterdir())
            if fault is None and not left:
                tally.kept("clear error, nothing written")
            else:
                tally.broke(f"try {number}: {fault}; left {left}")
    return tally


def closed_meanwhile(times: int, folder: Path) -> Tally:
    """The folder loses its permission in mid-run, and gets it back."""
    tally = Tally()
    whole = whole_run(folder / "whole")
    for number in range(times):
        with open_folder() as place:
            run, closing = place / "run", 1 + number % 3
            fault = _refused(run, run, partial(as_nobody, run, closing))
            steps = 0 if fault else newest_step(run)
            if fault is None and steps != 2 * (closing - 1):
                fault = f"closed before epoch {closing} was saved, the newest checkpoint is of step {steps}"
            if fault is None:
                run.chmod(0o755)
                code = to_the_end(run, partial(as_nobody, run))
                fault = f"afterwards it ended with {code}: {said(run)}" if code else difference(run, whole)
            _count(tally, number, fault, "a checkpoint was there" if steps else "no checkpoint yet")
    return tally


_ROOM = "an error names the folder; what was saved stays; --resume ends with the same weights and log"
STUDIES = [
    Study(
        "Disk",
        "the disk is full at a random point of a training (a small tmpfs)",
        _ROOM,
        2,
        12,
        filled_up,
        needs_root,
    ),
    Study(
        "Disk",
        "the run's folder belongs to another user",
        "an error names the folder, and nothing is written",
        1,
        5,
        never_writable,
        needs_root,
    ),
    Study("Disk", "the run's folder becomes read-only in mid-run", _ROOM, 1, 6, closed_meanwhile, needs_root),
]
