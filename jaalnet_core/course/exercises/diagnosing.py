"""What the find-the-bug exercises share: the diagnosis, given as a letter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jaalnet_core.course.judging import Wrong, attempted


def diagnosed(cause: Any, right: str, why_not: Mapping[str, str]) -> None:
    """Go on where the diagnosis is right.

    Args:
        cause: the learner's letter, however it is written: `"b"`, `"B"` or `"b)"`.
        right: the right letter.
        why_not: for each other letter, why that is not what goes wrong.

    Raises:
        NotAttempted: there is no diagnosis yet.
        Wrong: it is another letter, or none.
    """
    attempted(cause)
    letter = letter_of(cause)
    if letter == right:
        return
    if letter in why_not:
        raise Wrong(f'your diagnosis is "{letter}", but {why_not[letter]}')
    letters = ", ".join(f'"{one}"' for one in sorted([*why_not, right]))
    raise Wrong(f"`cause` is {cause!r}, expected one of the letters {letters}.")


def letter_of(cause: Any) -> str:
    """The letter a learner means, however it is written: `"b"`, `"B"` or `"b)"`."""
    return str(cause).strip(" ().:").lower()
