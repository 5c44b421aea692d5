"""A lesson as nbgrader wants it: roles, regions, locks, and what the release may not hold."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from nbformat import v4
from nbgrader import preprocessors

from jaalnet_core.course import graded_notebook as module
from jaalnet_core.course.exercise import find_exercise
from jaalnet_core.course.exercise_cells import CHECK, GIVEN, SOLUTION, STUB, TASK, exercises_in, role
from jaalnet_core.course.graded_notebook import graded_notebook
from jaalnet_core.course.lessons import NAVIGATION
from jaalnet_core.errors import JaalnetError

NUMBER = "3.1"


def code(source: str, *tags: str, number: str = NUMBER) -> Any:
    cell = v4.new_code_cell(source, metadata=_metadata(tags, number))
    cell.outputs, cell.execution_count = [v4.new_output("stream", text="shown\n")], 7
    return cell


def words(source: str, *tags: str, number: str = NUMBER) -> Any:
    return v4.new_markdown_cell(source, metadata=_metadata(tags, number))


def _metadata(tags: tuple[str, ...], number: str) -> dict[str, Any]:
    of_exercise = {TASK, GIVEN, STUB, CHECK, SOLUTION} & set(tags)
    return ({"tags": list(tags)} if tags else {}) | ({"jaalnet": {"exercise": number}} if of_exercise else {})


def lesson() -> Any:
    cells = [
        words("# Lesson 3: Blocks"),
        code("import torch"),
        code("from jaalnet_core import course\n\ncourse.begin(3)"),
        words("## The idea"),
        code("body = 1"),
        words("## Exercises\n\nThe checks. Nothing is graded here, and so on.\n\nFrom easy to hard."),
        words("### Exercise 3.1\n\nWrite it.", TASK),
        code("table = 5", GIVEN),
        code("def saving(a, b):\n    return ...", STUB),
        code('course.check("3.1", saving, 2 * body)  # stuck?', CHECK),
        code("def saving(a, b):\n    return a / b", SOLUTION),
        words("Because a part is cheaper.", SOLUTION),
        words("## Quiz"),
        code("quiz = 3"),
        words("[next](04.ipynb)", NAVIGATION),
    ]
    notebook = v4.new_notebook(cells=cells)
    notebook.metadata["widgets"] = {"state": 1}
    return notebook


def cell_named(notebook: Any, grade_id: str) -> Any:
    (cell,) = (cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id)
    return cell


def test_the_lesson_itself_stays_as_it_is() -> None:
    original = lesson()
    before = copy.deepcopy(original)
    graded_notebook(original, exercises_only=True)
    assert original == before


def test_the_answer_holds_stub_and_solution() -> None:
    answer = cell_named(graded_notebook(lesson()), "answer-3-1")
    assert answer.source == (
        "def saving(a, b):\n    return ...\n### BEGIN SOLUTION\ndef saving(a, b):\n    return a / b\n### END SOLUTION"
    )
    assert answer.metadata["nbgrader"] == {
        "grade_id": "answer-3-1",
        "schema_version": 3,
        "grade": False,
        "solution": True,
        "locked": False,
        "task": False,
    }


def test_the_check_is_worth_the_exercises_points_and_judges_once_more_in_its_hidden_part() -> None:
    check = cell_named(graded_notebook(lesson()), "check-3-1")
    assert check.source.splitlines() == [
        'course.check("3.1", saving, 2 * body)  # stuck?',
        "### BEGIN HIDDEN TESTS",
        "from jaalnet_core import course",
        "",
        'course.grade("3.1", saving, 2 * body)',
        "### END HIDDEN TESTS",
    ]
    said = check.metadata["nbgrader"]
    assert (said["grade"], said["solution"], said["locked"]) == (True, False, True)
    assert said["points"] == find_exercise("3.1").points


@pytest.mark.parametrize("grade_id", ["task-3-1", "given-3-1-1", "imports-1", "imports-2"])
def test_what_a_student_must_not_change_is_locked(grade_id: str) -> None:
    said = cell_named(graded_notebook(lesson()), grade_id).metadata["nbgrader"]
    assert (said["grade"], said["solution"], said["locked"], said["schema_version"]) == (False, False, True, 3)


@pytest.mark.parametrize("exercises_only", [False, True])
def test_solutions_outputs_and_links_to_other_lessons_are_dropped(exercises_only: bool) -> None:
    graded = graded_notebook(lesson(), exercises_only=exercises_only)
    assert not [cell for cell in graded.cells if role(cell) == SOLUTION]
    assert not [cell for cell in graded.cells if NAVIGATION in cell.metadata.get("tags", [])]
    cells = [cell for cell in graded.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)
    assert "widgets" not in graded.metadata
    assert [exercise.number for exercise in exercises_in(graded)] == ["3.1"]


def test_the_whole_lesson_or_only_its_exercises() -> None:
    def heads(exercises_only: bool) -> list[str]:
        graded = graded_notebook(lesson(), exercises_only=exercises_only)
        return [cell.source.splitlines()[0] for cell in graded.cells]

    exercises = [
        "### Exercise 3.1",
        "table = 5",
        "def saving(a, b):",
        'course.check("3.1", saving, 2 * body)  # stuck?',
    ]
    opening = ["# Lesson 3: Blocks", "import torch", "from jaalnet_core import course"]
    assert heads(True) == [*opening, "## Exercises", *exercises]
    assert heads(False) == [*opening, "## The idea", "body = 1", "## Exercises", *exercises, "## Quiz", "quiz = 3"]


def test_the_opening_says_that_it_is_graded_and_keeps_the_lessons_own_words() -> None:
    graded = graded_notebook(lesson())
    (opening,) = (cell.source for cell in graded.cells if cell.source.startswith("## Exercises"))
    assert "Nothing is graded here" not in opening
    assert "These exercises are graded" in opening
    assert 'course.hint("3.1")' in opening
    assert opening.endswith("\n\nFrom easy to hard.")


def test_a_lesson_without_exercises_is_refused() -> None:
    bare = lesson()
    bare.cells = bare.cells[:5]
    with pytest.raises(JaalnetError, match="found no exercise"):
        graded_notebook(bare)


def test_an_exercise_without_a_solution_is_refused() -> None:
    unsolved = lesson()
    unsolved.cells = [cell for cell in unsolved.cells if role(cell) != SOLUTION]
    with pytest.raises(JaalnetError, match=r"exercise 3\.1: found no solution"):
        graded_notebook(unsolved)


def test_an_exercise_outside_its_section_is_refused_where_only_the_section_is_kept() -> None:
    scattered = lesson()
    scattered.cells.insert(3, words("## Exercises\n\nSome."))
    with pytest.raises(JaalnetError, match="found 2 cells that begin with '## Exercises'"):
        graded_notebook(scattered, exercises_only=True)
    moved = lesson()
    moved.cells = [*moved.cells[:7], words("## Quiz"), *moved.cells[7:]]
    with pytest.raises(JaalnetError, match="a cell of an exercise outside '## Exercises': 'table = 5'"):
        graded_notebook(moved, exercises_only=True)


def test_the_marks_are_nbgraders_own() -> None:
    """Its defaults, which our configuration leaves alone."""
    solutions, tests = preprocessors.ClearSolutions(), preprocessors.ClearHiddenTests()
    assert solutions.begin_solution_delimeter in module.BEGIN_SOLUTION
    assert solutions.end_solution_delimeter in module.END_SOLUTION
    assert tests.begin_test_delimeter in module.BEGIN_TESTS
    assert tests.end_test_delimeter in module.END_TESTS
