"""Exercises found in a notebook, a learner's copy of it, and the house rules of exercises and quizzes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import mutants
import pytest
from nbformat import v4

from jaalnet_core.course import exercise_cells, exercise_rules
from jaalnet_core.course.exercise import Exercise
from jaalnet_core.course.exercise_cells import exercises_in, fill_in_exercises, for_learner, solved, task_body
from jaalnet_core.course.exercise_rules import exercise_faults, quiz_faults, solution_faults
from jaalnet_core.course.quiz import Question
from jaalnet_core.errors import JaalnetError

REGISTRY = {
    number: Exercise(number, title, 2, 10, points, ("one", "two"), print)
    for number, title, points in (("2.1", "Twice", 1), ("2.2", "Thrice", 2), ("2.3", "Half", 1))
}
TASK = "Write a function that gives its argument several times, for any number or tensor you like."


@pytest.fixture(autouse=True)
def registry(monkeypatch) -> None:
    monkeypatch.setattr(exercise_cells, "find_exercise", REGISTRY.__getitem__)
    monkeypatch.setattr(exercise_rules, "exercises_of", lambda lesson: tuple(REGISTRY.values()))
    question = Question("How many?", 2, "count them")
    monkeypatch.setattr(exercise_rules, "questions_of", lambda lesson: (question,) * 4)


def code(source: str, tag: str, number: str, said: str = "") -> Any:
    outputs = [v4.new_output("stream", name="stdout", text=said)] if said else []
    return v4.new_code_cell(source, outputs=outputs, metadata={"tags": [tag], "jaalnet": {"exercise": number}})


def exercise(number: str, name: str) -> list[Any]:
    return [
        v4.new_markdown_cell(
            f"### Exercise {number}\n\n{TASK}", metadata={"tags": ["exercise-task"], "jaalnet": {"exercise": number}}
        ),
        code("given = 3", "exercise-given", number),
        code(f"def {name}(x):\n    raise NotImplementedError", "exercise-stub", number),
        code(
            f'course.check("{number}", {name})', "exercise-check", number, f"Exercise {number}: not attempted. Put …\n"
        ),
        code(f"def {name}(x):\n    return x * 2  # solved", "solution", number),
    ]


def notebook() -> Any:
    cells = [v4.new_code_cell("from jaalnet_core import course"), v4.new_markdown_cell("## Exercises")]
    for number, name in (("2.1", "twice"), ("2.2", "thrice"), ("2.3", "half")):
        cells += exercise(number, name)
    quiz = [f"quiz.ask({i})\nquiz.answer({i}, ...)" for i in range(1, 5)]
    made = v4.new_notebook(cells=[*cells, *map(v4.new_code_cell, quiz)])
    made.metadata["jaalnet"] = {"lesson": 2}
    fill_in_exercises(made)
    return made


def faults(made: Any) -> list[str]:
    return [fault for rule in (exercise_faults, solution_faults, quiz_faults) for fault in rule(made)]


def test_cells_are_found_by_exercise_and_role() -> None:
    found = exercises_in(notebook())
    assert [cells.number for cells in found] == list(REGISTRY)
    assert found[1].answers == ("thrice",)
    assert found[1].given[0].source == "given = 3"
    assert found[1].solution_source == "def thrice(x):\n    return x * 2  # solved"
    assert faults(notebook()) == []


def test_headings_are_generated_and_renewed_and_solutions_folded() -> None:
    made = notebook()
    task = exercises_in(made)[1].task
    heading = (
        "### Exercise 2.2: Thrice\n\n**Difficulty** 2 of 3 · **about 10 minutes** · **2 points**"  # as a learner sees
    )
    assert task.source == f"{heading}\n\n{TASK}"
    task.source = task.source.replace("Thrice", "Old name").replace("10 minutes", "5 minutes")
    fill_in_exercises(made)
    assert task.source == f"{heading}\n\n{TASK}"
    assert task_body(task.source) == TASK
    for cells in exercises_in(made):
        (solution,) = cells.solution
        assert solution.cell_type == "markdown"
        assert solution.source.startswith(
            f"<details><summary>A solution of exercise {cells.number}</summary>\n\n```python"
        )


def test_a_learners_copy_has_no_solution_and_solving_puts_it_into_the_stub() -> None:
    made = notebook()
    before = [(cell.source, cell.get("outputs")) for cell in copy.deepcopy(made).cells]
    given = for_learner(made)
    assert "solved" not in "".join(cell.source for cell in given.cells)
    assert all(not cell.outputs for cell in given.cells if cell.cell_type == "code")
    assert [(cell.source, cell.get("outputs")) for cell in made.cells] == before
    answered = exercises_in(solved(given, made))
    assert all("solved" in cells.stub.source for cells in answered)
    assert all("NotImplementedError" in cells.stub.source for cells in exercises_in(given))


def drop(tag: str) -> Callable[[Any], None]:
    def change(made: Any) -> None:
        made.cells.remove(next(cell for cell in made.cells if tag in cell.metadata.get("tags", [])))

    return change


def edit(tag: str, old: str, new: str) -> Callable[[Any], None]:
    def change(made: Any) -> None:
        cell = next(cell for cell in made.cells if tag in cell.metadata.get("tags", []))
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return change


def unnumbered(made: Any) -> None:
    del exercises_in(made)[0].stub.metadata["jaalnet"]


def unfolded(made: Any) -> None:
    exercises_in(made)[0].solution[0].source = "```python\ntwice = 2\n```"


def attempted(made: Any) -> None:
    exercises_in(made)[0].check.outputs[0].text = "Exercise 2.1: passed.\n"


def leaning(made: Any) -> None:
    made.cells.append(v4.new_code_cell("print(thrice(4))"))


def unasked(made: Any) -> None:
    made.cells.pop()


def answered(made: Any) -> None:
    made.cells[-1].source = made.cells[-1].source.replace("...", "2")


def backwards(made: Any) -> None:
    made.cells[4], made.cells[5] = made.cells[5], made.cells[4]


def without_the_last(made: Any) -> None:
    made.cells = made.cells[:12] + made.cells[17:]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (drop("exercise-stub"), "exercise 2.1: found 0 cells tagged exercise-stub, expected one"),
        (drop("exercise-check"), "exercise 2.1: found 0 cells tagged exercise-check, expected one"),
        (drop("solution"), "exercise 2.1: no solution"),
        (unnumbered, "says not to which exercise it belongs"),
        (backwards, "exercise 2.1: found its exercise-stub cell late"),
        (unfolded, "exercise 2.1: its solution is not folded away"),
        (attempted, "exercise 2.1: its check says 'Exercise 2.1: passed.\\n', expected: not attempted"),
        (edit("exercise-task", "Twice", "Trice"), "exercise 2.1: its heading is out of date"),
        (edit("exercise-task", TASK, "Do it."), "exercise 2.1: its task says next to nothing"),
        (edit("exercise-check", "2.1", "2.2"), 'expected one call of course.check("2.1", …)'),
        (edit("exercise-check", ", twice", ""), "exercise 2.1: its check takes no answer"),
        (leaning, "a cell after exercise 2.2 uses its answer 'thrice'"),
        (without_the_last, "exercises 2.1, 2.2 in the notebook, 2.1, 2.2, 2.3 in the package"),
        (unasked, "question 4 of the quiz: no cell says .ask(4)"),
        (answered, "question 4 of the quiz: no cell says .answer(4, ...)"),
    ],
)
def test_each_fault_is_found(change: Callable[[Any], None], words: str) -> None:
    made = notebook()
    change(made)
    assert any(words in fault for fault in faults(made)), faults(made)


def test_too_few_exercises_and_questions(monkeypatch) -> None:
    monkeypatch.setattr(exercise_rules, "questions_of", lambda lesson: None)
    made = notebook()
    without_the_last(made)
    assert "2 exercises, expected at least 3" in faults(made)
    assert "0 questions in the quiz, expected at least 4" in faults(made)


def test_a_check_of_another_name_raises() -> None:
    made = notebook()
    exercises_in(made)[0].check.source = "print(1)"
    with pytest.raises(JaalnetError, match=r"expected one call of course\.check"):
        _ = exercises_in(made)[0].answers


SOURCE = '''
def f(x, rate=0.5):
    """Words."""
    y = x + 1
    total = y.sum().detach()
    if y > 2 and not x:
        return g(-y, 3, axis=1)
    return total
'''


def test_mutants_change_one_thing_each() -> None:
    changes = {mutant.change for mutant in mutants.mutants(SOURCE)}
    for expected in (
        "y = x + 1  ->  y = x - 1",
        "y = x + 1  ->  y = x + 2",
        "y = x + 1  ->  y = x + 0",
        "if y > 2 and (not x):  ->  if y >= 2 and (not x):",
        "if y > 2 and (not x):  ->  if y > 2 or not x:",
        "if y > 2 and (not x):  ->  if y > 2 and x:",
        "return g(-y, 3, axis=1)  ->  return g(y, 3, axis=1)",
        "return g(-y, 3, axis=1)  ->  return g(-y, 3)",
        "return g(-y, 3, axis=1)  ->  return g(3, -y, axis=1)",
        "total = y.sum().detach()  ->  total = y.sum()",
        "total = y.sum().detach()  ->  total = y.detach()",
        "total = y.sum().detach()  ->  pass",
        "def f(x, rate=0.5):  ->  def f(x, rate=1.0):",
    ):
        assert expected in changes
    assert not any("Words" in change for change in changes)
    texts = [mutant.source for mutant in mutants.mutants(SOURCE)]
    assert len(texts) == len(set(texts))
