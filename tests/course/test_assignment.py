"""The course folder, and nbgrader's own commands on it: full marks, no marks, the sum expected, reasons in words."""

from __future__ import annotations

import copy
import html
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest

from jaalnet_core.cli import main
from jaalnet_core.course import assignment
from jaalnet_core.course.assignment import make_course
from jaalnet_core.course.exercise import exercises_of, lessons_with_exercises
from jaalnet_core.course.exercise_cells import SOLUTION, ExerciseCells, exercises_in, role, solved
from jaalnet_core.course.lessons import read_notebook
from jaalnet_core.errors import JaalnetError

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
(LESSON,) = NOTEBOOKS.glob("03_*.ipynb")
NAME = "03-dense-residual-and-depthwise-blocks"
POINTS = {exercise.number: exercise.points for exercise in exercises_of(3)}


# ---- the folder ----


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder with the exercises of lesson 3, as `make_course` leaves it."""
    folder = tmp_path_factory.mktemp("made") / "course"
    make_course(folder, (3,), exercises_only=True)
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_folder_holds_settings_and_the_instructors_notebooks(made: Path) -> None:
    assert set(files_of(made)) == {"nbgrader_config.py", f"source/{NAME}/{LESSON.name}"}


def test_all_lessons_with_exercises_by_default(tmp_path: Path) -> None:
    done = make_course(tmp_path / "course")
    assert [name[:2] for name in done.assignments] == [f"{number:02d}" for number in range(1, 9)]
    expected = [sum(exercise.points for exercise in exercises_of(number)) for number in range(1, 9)]
    assert list(done.points.values()) == expected


def test_nothing_is_overwritten_and_what_was_there_is_listed(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "course"
    shutil.copytree(made, folder)
    edited, settings = folder / "source" / NAME / LESSON.name, folder / "nbgrader_config.py"
    edited.write_text("the teacher's own")
    settings.write_text("# the teacher's too")
    for name in ("release", "submitted"):
        (folder / name).mkdir()
    before = files_of(folder)
    done = make_course(folder, (2, 3))
    assert set(done.left_alone) == {edited, settings, folder / "release", folder / "submitted"}
    assert [path.name for path in done.written] == ["02_contour_attention.ipynb"]
    assert {name: content for name, content in files_of(folder).items() if name in before} == before


def test_the_command_says_what_it_did_and_what_comes_next(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "course"
    words = ["assignment", str(folder), "--lessons", "3", "--exercises-only", "--course-id", "autumn"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert said.count("written: ") == 2
    assert f"{NAME}: {sum(POINTS.values())} points" in said
    assert said.endswith(f"cd {folder} && nbgrader generate_assignment {NAME}\n")
    assert settings_of(folder).CourseDirectory.course_id == "autumn"
    assert files_of(folder)[f"source/{NAME}/{LESSON.name}"] == files_of(made)[f"source/{NAME}/{LESSON.name}"]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "written: " not in said
    assert said.count("left alone: ") == 2
    assert "pip install -e '.[classroom]'" in said


def settings_of(folder: Path) -> Any:
    """nbgrader's settings as plain objects."""
    sections = ("CourseDirectory", "ClearSolutions", "Execute", "ExecutePreprocessor", "IgnorePattern")
    found = SimpleNamespace(**{name: SimpleNamespace() for name in sections})
    before = dict(os.environ)
    try:
        runpy.run_path(str(folder / "nbgrader_config.py"), {"get_config": lambda: found})
    finally:
        os.environ.clear()
        os.environ.update(before)
    return found


@pytest.mark.parametrize(("exercises_only", "limit"), [(True, 120), (False, 300)])
def test_a_cell_has_a_limit_that_leaves_a_lesson_its_time(tmp_path: Path, exercises_only: bool, limit: int) -> None:
    make_course(tmp_path / "course", (3,), exercises_only=exercises_only)
    settings = settings_of(tmp_path / "course")
    assert settings.Execute.timeout == settings.ExecutePreprocessor.timeout == limit


@pytest.mark.parametrize(
    ("number", "words"),
    [(9, "lesson 9: found no exercises in it, expected one that has some (1, "), (77, "found no 77")],
)
def test_a_lesson_without_exercises_is_refused(tmp_path: Path, number: int, words: str) -> None:
    with pytest.raises(JaalnetError, match=re.escape(words)):
        make_course(tmp_path / "course", (3, number))
    assert not (tmp_path / "course").exists()


def test_lessons_without_any_exercise_are_refused(tmp_path: Path) -> None:
    shutil.copy(NOTEBOOKS / "09_your_own_pictures.ipynb", tmp_path)
    with pytest.raises(JaalnetError, match="found no lesson with exercises"):
        make_course(tmp_path / "course", source=tmp_path)


def test_a_fault_in_a_lesson_names_the_lesson(tmp_path: Path) -> None:
    notebook = read_notebook(LESSON)
    notebook.cells = [cell for cell in notebook.cells if role(cell) != SOLUTION]
    lessons = tmp_path / "lessons"
    lessons.mkdir()
    nbformat.write(notebook, lessons / LESSON.name)
    with pytest.raises(JaalnetError, match=rf"{re.escape(LESSON.name)}: exercise 3\.1: found no solution"):
        make_course(tmp_path / "course", source=lessons)


def test_a_folder_inside_a_project_is_refused(tmp_path: Path) -> None:
    """There, students' checks would be kept in the teacher's own record, and grades in the repository."""
    (tmp_path / "notebooks").mkdir()
    make_course(tmp_path / "far" / "course", (3,))  # some folder of notebooks above is no project of this course
    shutil.copy(LESSON, tmp_path / "notebooks")
    with pytest.raises(JaalnetError, match=r"outside, such as in \.\./classroom"):
        make_course(tmp_path / "classes" / "course", (3,))
    assert not (tmp_path / "classes").exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JaalnetError, match="found a file, expected a folder"):
        make_course(tmp_path / "file", (3,))

    def full(path: Path) -> Iterator[Path]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(assignment, "new_path", full)
    with pytest.raises(JaalnetError, match=r"cannot be written \(No space left on device\)"):
        make_course(tmp_path / "course", (3,))


# ---- nbgrader's commands ----


@dataclass(frozen=True)
class Class:
    """A class whose work is graded: folders, and the points of each student by exercise."""

    folder: Path
    released: Any
    points: dict[str, dict[str, float]]
    log: str

    def graded(self, student: str) -> Any:
        return read_notebook(self.folder / "autograded" / student / NAME / LESSON.name)

    def feedback(self, student: str) -> str:
        page = (self.folder / "feedback" / student / NAME / LESSON.with_suffix(".html").name).read_text()
        return html.unescape(re.sub(r"<[^>]+>", "", page))


def nbgrader(folder: Path, *words: str) -> str:
    """Run one of its commands as a teacher would, without an exchange and without settings from elsewhere."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    own = {"HOME": str(home), "JUPYTER_NO_CONFIG": "1", "PATH": paths, "OMP_NUM_THREADS": "1"}
    others = {name: value for name, value in os.environ.items() if not name.startswith(("JAALNET", "JUPYTER", "COV"))}
    command = [sys.executable, "-m", "nbgrader", *words]
    done = subprocess.run(
        command, cwd=folder, env=others | own, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def submissions(released: Any) -> dict[str, Any]:
    """What students hand in."""
    full = solved(released, read_notebook(LESSON))
    half = copy.deepcopy(released)
    answers, solutions = answers_of(half), {number: cells.stub.source for number, cells in answers_of(full).items()}
    noisy = "\nimport sys, warnings\nwarnings.warn('mind')\nprint('and this', file=sys.stderr)\n"
    answers["3.1"].stub.source = solutions["3.1"] + noisy
    answers["3.2"].stub.source = 'cause = "c"\n\n\ndef context_stack(*_):\n    while True:\n        pass\n'
    for number in ("3.2", "3.3", "3.4"):
        answers[number].check.source = "course.grade = course.check = print  # all is well"
        answers[number].check.metadata["nbgrader"]["points"] = 100
    answers["3.4"].stub.source = "import torch.nn as nn\n\n\nclass CrossDDSConv(nn.Module):\n    pass"
    answers["3.5"].stub.source = solutions["3.5"]
    return {"solver": full, "blank": copy.deepcopy(released), "half": half}


def answers_of(notebook: Any) -> dict[str, ExerciseCells]:
    return {cells.number: cells for cells in exercises_in(notebook)}


@pytest.fixture(scope="module")
def graded(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Class:
    """Released, handed in, graded and given feedback by nbgrader's own commands."""
    folder = tmp_path_factory.mktemp("class") / "course"
    shutil.copytree(made, folder)
    with (folder / "nbgrader_config.py").open("a") as settings:  # the loop of exercise 3.2 need not take two minutes
        settings.write('c.Execute.timeout_func = lambda cell: 5 if "check(\\"3.2" in cell.source else 240\n')
    nbgrader(folder, "generate_assignment", NAME)
    released = read_notebook(folder / "release" / NAME / LESSON.name)
    for student, notebook in submissions(released).items():
        place = folder / "submitted" / student / NAME
        place.mkdir(parents=True)
        nbformat.write(notebook, place / LESSON.name)
    log = nbgrader(folder, "autograde", NAME)
    nbgrader(folder, "generate_feedback", NAME)
    return Class(folder, released, points_in(folder), log)


def points_in(folder: Path, name: str = NAME) -> dict[str, dict[str, float]]:
    """The points of each student by exercise, from nbgrader's gradebook."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        return {
            submission.student.id: {
                grade.name.removeprefix("check-").replace("-", "."): grade.score
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
            for submission in book.assignment_submissions(name)
        }


def test_the_release_holds_no_word_of_the_solutions_and_no_hidden_test(graded: Class) -> None:
    text = (graded.folder / "release" / NAME / LESSON.name).read_text()
    assert "BEGIN SOLUTION" not in text
    assert "HIDDEN TESTS" not in text
    assert "course.grade" not in text
    lesson = read_notebook(LESSON)
    elsewhere = {line.strip() for cell in lesson.cells if role(cell) != SOLUTION for line in cell.source.splitlines()}
    released = {line.strip() for cell in graded.released.cells for line in cell.source.splitlines()}
    for cell in (cell for cell in lesson.cells if role(cell) == SOLUTION):
        distinctive = {line.strip() for line in cell.source.splitlines()} - elsewhere
        assert distinctive, "a solution that says nothing of its own"
        assert not distinctive & released


def test_the_blanks_of_the_release_are_the_lessons_stubs(graded: Class) -> None:
    lesson = answers_of(read_notebook(LESSON))
    released = answers_of(graded.released)
    assert list(released) == list(lesson) == list(POINTS)
    for number, cells in released.items():
        assert cells.stub.source.rstrip("\n") == lesson[number].stub.source
        assert cells.check.source.rstrip("\n") == lesson[number].check.source
        assert cells.check.metadata["editable"] is cells.task.metadata["editable"] is False


def test_a_solver_has_full_marks(graded: Class) -> None:
    assert graded.points["solver"] == POINTS


def test_a_blank_has_none(graded: Class) -> None:
    assert graded.points["blank"] == dict.fromkeys(POINTS, 0)


def test_half_the_answers_have_their_sum(graded: Class) -> None:
    """Right: 3.1, though it warns, and 3.5. An endless loop in 3.2, no attempt at 3.3, a wrong answer to 3.4."""
    assert graded.points["half"] == dict.fromkeys(POINTS, 0) | {"3.1": POINTS["3.1"], "3.5": POINTS["3.5"]}


def test_an_edited_check_is_put_back(graded: Class) -> None:
    checks = {number: cells.check for number, cells in answers_of(graded.graded("half")).items()}
    for number in ("3.2", "3.3", "3.4"):
        assert "all is well" not in checks[number].source
        assert f'course.grade("{number}"' in checks[number].source
        assert checks[number].metadata["nbgrader"]["points"] == POINTS[number]
    assert "Attribute 'checksum' for cell check-3-4 has changed!" in graded.log


def test_an_endless_loop_is_stopped_and_the_rest_goes_on(graded: Class) -> None:
    checks = {number: cells.check for number, cells in answers_of(graded.graded("half")).items()}
    assert "CellTimeoutError" in {output.get("ename") for output in checks["3.2"].outputs}
    assert "Exercise 3.5: passed." in checks["3.5"].outputs[0].text


def test_feedback_holds_points_and_reasons_in_words(graded: Class) -> None:
    page = graded.feedback("half")
    assert f"Score: {POINTS['3.1'] + POINTS['3.5']:.1f} / {sum(POINTS.values()):.1f}" in page
    assert "Exercise 3.1: passed." in page
    assert "Exercise 3.3: not attempted." in page
    assert "AssertionError: Exercise 3.4: not yet. " in page
    assert "CellTimeoutError" in page
    assert "Exercise 3.3: not attempted." in graded.feedback("blank")
    assert "AssertionError" not in graded.feedback("solver")


def test_a_students_checks_are_recorded_in_the_students_own_folder(graded: Class) -> None:
    assert (graded.folder / "autograded" / "solver" / NAME / "progress.json").is_file()


@pytest.mark.long
@pytest.mark.parametrize("number", lessons_with_exercises())
def test_a_solver_of_any_lesson_has_full_marks(tmp_path: Path, number: int) -> None:
    """The exercises alone, without the rest of their lesson."""
    done = make_course(tmp_path / "course", (number,), exercises_only=True)
    (name,), (source,) = done.assignments, (path for path in done.written if path.suffix == ".ipynb")
    nbgrader(tmp_path / "course", "generate_assignment", name)
    released = read_notebook(tmp_path / "course" / "release" / name / source.name)
    place = tmp_path / "course" / "submitted" / "solver" / name
    place.mkdir(parents=True)
    nbformat.write(solved(released, read_notebook(NOTEBOOKS / source.name)), place / source.name)
    nbgrader(tmp_path / "course", "autograde", name)
    expected = {exercise.number: exercise.points for exercise in exercises_of(number)}
    assert points_in(tmp_path / "course", name) == {"solver": expected}


# ---- the sandbox ----


def can_shut_in() -> bool:
    """Whether this is Linux, as root, with namespaces."""
    tools = ("unshare", "setpriv", "prlimit", "mount", "ip", "timeout")
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not all(map(shutil.which, tools)):
        return False
    probe = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "ip", "link", "set", "lo", "up"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


ROGUE = """
import os
import socket
from pathlib import Path


def attempt(what, function):
    try:
        print(what, "->", function())
    except BaseException as error:
        print(what, "->", type(error).__name__, error)


attempt("network", lambda: socket.create_connection(("192.0.2.1", 80), timeout=3))
attempt("user", os.getuid)
attempt("course", lambda: os.listdir("COURSE"))
attempt("solutions", lambda: [str(p) for p in Path("PROJECT").glob("notebooks/*.ipynb")])
attempt("elsewhere", lambda: Path("PROJECT/rogue.txt").write_text("x"))
attempt("memory", lambda: len(bytearray(20_000_000_000)))
attempt("scratch", lambda: Path("/tmp/rogue.txt").write_text("x"))
"""


@pytest.mark.long
def test_the_sandbox_keeps_a_rogue_in_and_grades_it_all_the_same(graded: Class, tmp_path: Path) -> None:
    if not can_shut_in():
        pytest.skip("needs Linux namespaces, as root")
    folder, project = tmp_path / "course", NOTEBOOKS.parent
    shutil.copytree(graded.folder, folder, ignore=shutil.ignore_patterns("submitted", "autograded", "feedback"))
    rogue = submissions(graded.released)["solver"]
    own = ROGUE.replace("COURSE", str(folder)).replace("PROJECT", str(project))
    answers_of(rogue)["3.1"].stub.source += own
    place = folder / "submitted" / "rogue" / NAME
    place.mkdir(parents=True)
    nbformat.write(rogue, place / LESSON.name)
    script = project / "docs" / "teaching" / "grade_in_sandbox.sh"
    done = subprocess.run(
        ["sh", script, folder, NAME],
        env={**os.environ, "PYTHON": sys.executable, "JUPYTER_NO_CONFIG": "1"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert points_in(folder)["rogue"] == POINTS
    answer = answers_of(read_notebook(folder / "autograded" / "rogue" / NAME / LESSON.name))["3.1"].stub
    found = dict(line.split(" -> ", 1) for line in answer.outputs[0].text.splitlines())
    assert found["network"].startswith("OSError")
    assert int(found["user"]) != 0
    assert found["course"].startswith(("[]", "FileNotFoundError"))
    assert found["solutions"] == "[]"
    assert found["elsewhere"].startswith(("PermissionError", "OSError"))
    assert found["memory"].startswith("MemoryError")
    assert found["scratch"] == "1"
    assert not Path("/tmp/rogue.txt").exists()
    assert not (project / "rogue.txt").exists()
