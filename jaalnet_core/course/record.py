"""A learner's record: which exercises are passed, how many hints were taken, which questions are right."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from jaalnet_core.course.opening import project_folder
from jaalnet_core.course.outcome import Outcome, say
from jaalnet_core.files import write_json

FILE = "progress.json"
_WAIT = 5  # seconds for another notebook to finish writing
_unkept: dict[str, dict[str, Any]] = {}  # records of this process alone, where the folder takes no file


def record_check(number: str, outcome: Outcome) -> None:
    """Keep what became of an exercise; one that was passed once stays passed. No attempt is not recorded."""

    def add(record: dict[str, Any]) -> None:
        said = record["exercises"].setdefault(number, {})
        said["attempts"] = said.get("attempts", 0) + 1
        said["passed"] = said.get("passed", False) or outcome is Outcome.PASSED

    if outcome is not Outcome.NOT_ATTEMPTED:
        _change(add)


def record_hint(number: str, most: int) -> int:
    """Count a hint; which one it is, from 1, and `most` + 1 where all were given before."""
    before = hints_given(number)

    def add(record: dict[str, Any]) -> None:
        record["exercises"].setdefault(number, {})["hints"] = before + 1

    if before < most:
        _change(add)
    return before + 1


def hints_given(number: str) -> int:
    """How many hints of an exercise the learner has seen."""
    return read_progress()["exercises"].get(number, {}).get("hints", 0)


def record_answer(lesson: int, question: int, outcome: Outcome) -> None:
    """Keep what became of a question of a lesson's quiz; right once stays right."""

    def add(record: dict[str, Any]) -> None:
        said = record["quizzes"].setdefault(str(lesson), {})
        if said.get(str(question)) != Outcome.PASSED.value:
            said[str(question)] = outcome.value

    if outcome is not Outcome.NOT_ATTEMPTED:
        _change(add)


def progress_file() -> Path:
    """Where the record lies: in the folder that holds the learner's `notebooks/`."""
    return project_folder(Path.cwd()) / FILE


def read_progress() -> dict[str, Any]:
    """The record as it stands: `exercises` by number, `quizzes` by lesson; empty ones where nothing was done yet."""
    path = progress_file()
    if str(path) in _unkept:
        return _unkept[str(path)]
    return _parsed(path) or {"exercises": {}, "quizzes": {}}


def _change(add: Callable[[dict[str, Any]], None]) -> None:
    """Change the record, one notebook at a time; where it cannot be written, say so once and remember it meanwhile."""
    path = progress_file()
    try:
        with FileLock(path.with_name(f".{FILE}.lock"), timeout=_WAIT):
            _put_damaged_aside(path)
            record = read_progress()
            add(record)
            if str(path) not in _unkept:
                write_json(path, record)
    except (OSError, Timeout) as error:
        if str(path) not in _unkept:
            say(f"(Your progress is not kept beyond this notebook: {path.name} cannot be written, {error}.)")
            _unkept[str(path)] = read_progress()
        add(_unkept[str(path)])


def _put_damaged_aside(path: Path) -> None:
    """A record that cannot be read is renamed, never overwritten."""
    if path.is_file() and str(path) not in _unkept and _parsed(path) is None:
        number = 1
        while (aside := path.with_name(f"progress.damaged-{number}.json")).exists():
            number += 1
        path.rename(aside)
        say(f"(The record of your progress could not be read; it is kept as {aside.name}, and a new one is begun.)")


def _parsed(path: Path) -> dict[str, Any] | None:
    """The record in a file; None where there is none, or something else."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        parts = [*record["exercises"].values(), *record["quizzes"].values()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return record if all(isinstance(part, dict) for part in parts) else None
