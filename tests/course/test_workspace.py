"""A learner's workspace: nothing of the solutions in it, nothing ever overwritten, and words when it cannot be made."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nbformat
import pytest

from jaalnet_core.cli import main
from jaalnet_core.course import workspace
from jaalnet_core.course.exercise_cells import SOLUTION, exercises_in, role, solved
from jaalnet_core.course.lessons import find_lessons, read_notebook
from jaalnet_core.course.running import execute
from jaalnet_core.course.workspace import MANIFEST, start
from jaalnet_core.errors import JaalnetError

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
LESSONS = find_lessons(NOTEBOOKS)
QUICK = (3, 5)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def notebook_in(folder: Path, number: int) -> Path:
    (path,) = folder.glob(f"notebooks/{number:02d}_*.ipynb")
    return path


def test_it_holds_the_lessons_without_solutions_and_outputs(tmp_path: Path) -> None:
    done = start(tmp_path / "mine")
    assert len(done.added) == len(LESSONS) + 2
    for lesson in LESSONS:
        given, source = read_notebook(notebook_in(tmp_path / "mine", lesson.number)), read_notebook(lesson.path)
        assert not [cell for cell in given.cells if role(cell) == SOLUTION]
        assert all(not cell.outputs and cell.execution_count is None for cell in given.cells if "outputs" in cell)
        assert [cell.source for cell in given.cells] == [cell.source for cell in source.cells if role(cell) != SOLUTION]
        text = notebook_in(tmp_path / "mine", lesson.number).read_text(encoding="utf-8")
        for exercise in exercises_in(source):
            long = [line for line in exercise.solution_source.splitlines() if len(line) > 40]
            kept = "\n".join(cell.source for cell in source.cells if role(cell) != SOLUTION)
            for line in long:
                assert line in kept or line.replace('"', '\\"') not in text


def test_chosen_lessons_then_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    start(folder, (1, 3))
    assert len(list(folder.glob("notebooks/*.ipynb"))) == 2
    before = contents(folder)
    done = start(folder, update=True)
    assert len(done.added) == len(LESSONS) - 2
    assert len(done.same) == 4
    assert not done.yours + done.older
    assert {name: contents(folder)[name] for name in before} == before


def test_a_second_start_writes_nothing_and_says_what_to_do(tmp_path: Path) -> None:
    start(tmp_path, (1,))
    before = contents(tmp_path)
    with pytest.raises(JaalnetError, match=r"found README.md and 2 more files .* nothing was written. --update adds"):
        start(tmp_path, (1, 2))
    assert contents(tmp_path) == before


def test_an_edited_notebook_stays_and_is_named(tmp_path: Path) -> None:
    start(tmp_path, (1, 2))
    edited = notebook_in(tmp_path, 1)
    edited.write_text(edited.read_text(encoding="utf-8").replace("Lesson 1", "My lesson 1"), encoding="utf-8")
    before = edited.read_bytes()
    done = start(tmp_path, update=True)
    assert done.yours == (f"notebooks/{edited.name}",)
    assert edited.read_bytes() == before


def test_an_unedited_notebook_of_an_earlier_course_stays_and_is_named(tmp_path: Path) -> None:
    old = tmp_path / "course"
    shutil.copytree(NOTEBOOKS, old, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    path = next(old.glob("01_*.ipynb"))
    path.write_text(path.read_text(encoding="utf-8").replace("OpenCV", "OpenCV 3"), encoding="utf-8")
    start(tmp_path / "mine", (1, 2), source=old)
    before = contents(tmp_path / "mine")
    done = start(tmp_path / "mine", (1, 2), update=True)
    assert done.older == (f"notebooks/{path.name}",)
    assert contents(tmp_path / "mine") == before


def test_an_interrupted_start_leaves_whole_files_and_update_goes_on(tmp_path: Path, monkeypatch) -> None:
    wrote, write = [], workspace._write

    def until_the_fourth(*arguments) -> bool:
        if len(wrote) == 3:
            raise KeyboardInterrupt
        wrote.append(arguments[1])
        return write(*arguments)

    monkeypatch.setattr(workspace, "_write", until_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        start(tmp_path)
    assert sorted(contents(tmp_path)) == sorted(wrote)
    monkeypatch.undo()
    done = start(tmp_path, update=True)
    assert len(done.same) == 3
    assert len(done.added) == len(LESSONS) + 2 - 3


def test_interrupted_in_the_middle_of_a_file_nothing_half_is_there(tmp_path: Path, monkeypatch) -> None:
    def cut(self: Path, text: str, **_: object) -> None:
        self.open("w").write(text[:100])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", cut)
    with pytest.raises(KeyboardInterrupt):
        start(tmp_path, (1,))
    assert contents(tmp_path) == {}


def test_a_full_disk_is_said_and_what_was_written_is_whole(tmp_path: Path, monkeypatch, capsys) -> None:
    wrote, write = [], workspace._write

    def until_full(*arguments) -> bool:
        if len(wrote) == 2:
            raise OSError(28, "No space left on device")
        wrote.append(arguments[1])
        return write(*arguments)

    monkeypatch.setattr(workspace, "_write", until_full)
    assert main(["start", str(tmp_path / "mine")]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "cannot be written (No space left on device)" in said
    assert "--update goes on" in said
    assert sorted(contents(tmp_path / "mine")) == sorted(wrote)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no read-only folders by mode here")
def test_a_read_only_folder_is_said(tmp_path: Path, monkeypatch) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    if os.geteuid() == 0:  # root may write anywhere: pretend as the system would

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied", str(locked))

        monkeypatch.setattr(Path, "mkdir", refuse)
    else:
        locked.chmod(0o500)
    with pytest.raises(JaalnetError, match=r"locked: cannot be written \(Permission denied\); name a folder of yours"):
        start(locked, (1,))
    assert contents(locked) == {}


def test_a_file_in_the_folders_place_and_an_unknown_lesson(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(JaalnetError, match="taken: found a file, expected a folder"):
        start(tmp_path / "taken")
    with pytest.raises(JaalnetError, match="lessons: found no 77 in"):
        start(tmp_path / "new", (77,))
    assert not (tmp_path / "new").exists()
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_name_taken_meanwhile_is_not_overwritten(tmp_path: Path, monkeypatch) -> None:
    link = os.link

    def somebody_else_first(source: str, target: Path) -> None:
        Path(target).write_text("somebody else's", encoding="utf-8")
        link(source, target)

    monkeypatch.setattr(os, "link", somebody_else_first)
    done = start(tmp_path, (1,))
    assert done.added == ()
    assert set(contents(tmp_path).values()) == {b"somebody else's"}


def test_the_command_says_what_it_did(tmp_path: Path, capsys) -> None:
    assert main(["start", str(tmp_path / "mine"), "--lessons", "2"]) == 0
    out = capsys.readouterr().out
    assert "added: " in out
    assert "02_contour_attention.ipynb" in out
    assert f"cd {tmp_path / 'mine'} && jaalnet lab" in out
    assert main(["start", str(tmp_path / "mine"), "--lessons", "2", "--update"]) == 0
    assert "3 files were there already, as the course has them" in capsys.readouterr().out


def outcomes(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """What each check of a run notebook said, by exercise."""
    said = {}
    for exercise in exercises_in(notebook):
        text = " ".join("".join(output.get("text", "") for output in exercise.check.outputs).split())
        said[exercise.number] = text.removeprefix(f"Exercise {exercise.number}: ").partition(".")[0]
    return said


@pytest.mark.parametrize(
    "lesson",
    [
        pytest.param(lesson, id=lesson.path.stem, marks=() if lesson.number in QUICK else pytest.mark.long)
        for lesson in LESSONS
    ],
)
def test_a_learners_notebook_runs_to_its_end_untouched_and_solved(lesson, tmp_path: Path) -> None:
    start(tmp_path, (lesson.number,))
    path = notebook_in(tmp_path, lesson.number)
    environment = {"JAALNET_PROFILE": "fast", "JAALNET_DATA": "synthetic"}
    notebook = read_notebook(path)
    execute(notebook, path, environment)  # raises at an exception
    assert set(outcomes(notebook).values()) <= {"not attempted"}
    assert not (tmp_path / "progress.json").exists()
    answered = solved(read_notebook(path), read_notebook(lesson.path))
    answered.cells.append(nbformat.v4.new_code_cell("course.progress()"))
    execute(answered, path, environment)
    said = outcomes(answered)
    assert said == dict.fromkeys(said, "passed")
    if said:
        table = "".join(output.text for output in answered.cells[-1].outputs).splitlines()
        (line,) = [line for line in table if line.startswith(f"{lesson.number:02d} ")]
        assert f" {len(said)} of {len(said)} " in line
