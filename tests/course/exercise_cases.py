"""Answers to the exercises: right ones, wrong ones with their reasons, and those that stand in the notebooks."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jaalnet_core.course.exercise import Exercise, lessons_with_exercises
from jaalnet_core.course.exercise_cells import ExerciseCells, exercises_in
from jaalnet_core.course.lessons import read_notebook

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@dataclass(frozen=True)
class Fault:
    """A plausible wrong answer (a tuple of answers where the check takes several) and words of its reason."""

    answer: Any
    reason: str


@dataclass(frozen=True)
class Cases:
    """Answers to one exercise.

    Attributes:
        right: differently written right answers by what they are; two or more.
        wrong: plausible wrong ones by what is wrong; four or more.
        own: answers that use the package's own component.
        equivalent: mutants of the solution that do the same, by their text, with the reason.
    """

    right: dict[str, Any]
    wrong: dict[str, Fault]
    own: dict[str, Any] = field(default_factory=dict)
    equivalent: dict[str, str] = field(default_factory=dict)


def as_answers(answer: Any) -> tuple[Any, ...]:
    return answer if isinstance(answer, tuple) else (answer,)


@cache
def cases_of(lesson: int) -> dict[str, Cases]:
    return importlib.import_module(f"cases.lesson{lesson:02d}").CASES


def all_cases() -> dict[str, Cases]:
    return {number: cases for lesson in lessons_with_exercises() for number, cases in cases_of(lesson).items()}


@cache
def notebook_of(lesson: int) -> Any:
    (path,) = NOTEBOOKS.glob(f"{lesson:02d}_*.ipynb")
    return read_notebook(path)


@cache
def cells_of(lesson: int) -> dict[str, ExerciseCells]:
    return {exercise.number: exercise for exercise in exercises_in(notebook_of(lesson))}


def answers_from(exercise: Exercise, source: str) -> tuple[Any, ...]:
    """What the check would get if `source` stood in the stub's place: imports, given cells, then the source.

    Only those cells are run, so an exercise that leans on another cell of its lesson fails here.
    """
    cells = cells_of(exercise.lesson)[exercise.number]
    space = namespace(exercise)
    exec(compile(source, f"<answer to {exercise.number}>", "exec"), space)
    return tuple(eval(name, space) for name in cells.answers)


def namespace(exercise: Exercise) -> dict[str, Any]:
    """The names an answer may use: the lesson's imports and the exercise's given cells."""
    first = next(cell for cell in notebook_of(exercise.lesson).cells if cell.cell_type == "code")
    imports = "\n".join(line for line in first.source.splitlines() if not line.startswith("course.begin"))
    space: dict[str, Any] = {"__name__": "answer", "display": lambda *_: None}
    exec(compile(imports, "<imports>", "exec"), space)
    for cell in cells_of(exercise.lesson)[exercise.number].given:
        if cell.cell_type == "code":
            exec(compile(cell.source, f"<given for {exercise.number}>", "exec"), space)
    return space
