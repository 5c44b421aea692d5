"""A try in a process of its own: bounded in memory and time, and whatever becomes of it, the study goes on."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Iterator

from fault_study import Tally

from jaalnet_core.errors import JaalnetError

BROKEN = "broken: "


def apart(tries: list[Callable[[], str]], *, megabytes: int, seconds: float) -> Iterator[str]:
    """What each try says, made in one forked process with so much more memory and so much time for each.

    A `JaalnetError` of a try that is one line becomes "a clear error"; any other exception, a try that dies, takes too
    long or too much memory, becomes a line that begins with `BROKEN`.
    """
    done = 0
    while done < len(tries):  # once, but for tries that end their process
        answers = _forked(tries[done:], megabytes, seconds)
        yield from answers
        done += len(answers)


def tally_apart(tries: list[Callable[[], str]], *, megabytes: int, seconds: float) -> Tally:
    """What came of them, fifty to a process: none can spoil the memory of another for long."""
    tally = Tally()
    for start in range(0, len(tries), 50):
        answers = apart(tries[start : start + 50], megabytes=megabytes, seconds=seconds)
        for number, said in enumerate(answers, start):
            tally.broke(f"try {number}: {said}") if said.startswith(BROKEN) else tally.kept(said)
    return tally


def _forked(tries: list[Callable[[], str]], megabytes: int, seconds: float) -> list[str]:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        _answer(tries, megabytes, seconds, write)
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as lines:
        answers = [json.loads(line) for line in lines if line.endswith("\n")]
    _, status = os.waitpid(child, 0)
    if len(answers) < len(tries):
        ended = os.waitstatus_to_exitcode(status)
        answers.append(f"{BROKEN}the process ended with {ended} (-{signal.SIGALRM.value} is: not within {seconds} s)")
    return answers


def _answer(tries: list[Callable[[], str]], megabytes: int, seconds: float, write: int) -> None:
    """In the child: try one after the other, and leave without looking back."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            here = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (here + megabytes * 1_000_000,) * 2)
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(1)  # the pool of threads did not come along
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        for one in tries:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            os.write(write, (json.dumps(said(one)) + "\n").encode())
    finally:
        os._exit(0)


def said(one: Callable[[], str]) -> str:
    """What a try says, or what its error means for a user."""
    try:
        return one()
    except JaalnetError as error:
        return "a clear error" if "\n" not in str(error) else f"{BROKEN}an error of several lines: {error}"
    except BaseException as error:  # whatever it is: a user would see a traceback
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{BROKEN}{type(error).__name__}: {str(error)[:200]} ({place.filename.split('/')[-1]}:{place.lineno})"
