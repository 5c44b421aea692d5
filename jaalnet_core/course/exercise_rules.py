"""The house rules of exercises and quizzes in a lesson, each a function that says what it found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jaalnet_core.course.exercise import exercises_of
from jaalnet_core.course.exercise_cells import SOLUTION, ExerciseCells, exercises_in, role, task_body
from jaalnet_core.course.quiz import questions_of
from jaalnet_core.errors import JaalnetError

FEWEST_EXERCISES = 3
FEWEST_QUESTIONS = 4
WITH_EXERCISES = range(1, 9)
WITH_QUIZ = range(10)


def exercise_faults(notebook: Any) -> Iterator[str]:
    """Exercises that are missing, out of order, out of date, or attempted in the committed notebook."""
    lesson = notebook.metadata["jaalnet"]["lesson"]
    try:
        cells = exercises_in(notebook)
    except JaalnetError as error:
        yield str(error)
        return
    registered = {exercise.number: exercise for exercise in exercises_of(lesson)}
    if lesson in WITH_EXERCISES and len(cells) < FEWEST_EXERCISES:
        yield f"{len(cells)} exercises, expected at least {FEWEST_EXERCISES}"
    if [exercise.number for exercise in cells] != list(registered):
        there = ", ".join(exercise.number for exercise in cells) or "none"
        yield f"exercises {there} in the notebook, {', '.join(registered) or 'none'} in the package"
    for exercise in cells:
        if exercise.number in registered:
            yield from _faults_of(exercise, registered[exercise.number].heading)


def _faults_of(exercise: ExerciseCells, heading: str) -> Iterator[str]:
    if not exercise.task.source.startswith(heading):
        yield f"exercise {exercise.number}: its heading is out of date; `jaalnet lessons run` renews it"
    if len(task_body(exercise.task.source)) < 60:
        yield f"exercise {exercise.number}: its task says next to nothing"
    try:
        if not exercise.answers:
            yield f"exercise {exercise.number}: its check takes no answer"
    except JaalnetError as error:
        yield str(error)
    if not exercise.solution_source:
        yield f"exercise {exercise.number}: no solution"
    for cell in exercise.solution:
        if cell.cell_type == "code" or not cell.source.startswith("<details>"):
            yield f"exercise {exercise.number}: its solution is not folded away; `jaalnet lessons run` does it"
    said = "".join(output.get("text", "") for output in exercise.check.get("outputs", []))
    if f"Exercise {exercise.number}: not attempted" not in said:
        yield f"exercise {exercise.number}: its check says {said[:60]!r}, expected: not attempted"


def solution_faults(notebook: Any) -> Iterator[str]:
    """Names that a solution defines and a later cell of the lesson uses: a learner's notebook would lack them."""
    defined: dict[str, str] = {}
    for cell in notebook.cells:
        if role(cell) == SOLUTION:
            number = cell.metadata["jaalnet"]["exercise"]
            for name in re.findall(r"^(?:def|class) (\w+)|^(\w+) = ", cell.source, re.MULTILINE):
                defined["".join(name)] = number
        elif cell.cell_type == "code" and role(cell) is None:
            for name, number in defined.items():
                if re.search(rf"\b{name}\b", cell.source):
                    yield f"a cell after exercise {number} uses its answer {name!r}: {cell.source[:50]!r}"


def quiz_faults(notebook: Any) -> Iterator[str]:
    """A quiz that is missing, or a question that is not asked or not left open."""
    lesson = notebook.metadata["jaalnet"]["lesson"]
    questions = questions_of(lesson) or ()
    if lesson in WITH_QUIZ and len(questions) < FEWEST_QUESTIONS:
        yield f"{len(questions)} questions in the quiz, expected at least {FEWEST_QUESTIONS}"
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    for number in range(1, len(questions) + 1):
        for wanted in (f".ask({number})", f".answer({number}, ...)"):
            if wanted not in code:
                yield f"question {number} of the quiz: no cell says {wanted}"
