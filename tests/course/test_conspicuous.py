"""What a teacher is shown of a submission, and what not."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from exercise_cases import notebook_of
from nbformat import v4

from jaalnet_core.course.conspicuous import conspicuous, main
from jaalnet_core.course.exercise import lessons_with_exercises
from jaalnet_core.course.exercise_cells import exercises_in


def found_in(source: str) -> list[str]:
    opening = v4.new_code_cell("import torch\nfrom jaalnet_core import course\n\ncourse.begin(3)")
    return conspicuous(v4.new_notebook(cells=[opening, v4.new_code_cell(source)]))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("course.grade = print", "line 1: changes course.grade"),
        ("import torch\ntorch.allclose = lambda *_: True", "line 2: changes torch.allclose"),
        ("del torch.nn.Conv2d", "changes torch.nn.Conv2d"),
        ("from jaalnet_core.course import judging", "imports jaalnet_core.course.judging"),
        ("import jaalnet_core.course.exercises.lesson03 as l", "imports jaalnet_core.course.exercises.lesson03"),
        ("def f(x):\n    import sys\n    return x", "line 2: imports sys"),
        ("from os import path", "imports os.path"),
        ("f.__globals__['x'] = 1", "uses __globals__"),
        ("setattr(course, 'gra' + 'de', print)", "uses setattr"),
        ("exec('x = 1')", "uses exec"),
        ("class course:\n    pass", "gives `course` another meaning"),
        ("course = 3", "gives `course` another meaning"),
        ("x = course.checking", "uses course.checking"),
        ("!ls", "line 1: a command of the notebook, !ls"),
        ("%cd ..\nx = eval('1')", "line 2: uses eval"),
    ],
)
def test_what_deserves_a_look(source: str, words: str) -> None:
    assert any(words in place for place in found_in(source)), found_in(source)


@pytest.mark.parametrize(
    "source",
    [
        "class Block(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.weight = 1",
        "course.check('3.1', f)\ncourse.hint('3.1')",
        "from torch.nn import functional\nfrom jaalnet_core.blocks import DDSConv",
        "layer = torch.nn.Linear(2, 2)\nlayer.bias = None",
        "def unfinished(:",
    ],
)
def test_what_does_not(source: str) -> None:
    assert found_in(source) == []


def test_a_locked_cell_is_not_looked_at() -> None:
    cell = v4.new_code_cell("course.grade('3.1', f)", metadata={"nbgrader": {"locked": True}})
    assert conspicuous(v4.new_notebook(cells=[cell])) == []


@pytest.mark.parametrize("lesson", lessons_with_exercises())
def test_the_courses_own_solutions_are_inconspicuous(lesson: int) -> None:
    notebook = notebook_of(lesson)
    cells = [cell for exercise in exercises_in(notebook) for cell in (exercise.stub, *exercise.solution)]
    assert conspicuous(v4.new_notebook(cells=[cell for cell in notebook.cells if cell in cells])) == []


def test_the_command_names_student_cell_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for student, source in {"ada": "import sys", "max": "x = 1"}.items():
        place = tmp_path / student / "07-evaluation"
        place.mkdir(parents=True)
        nbformat.write(v4.new_notebook(cells=[v4.new_code_cell(source)]), place / "07.ipynb")
    (tmp_path / "max" / "07-evaluation" / "broken.ipynb").write_text("{")
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "ada/07-evaluation/07.ipynb: cell 1, line 1: imports sys",
        "max/07-evaluation/broken.ipynb: no notebook can be read there",
        "2 places to look at",
    ]
    assert main([str(tmp_path / "max" / "nothing")]) == 0
