"""An exercise: what it asks for, how hard it is, its hints, and who judges the answer."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from jaalnet_core.course import exercises
from jaalnet_core.errors import JaalnetError


@dataclass(frozen=True)
class Exercise:
    """One exercise of a lesson. Its stub and solution stand in the lesson's notebook.

    Attributes:
        number: lesson and place in it, such as `3.1`.
        title: as in its heading.
        difficulty: 1 (a line) to 3 (a block of one's own).
        minutes: what it may take.
        points: what a class gives for it.
        hints: from a question to nearly the answer; at least two.
        judge: takes the answers and returns when they are right; raises `judging.Wrong` with words else.
        allowed: dotted names of this package's modules, classes or functions that an answer may use; everything
            else of the package counts as not one's own work.
    """

    number: str
    title: str
    difficulty: int
    minutes: int
    points: int
    hints: tuple[str, ...]
    judge: Callable[..., None]
    allowed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        faults = [
            (not re.fullmatch(r"\d{1,2}\.\d", self.number), "its number is no lesson and place such as 3.1"),
            (self.difficulty not in (1, 2, 3), f"difficulty {self.difficulty}, expected 1, 2 or 3"),
            (self.points < 1 or self.minutes < 1, "expected at least a point and a minute"),
            (len(self.hints) < 2, f"{len(self.hints)} hints, expected two or more"),
        ]
        for found, words in faults:
            if found:
                raise ValueError(f"exercise {self.number}: {words}")

    @property
    def lesson(self) -> int:
        """The number of the lesson it belongs to."""
        return int(self.number.partition(".")[0])

    @property
    def heading(self) -> str:
        """The first lines of its task in the notebook, in Markdown."""
        points = f"{self.points} point{'s' * (self.points != 1)}"
        return (
            f"### Exercise {self.number}: {self.title}\n\n"
            f"**Difficulty** {self.difficulty} of 3 · **about {self.minutes} minutes** · **{points}**"
        )


def exercises_of(lesson: int) -> tuple[Exercise, ...]:
    """The exercises of a lesson in their order; none for a lesson without."""
    module = f"lesson{lesson:02d}"
    if module not in {found.name for found in pkgutil.iter_modules(exercises.__path__)}:
        return ()
    return importlib.import_module(f"{exercises.__name__}.{module}").EXERCISES


@cache
def lessons_with_exercises() -> tuple[int, ...]:
    """The numbers of the lessons that have exercises."""
    names = (found.name for found in pkgutil.iter_modules(exercises.__path__))
    return tuple(sorted(int(match[1]) for name in names if (match := re.fullmatch(r"lesson(\d\d)", name))))


def all_exercises() -> Iterator[Exercise]:
    """Every exercise of the course, lesson by lesson."""
    for lesson in lessons_with_exercises():
        yield from exercises_of(lesson)


def find_exercise(number: str) -> Exercise:
    """The exercise of a number such as `3.1`.

    Raises:
        JaalnetError: there is none; the message names those of its lesson.
    """
    lesson = str(number).partition(".")[0]
    of_lesson = exercises_of(int(lesson)) if lesson.isdigit() else ()
    for exercise in of_lesson:
        if exercise.number == str(number):
            return exercise
    there = ", ".join(f'"{exercise.number}"' for exercise in of_lesson) or "none in that lesson"
    raise JaalnetError(f'exercise {number!r}: found no such exercise, expected one such as "3.1" (there: {there})')
