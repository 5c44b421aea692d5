"""A lesson as nbgrader wants it: answers with their solutions, checks with points and hidden tests, tasks locked."""

from __future__ import annotations

import copy
from typing import Any

from jaalnet_core.course.exercise import find_exercise
from jaalnet_core.course.exercise_cells import SOLUTION, ExerciseCells, exercises_in, role
from jaalnet_core.course.exercise_cells import without_outputs as cleared
from jaalnet_core.course.lessons import NAVIGATION
from jaalnet_core.errors import JaalnetError

SCHEMA = 3  # of nbgrader's cell metadata
BEGIN_SOLUTION, END_SOLUTION = "### BEGIN SOLUTION", "### END SOLUTION"
BEGIN_TESTS, END_TESTS = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
_SECTION = "## Exercises"
_NOT_GRADED = "Nothing is graded here"  # in the paragraph that opens the exercises of a lesson
_GRADED = """These exercises are graded. Complete the cell below each task; tasks and checks are locked. A check takes
your code, tries it on random shapes and values, and says one of three things: *passed*, *not yet* and why, or *not
attempted*. The grading makes the same trials with other random numbers, in a fresh kernel, from the first cell to the
last: so restart the kernel and run all cells before you hand in. Stuck? Every exercise has hints, one step at a time,
such as `course.hint("{number}")`."""


def graded_notebook(lesson: Any, *, exercises_only: bool = False) -> Any:
    """The instructor's version of a lesson: what `nbgrader generate_assignment` takes.

    Each stub becomes an answer cell that holds the solution too, between nbgrader's marks: without the region, the
    stub is left as the lesson has it. Each check becomes a test cell with the exercise's points; its hidden part
    judges the answers once more and raises where they are not right. Tasks, given cells and the imports are locked.

    Args:
        lesson: the course's own notebook, with solutions; it stays as it is.
        exercises_only: keep only the title, the imports and the exercises.

    Raises:
        JaalnetError: no exercise, one without a solution, or one that the package does not know.
    """
    notebook = copy.deepcopy(lesson)
    found = exercises_in(notebook)
    if not found:
        raise JaalnetError("found no exercise in this lesson, expected at least one to grade")
    opening = _opening(notebook)
    for exercise in found:
        _mark(exercise)
    if exercises_only:
        notebook.cells = [notebook.cells[0], *opening, *_section(notebook)]
    notebook.cells = [cell for cell in notebook.cells if role(cell) != SOLUTION and not _navigates(cell)]
    for place, cell in enumerate(opening, 1):
        _lock(cell, f"imports-{place}")
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and role(cell) is None and cell.source.startswith(_SECTION):
            cell.source = _graded_words(cell.source, found[0].number)
    return cleared(notebook)


def _mark(exercise: ExerciseCells) -> None:
    if not exercise.solution_source:
        raise JaalnetError(f"exercise {exercise.number}: found no solution, expected one to grade with")
    place = exercise.number.replace(".", "-")
    answers = "".join(f", {name}" for name in exercise.answers)
    exercise.stub.source = _lines(exercise.stub.source, BEGIN_SOLUTION, exercise.solution_source, END_SOLUTION)
    exercise.stub.metadata["nbgrader"] = _metadata(f"answer-{place}", solution=True)
    # the import undoes an accident: a learner's variable of the name `course`
    hidden = f'from jaalnet_core import course\n\ncourse.grade("{exercise.number}"{answers})'
    exercise.check.source = _lines(exercise.check.source, BEGIN_TESTS, hidden, END_TESTS)
    points = find_exercise(exercise.number).points
    exercise.check.metadata["nbgrader"] = _metadata(f"check-{place}", grade=True, locked=True) | {"points": points}
    _lock(exercise.task, f"task-{place}")
    for number, cell in enumerate(exercise.given, 1):
        _lock(cell, f"given-{place}-{number}")


def _metadata(grade_id: str, *, grade: bool = False, solution: bool = False, locked: bool = False) -> dict[str, Any]:
    flags = {"grade": grade, "solution": solution, "locked": locked, "task": False}
    return {"grade_id": grade_id, "schema_version": SCHEMA, **flags}


def _lock(cell: Any, grade_id: str) -> None:
    """Make a cell read-only: grading puts it back as it was."""
    cell.metadata["nbgrader"] = _metadata(grade_id, locked=True)


def _lines(*parts: str) -> str:
    return "\n".join(part.strip("\n") for part in parts)


def _opening(notebook: Any) -> list[Any]:
    """The code cells up to the one that calls `course.begin`; the first alone where none does."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    before_the_first = code[: next(n for n, cell in enumerate(code) if role(cell) is not None)]
    begins = [n for n, cell in enumerate(before_the_first) if "course.begin(" in cell.source]
    return before_the_first[: begins[0] + 1 if begins else 1]


def _section(notebook: Any) -> list[Any]:
    """The cells of the exercises: from their heading up to the next heading of its level."""
    starts = [n for n, cell in enumerate(notebook.cells) if _headed(cell) and cell.source.startswith(_SECTION)]
    if len(starts) != 1:
        raise JaalnetError(f"found {len(starts)} cells that begin with {_SECTION!r}, expected one")
    rest = notebook.cells[starts[0] + 1 :]
    length = next((n for n, cell in enumerate(rest) if _headed(cell)), len(rest))
    section = notebook.cells[starts[0] : starts[0] + 1 + length]
    outside = [cell for cell in notebook.cells if role(cell) is not None and not any(cell is one for one in section)]
    if outside:
        raise JaalnetError(f"found a cell of an exercise outside {_SECTION!r}: {outside[0].source[:60]!r}")
    return section


def _headed(cell: Any) -> bool:
    return cell.cell_type == "markdown" and cell.source.startswith("## ")


def _navigates(cell: Any) -> bool:
    """Whether a cell links to the other lessons, which are not in the assignment's folder."""
    return NAVIGATION in cell.metadata.get("tags", [])


def _graded_words(source: str, number: str) -> str:
    """The opening of the exercises, saying that they are graded."""
    heading, *paragraphs = source.split("\n\n")
    own = [words for words in paragraphs if _NOT_GRADED not in words]
    return "\n\n".join([heading, _GRADED.format(number=number), *own])
