"""What judges are made of: running a learner's code, and comparing what it gives with what is right."""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from jaalnet_core.course.exercise import Exercise
from jaalnet_core.course.outcome import Outcome
from jaalnet_core.course.own_work import PACKAGE, not_own, watched
from jaalnet_core.course.sameness import disagreement


class Wrong(Exception):
    """The answer is not right yet; the message says why, in the learner's terms."""


class NotAttempted(Exception):
    """There is no answer yet."""


@dataclass
class _Sitting:
    """What holds while one answer is judged."""

    allowed: Sequence[str] = ()
    seed: int = field(default_factory=lambda: secrets.randbits(32))
    drawn: int = 0


UNREADABLE = "the check cannot read what your answer returns; look at its type and shape"
_sitting: ContextVar[_Sitting | None] = ContextVar("sitting", default=None)


def judged(exercise: Exercise, answers: Sequence[Any], seed: int | None = None) -> tuple[Outcome, str]:
    """Judge the answers to an exercise.

    The random numbers of the lesson are as before afterwards.

    Args:
        seed: of the random shapes and weights; by default another one each time.

    Returns:
        the outcome, and why where it is `NOT_YET`.
    """
    sitting = _Sitting(exercise.allowed) if seed is None else _Sitting(exercise.allowed, seed)
    token = _sitting.set(sitting)
    numpy_state = np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(sitting.seed)
            np.random.seed(sitting.seed)
            for answer in answers:
                _must_be_own(answer, sitting.allowed)
            exercise.judge(*answers)
    except Wrong as wrong:
        return Outcome.NOT_YET, str(wrong)
    except NotAttempted:
        return Outcome.NOT_ATTEMPTED, ""
    except Exception as error:  # the judge stumbled over what it was given: words for the learner, no traceback
        return Outcome.NOT_YET, f"{UNREADABLE} ({type(error).__name__}: {' '.join(str(error).split())[:120]})."
    finally:
        np.random.set_state(numpy_state)
        _sitting.reset(token)
    return Outcome.PASSED, ""


def attempted(value: Any) -> None:
    """Say that there is no answer yet where a value is still `...`.

    Raises:
        NotAttempted: it is.
    """
    if value is ...:
        raise NotAttempted


def call(answer: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run a learner's function, class or module, and return what it returns.

    Raises:
        NotAttempted: it raises NotImplementedError itself, or returns `...`.
        Wrong: it raises anything else, returns None, or uses what is not its author's own.
    """
    attempted(answer)
    allowed = (_sitting.get() or _Sitting()).allowed
    if not callable(answer):
        raise Wrong(f"the answer is {_a(answer)}, expected a function or class.")
    with _in_words(), watched(allowed) as used:
        result = answer(*args, **kwargs)
    if used:
        raise Wrong(f"uses {used[0]}: write this one yourself, without the package's own component.")
    attempted(result)
    if result is None:
        raise Wrong(f"{_name(answer)} returned None: is a `return` missing?")
    _must_be_own(result, allowed)
    return result


def expect(condition: object, words: str) -> None:
    """Go on where a condition holds.

    Raises:
        Wrong: it does not; the words say why.
    """
    if not condition:
        raise Wrong(words)


def same_shape(found: Any, expected: Sequence[int], what: str) -> None:
    """Go on where a tensor or array has a shape.

    Raises:
        Wrong: it has another, or is none.
    """
    if not hasattr(found, "shape"):
        raise Wrong(f"{what} is {_a(found)}, expected a tensor of shape {tuple(expected)}.")
    if tuple(found.shape) != tuple(expected):
        raise Wrong(f"{what} has shape {tuple(found.shape)}, expected {tuple(expected)}.")


def close(found: Any, expected: Any, what: str, tolerance: float = 1e-5) -> None:
    """Go on where two numbers, tensors, arrays or tuples of them agree.

    Args:
        tolerance: largest difference, relative to the largest expected value where that is above 1.

    Raises:
        Wrong: they do not; shapes are compared first.
    """
    if isinstance(expected, (tuple, list)):
        if not isinstance(found, (tuple, list)) or len(found) != len(expected):
            length = f"{len(found)} values" if isinstance(found, (tuple, list)) else _a(found)
            raise Wrong(f"{what}: found {length}, expected {len(expected)} values.")
        for place, (one, other) in enumerate(zip(found, expected, strict=True), 1):
            close(one, other, f"{what}, value {place}", tolerance)
        return
    if words := disagreement(_tensor(found, what), _tensor(expected, what), tolerance, ("yours", "expected")):
        raise Wrong(f"{what}: {words}")


def agrees(found: Any, expected: Any, tolerance: float = 1e-5) -> bool:
    """Whether `close` would go on: to recognise what a plausible mistake gives."""
    try:
        close(found, expected, "", tolerance)
    except Wrong:
        return False
    return True


def generator() -> np.random.Generator:
    """Random numbers for shapes and values: others in each sitting, and in each call within one."""
    sitting = _sitting.get() or _Sitting()
    sitting.drawn += 1
    return np.random.default_rng([sitting.seed, sitting.drawn])


@contextmanager
def _in_words() -> Iterator[None]:
    """Turn what a learner's code raises into words, with the line it came from."""
    try:
        yield
    except (Wrong, NotAttempted):
        raise
    except Exception as error:
        frames = list(traceback.walk_tb(error.__traceback__))
        last, own = frames[-1][0], [(frame, line) for frame, line in frames if _is_learners(frame)]
        if isinstance(error, NotImplementedError) and own and own[-1][0] is last:
            raise NotAttempted from None
        where = f" (line {own[-1][1]} of your code)" if own else ""
        words = " ".join(str(error).split())
        raise Wrong(f"it raised {type(error).__name__}: {words[:200]}{where}") from error


def _is_learners(frame: FrameType) -> bool:
    module = str(frame.f_globals.get("__name__", ""))
    return module.partition(".")[0] not in (PACKAGE, "torch", "numpy", "cv2", "contextlib", "functools")


def _must_be_own(thing: Any, allowed: Sequence[str]) -> None:
    if words := not_own(thing, allowed):
        raise Wrong(f"the answer {words}: write this one yourself, without the package's own component.")


def _tensor(value: Any, what: str) -> Tensor:
    if isinstance(value, Tensor):
        return value.detach()
    try:
        return torch.as_tensor(np.asarray(value, dtype=np.float64))
    except (TypeError, ValueError):
        raise Wrong(f"{what}: found {_a(value)}, expected numbers.") from None


def _name(answer: Any) -> str:
    return getattr(answer, "__name__", type(answer).__name__)


def _a(value: Any) -> str:
    """What a value is, in few words."""
    if value is None:
        return "None"
    if isinstance(value, (bool, int, float, str)):
        return repr(value)[:60]
    return f"a {type(value).__name__}"
