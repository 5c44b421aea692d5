"""Whether an answer is a learner's own work, or imports, subclasses, calls or returns the package's component."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType, FunctionType, ModuleType
from typing import Any

from torch import nn

PACKAGE = __name__.partition(".")[0]
_ALWAYS = (f"{PACKAGE}.errors", f"{PACKAGE}.size")


def not_own(answer: Any, allowed: Sequence[str]) -> str:
    """Words on a component of this package that `answer` is, subclasses or holds; empty where it is the learner's own.

    What an allowed component holds for its own work is not counted.

    Args:
        answer: a function, class, module or value.
        allowed: dotted names that may be used.
    """
    if isinstance(answer, ModuleType):
        return f"is the module {answer.__name__}" if _foreign(answer.__name__, allowed) else ""
    if isinstance(answer, type):
        for base in answer.__mro__:
            if _foreign(name := _dotted(base), allowed):
                return f"{'is' if base is answer else 'subclasses'} {name}"
        return ""
    if isinstance(answer, FunctionType):
        return f"is {_dotted(answer)}" if _foreign(_dotted(answer), allowed) else ""
    parts = _parts(answer, allowed) if isinstance(answer, nn.Module) else [answer]
    for part in parts:
        for base in type(part).__mro__:
            if _foreign(name := _dotted(base), allowed):
                return f"{'is' if part is answer else 'holds'} a {name}"
    return ""


def _parts(module: nn.Module, allowed: Sequence[str]) -> Iterator[nn.Module]:
    """The module and all within it, but for what lies within allowed components."""
    yield module
    bases = map(_dotted, type(module).__mro__)
    if not any(name.startswith(f"{PACKAGE}.") and not _foreign(name, allowed) for name in bases):
        for child in module.children():
            yield from _parts(child, allowed)


@contextmanager
def watched(allowed: Sequence[str]) -> Iterator[list[str]]:
    """Watch the calls of a block: the list fills with dotted names of this package's functions that were called.

    What an allowed component calls for its own work is not counted.
    """
    used: list[str] = []
    boundary = sys._getframe(2)

    def hook(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and _foreign(_running(frame), allowed) and not _within_allowed(frame, boundary, allowed):
            used.append(_component(_running(frame)))

    before = sys.getprofile()
    sys.setprofile(hook)
    try:
        yield used
    finally:
        sys.setprofile(before)


def _within_allowed(frame: FrameType, boundary: FrameType, allowed: Sequence[str]) -> bool:
    caller = frame.f_back
    while caller is not None and caller is not boundary:
        name = _running(caller)
        if name.startswith(f"{PACKAGE}.") and name != _OWN_CALL and not _foreign(name, allowed):
            return True
        caller = caller.f_back
    return False


_OWN_CALL = f"{PACKAGE}.course.judging.call"


def _foreign(dotted: str, allowed: Sequence[str]) -> bool:
    """Whether a dotted name is this package's, and neither it nor what holds it is allowed."""
    if not dotted.startswith(f"{PACKAGE}."):
        return False
    names = (*allowed, *_ALWAYS, _OWN_CALL, __name__)
    return not any(dotted == name or dotted.startswith(f"{name}.") for name in names)


def _running(frame: FrameType) -> str:
    return f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_qualname}"


def _component(dotted: str) -> str:
    """A running function's name without the method that every module has."""
    holder, _, last = dotted.rpartition(".")
    return holder if last in ("__init__", "__new__", "__call__", "forward", "<module>") else dotted


def _dotted(thing: Any) -> str:
    return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', '')}"
