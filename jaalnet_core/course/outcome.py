"""What became of an answer: the three outcomes of every exercise and every question."""

from __future__ import annotations

import textwrap
from enum import Enum

WIDTH = 96  # characters of a printed line


class Outcome(Enum):
    """The words are printed, so nothing depends on colour."""

    PASSED = "passed"
    NOT_YET = "not yet"
    NOT_ATTEMPTED = "not attempted"


def say(words: str) -> None:
    """Print words in lines that fit into a cell."""
    print(textwrap.fill(words, WIDTH, break_long_words=False, break_on_hyphens=False))
