"""SIGKILL while training: inside checkpoint writing, and at any time. Then on with --resume, to the same weights."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import torch
from fault_study import Study, Tally, needs_linux
from training_process import Prepare, difference, newest_step, said, start, to_the_end, whole_run

from jaalnet_core.errors import JaalnetError
from jaalnet_core.training import loop

REACH = 60  # a start is killed at one of its first so many moments of writing; an epoch's end has about 50


class Killer:
    """Counts the moments of checkpoint writing, and kills its own process at the given one.

    A moment is before and after every torch.save, write, rename, hard link and fsync, and in the middle of a write,
    after some of its bytes.
    """

    def __init__(self, moment: int, share: float) -> None:
        self.left, self.share, self.armed = moment, share, False

    def reach(self) -> bool:
        """Another moment; whether it is the one."""
        self.left -= self.armed
        return self.armed and self.left == 0

    def die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)

    def around(self, real: Callable) -> Callable:
        """The same, with a moment before and one after."""

        def call(*args, **options):
            if self.reach():
                self.die()
            result = real(*args, **options)
            if self.reach():
                self.die()
            return result

        return call

    def around_write(self, real: Callable, path_at: int) -> Callable:
        """The same for what writes a file; the moment in the middle leaves a part of the bytes."""

        def call(*args, **options):
            if not self.reach():
                return real(*args, **options)
            real(*args, **options)
            os.truncate(args[path_at], int(self.share * os.path.getsize(args[path_at])))
            return self.die()

        return self.around(call)

    def while_armed(self, real: Callable) -> Callable:
        """The same, with moments counted inside it."""

        def call(*args, **options):
            self.armed = True
            try:
                return real(*args, **options)
            finally:
                self.armed = False

        return call


def kill_inside_writing(moment: int, share: float, prepare: Prepare = bool) -> None:
    """In a child: arm a `Killer` around everything that writes, while a checkpoint is saved or a resume tidies up."""
    killer = Killer(moment, share)
    prepare()
    for name in ("replace", "rename", "link", "fsync"):
        setattr(os, name, killer.around(getattr(os, name)))
    torch.save = killer.around_write(torch.save, 1)
    Path.write_bytes = killer.around_write(Path.write_bytes, 0)
    loop.save_epoch = killer.while_armed(loop.save_epoch)
    loop.resume = killer.while_armed(loop.resume)


@dataclass
class Chain:
    """One run that is disturbed again and again, until it ends; its disturbances count when the end is right."""

    folder: Path
    whole: Path
    tally: Tally
    pending: list[str]
    prepare: Prepare = bool
    steps: int = 0

    def look(self, what: str) -> None:
        """After a disturbance: the newest checkpoint loads, and never goes back."""
        before, self.steps = self.steps, newest_step(self.folder)
        if self.steps < before:
            raise AssertionError(f"{what}: the newest checkpoint went back from step {before} to {self.steps}")
        self.pending.append("went on from the newest checkpoint" if self.steps else "no checkpoint yet: began again")

    def end(self) -> None:
        """Let it run to its end, and count."""
        code = to_the_end(self.folder, self.prepare)
        self.judge(f"ended with {code}: {said(self.folder)}" if code else difference(self.folder, self.whole))

    def judge(self, fault: str | None) -> None:
        for words in self.pending:
            if fault is None:
                self.tally.kept(f"{words}; same weights and log")
            else:
                self.tally.broke(f"{self.folder.name}: {fault}")
        self.pending.clear()


def disturbed(times: int, folder: Path, disturb: Callable[[Path, int], int], prepare: Prepare) -> Tally:
    """So many disturbances in chains.

    Args:
        disturb: (a run's folder, number of the try) -> exit code: 0 finished, below 0 disturbed.
    """
    tally = Tally()
    whole = whole_run(folder / "whole")
    tries = itertools.count()
    for link in itertools.count():
        chain = Chain(folder / f"run-{link}", whole, tally, [], prepare)
        try:
            while tally.times + len(chain.pending) < times and (code := disturb(chain.folder, next(tries))) != 0:
                if code > 0:
                    raise AssertionError(f"ended with {code}: {said(chain.folder)}")
                chain.look(f"exit code {code}")
            chain.end()
        except (AssertionError, JaalnetError) as error:
            chain.pending.append("disturbed")
            chain.judge(str(error))
        if tally.times >= times:
            return tally


def inside_writing(times: int, folder: Path, prepare: Prepare = bool) -> Tally:
    """Killed before, in the middle of, or after a step of checkpoint writing."""

    def disturb(run: Path, number: int) -> int:
        random = Random(number)
        kill = partial(kill_inside_writing, random.randint(1, REACH), random.random(), prepare)
        return to_the_end(run, kill)

    return disturbed(times, folder, disturb, prepare)


def at_any_time(times: int, folder: Path, number: int = signal.SIGKILL, prepare: Prepare = bool) -> Tally:
    """Killed from outside after a random time, from the process's first moment to about its last."""
    to_the_end(folder / "first")  # the first process imports everything; a kill after it would come too late
    started = time.monotonic()
    to_the_end(folder / "clock")
    lasts = time.monotonic() - started

    def disturb(run: Path, each: int) -> int:
        process = start(run, prepare)
        process.join(Random(each).uniform(0.1, 0.9) * lasts)
        if process.is_alive():
            os.kill(process.pid, number)
            process.join()
            # a run that was asked to stop ends well, and is not finished
            return process.exitcode or -number
        return process.exitcode

    return disturbed(times, folder, disturb, prepare)


_PROMISE = (
    "the newest checkpoint loads; --resume ends with the weights, optimisers and log of a run that was never killed, "
    "bit for bit"
)
STUDIES = [
    Study(
        "Killed",
        "SIGKILL inside checkpoint writing: before, in the middle of and after each write, rename, link and fsync",
        _PROMISE,
        4,
        60,
        inside_writing,
        needs_linux,
    ),
    Study("Killed", "SIGKILL at a random time of a training", _PROMISE, 2, 50, at_any_time, needs_linux),
    Study(
        "Killed",
        "SIGTERM (as by a shutdown) at a random time of a training",
        _PROMISE,
        1,
        15,
        partial(at_any_time, number=signal.SIGTERM),
        needs_linux,
    ),
]
