"""The exercises in a lesson's notebook: which cells belong to each, and the same notebook for a learner or solved."""

from __future__ import annotations

import ast
import copy
import re
from dataclasses import dataclass, field
from typing import Any

from jaalnet_core.course.exercise import find_exercise
from jaalnet_core.errors import JaalnetError

TASK, GIVEN, STUB, CHECK = "exercise-task", "exercise-given", "exercise-stub", "exercise-check"
SOLUTION = "solution"
_DIFFICULTY = "**Difficulty**"
_FENCED = re.compile(r"^```python\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


@dataclass
class ExerciseCells:
    """The cells of one exercise, as they stand in the notebook.

    Attributes:
        number: such as `3.1`.
        task: Markdown: the generated heading, and what to do.
        given: cells that show or define something for it; may be none.
        stub: code to be completed.
        check: code that calls `course.check`.
        solution: what may stand in the stub's place, and words about it, folded away in Markdown so that running
            the whole lesson never puts it into a learner's answer; none in a learner's notebook.
    """

    number: str
    task: Any
    stub: Any
    check: Any
    given: list[Any] = field(default_factory=list)
    solution: list[Any] = field(default_factory=list)

    @property
    def solution_source(self) -> str:
        """The code of the solution."""
        return "\n\n".join(source for cell in self.solution for source in _FENCED.findall(_folded(cell)))

    @property
    def answers(self) -> tuple[str, ...]:
        """The names that the check takes after the number, such as `("separable_saving",)`.

        Raises:
            JaalnetError: the check calls nothing, or another exercise's check.
        """
        calls = [
            node
            for node in ast.walk(ast.parse(self.check.source))
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("check", "course.check")
        ]
        if len(calls) != 1 or not calls[0].args or ast.unparse(calls[0].args[0]).strip("'\"") != self.number:
            raise JaalnetError(
                f"exercise {self.number}: found {self.check.source!r}, "
                f'expected one call of course.check("{self.number}", …)'
            )
        return tuple(ast.unparse(argument) for argument in calls[0].args[1:])


def role(cell: Any) -> str | None:
    """What a cell is in an exercise: one of the tags above, or None."""
    tags = cell.metadata.get("tags", [])
    return next((tag for tag in (TASK, GIVEN, STUB, CHECK, SOLUTION) if tag in tags), None)


def exercises_in(notebook: Any) -> list[ExerciseCells]:
    """The exercises of a notebook in their order; their cells are the notebook's own.

    Raises:
        JaalnetError: a cell without a number, an exercise without a task, stub or check, or with two of one, or cells
            in another order than task, given, stub, check, solution.
    """
    found: dict[str, dict[str, list[Any]]] = {}
    order = [TASK, GIVEN, STUB, CHECK, SOLUTION]
    latest: dict[str, int] = {}
    for cell in notebook.cells:
        if (kind := role(cell)) is None:
            continue
        number = cell.metadata.get("jaalnet", {}).get("exercise")
        if not number:
            raise JaalnetError(f"a cell tagged {kind} says not to which exercise it belongs: {cell.source[:60]!r}")
        if order.index(kind) < latest.get(number, 0):
            raise JaalnetError(f"exercise {number}: found its {kind} cell late, expected {', '.join(order)}")
        latest[number] = order.index(kind)
        found.setdefault(number, {tag: [] for tag in order})[kind].append(cell)
    return [_whole(number, cells) for number, cells in found.items()]


def _whole(number: str, cells: dict[str, list[Any]]) -> ExerciseCells:
    for kind in (TASK, STUB, CHECK):
        if len(cells[kind]) != 1:
            raise JaalnetError(f"exercise {number}: found {len(cells[kind])} cells tagged {kind}, expected one")
    return ExerciseCells(number, cells[TASK][0], cells[STUB][0], cells[CHECK][0], cells[GIVEN], cells[SOLUTION])


def for_learner(notebook: Any) -> Any:
    """A copy without solutions and without outputs."""
    copied = copy.deepcopy(notebook)
    copied.cells = [cell for cell in copied.cells if role(cell) != SOLUTION]
    return without_outputs(copied)


def solved(learners: Any, source: Any) -> Any:
    """A copy of a learner's notebook in which each stub holds the solution of the lesson it was made from."""
    copied = copy.deepcopy(learners)
    solutions = {exercise.number: exercise.solution_source for exercise in exercises_in(source)}
    for exercise in exercises_in(copied):
        exercise.stub.source = solutions[exercise.number]
    return copied


def without_outputs(notebook: Any) -> Any:
    """The same notebook, its outputs, counts and widgets dropped."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata.pop("widgets", None)
    return notebook


def fill_in_exercises(notebook: Any) -> None:
    """Write what is generated: the heading of each task from the registry, and solutions folded away.

    A solution may be written as a code cell; here it becomes Markdown.
    """
    for exercise in exercises_in(notebook):
        exercise.task.source = f"{find_exercise(exercise.number).heading}\n\n{task_body(exercise.task.source)}"
        for cell in exercise.solution:
            if cell.cell_type == "code":
                cell.source = _folded(cell)
                cell.cell_type = "markdown"
                for part in ("outputs", "execution_count"):
                    cell.pop(part, None)
                cell.metadata.pop("jupyter", None)


def _folded(cell: Any) -> str:
    """A solution's cell as Markdown that a click unfolds; Markdown as it is."""
    if cell.cell_type != "code":
        return cell.source
    summary = f"<summary>A solution of exercise {cell.metadata['jaalnet']['exercise']}</summary>"
    return f"<details>{summary}\n\n```python\n{cell.source.strip()}\n```\n\n</details>"


def task_body(source: str) -> str:
    """What a task's cell says below its heading and its line of difficulty."""
    lines = source.splitlines()
    if lines and lines[0].startswith("### "):
        lines = lines[1:]
    lines = [line for line in lines if not line.startswith(_DIFFICULTY)]
    return "\n".join(lines).strip()
