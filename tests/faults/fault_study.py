"""A fault that can happen to a user, how often it is tried, and what came of it."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Tally:
    """What came of a fault, try by try.

    Attributes:
        outcomes: how often each outcome was seen, in words ("resumed, same weights").
        broken: a line for every try that did not keep the promise: what was tried, and what happened instead.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def kept(self, outcome: str) -> None:
        """One try that ended as promised."""
        self.outcomes[outcome] += 1

    def broke(self, what: str) -> None:
        """One try that did not."""
        self.outcomes["promise broken"] += 1
        self.broken.append(what)

    @property
    def times(self) -> int:
        return self.outcomes.total()


@dataclass(frozen=True)
class Study:
    """One kind of fault.

    Attributes:
        area: the heading it stands under in the table ("Killed").
        fault: what is done ("SIGKILL at a random moment of a training").
        promise: what must hold afterwards, every time.
        short: tries in `make test`; seconds.
        long: tries in `make soak`; minutes.
        run: does it: (tries, an empty folder) -> what came of it. Repeatable: random choices come from a fixed seed.
        lacking: says what this machine lacks to try it (root, Linux); None where it can be tried.
    """

    area: str
    fault: str
    promise: str
    short: int
    long: int
    run: Callable[[int, Path], Tally]
    lacking: Callable[[], str | None] = lambda: None


def needs_linux() -> str | None:
    """For `Study.lacking`: signals, limits of memory and forks as Linux has them."""
    return None if sys.platform == "linux" else "needs Linux"


def needs_root() -> str | None:
    """For `Study.lacking`: file systems of its own, and other users."""
    return None if sys.platform == "linux" and os.geteuid() == 0 else "needs root on Linux"
