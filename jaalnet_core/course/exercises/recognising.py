"""Recognise a mistake by the number that it would give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaalnet_core.course.judging import Wrong, agrees, close


def recognise(found: Any, expected: Any, mistakes: Mapping[str, Any], what: str, tolerance: float = 1e-5) -> None:
    """Go on where a value is right; else name the mistake that it looks like.

    Args:
        found: the learner's value.
        expected: the right one.
        mistakes: words on a mistake, and what it would give; those that give the right value here are left out.
        what: was asked for, such as "the Dice for tp 3, fp 1, fn 2".
        tolerance: as in `judging.close`.

    Raises:
        Wrong: with the words on the first mistake that gives the value found; else with both values.
    """
    if agrees(found, expected, tolerance):
        return
    for words, value in mistakes.items():
        if not agrees(value, expected, tolerance) and agrees(found, value, tolerance):
            raise Wrong(f"{what} is {written(found)}, expected {written(expected)}: {words}")
    close(found, expected, what, tolerance)


def written(value: Any) -> str:
    """A number, or a pair of numbers, in few digits."""
    numbers = np.asarray([np.asarray(one, dtype=np.float64).item() for one in np.atleast_1d(np.asarray(value))])
    text = ", ".join(f"{number:.4g}" for number in numbers)
    return f"({text})" if isinstance(value, (tuple, list)) else text
