"""The lessons as they are committed: in order, executed, marked, and mapped."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from jaalnet_core.course.lessons import COMPARED, find_lessons, map_block, tagged, update_map
from jaalnet_core.course.lint import problems
from jaalnet_core.course.running import execute, run_in_place

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
LESSONS = find_lessons(NOTEBOOKS)


def test_there_are_eleven_lessons_named_by_number_and_subject() -> None:
    assert [lesson.number for lesson in LESSONS] == list(range(11))
    for lesson in LESSONS:
        subject = re.sub(r"[^a-z]+", "_", lesson.title.lower().replace("-", "_")).strip("_")
        assert lesson.path.stem == f"{lesson.number:02d}_{subject}"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.path.stem)
def test_it_keeps_the_house_rules(lesson) -> None:
    assert problems(lesson.path, LESSONS) == []


def test_lessons_need_only_earlier_ones() -> None:
    for lesson in LESSONS:
        assert all(needed < lesson.number for needed in lesson.needs), lesson.path.name


def test_the_map_says_what_the_lessons_say() -> None:
    text = (NOTEBOOKS / "README.md").read_text()
    assert map_block(LESSONS) in text, "`jaalnet lessons map` renews it"


def test_the_map_is_renewed_between_its_marks_alone(tmp_path: Path) -> None:
    for lesson in LESSONS:
        shutil.copy(lesson.path, tmp_path)
    (tmp_path / "README.md").write_text("before\n<!-- lessons -->\nold\n<!-- /lessons -->\nafter\n")
    assert update_map(tmp_path)
    assert not update_map(tmp_path)
    lines = (tmp_path / "README.md").read_text().splitlines()
    assert (lines[0], lines[-1]) == ("before", "after")
    assert "old" not in lines
    assert sum(line.startswith("| [") for line in lines) == len(LESSONS)


def test_every_proof_of_sameness_is_a_compared_output() -> None:
    """In the lessons that rebuild a part, the package's own version is held against it."""
    for lesson in LESSONS[1:8]:
        notebook = nbformat.read(lesson.path, as_version=4)
        said = "".join(output.get("text", "") for cell in tagged(notebook, COMPARED) for output in cell.outputs)
        proofs = [
            words for words in ("same numbers: largest difference", "same losses, DA-Net and LF-Net") if words in said
        ]
        assert proofs, lesson.path.name


def nbval(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nbval-current-env", "-p", "no:cacheprovider"]
    return subprocess.run([*command, "-p", "no:xdist", str(path)], capture_output=True, text=True, check=False)


def small_lesson(path: Path, source: str) -> None:
    """A lesson of one compared cell, run in place."""
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": [COMPARED]})
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata["jaalnet"] = {"lesson": 4, "title": "Small", "minutes": 1, "needs": []}
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)


def test_running_keeps_outputs_and_measures_and_nbval_compares_them(tmp_path: Path) -> None:
    path = tmp_path / "04_small.ipynb"
    small_lesson(path, "import os\nprint(os.environ['JAALNET_PROFILE'], os.environ['JAALNET_DATA'], 6 * 7)")
    measured = run_in_place(path)
    assert 0 < measured.seconds < 120
    assert 20 < measured.megabytes < 1000
    notebook = nbformat.read(path, as_version=4)
    assert notebook.cells[0].outputs[0].text == "fast synthetic 42\n"
    assert notebook.metadata["jaalnet"]["measured"]["pictures"] == "synthetic"
    assert "execution" not in notebook.cells[0].metadata
    notebook.cells[0].source = "print('fast synthetic 42')"
    nbformat.write(notebook, path)
    assert nbval(path).returncode == 0
    notebook.cells[0].source = "print('fast synthetic 43')"
    nbformat.write(notebook, path)
    assert nbval(path).returncode == 1


def test_a_lesson_that_fails_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "04_small.ipynb"
    small_lesson(path, "1 / 0")
    before = path.read_bytes()
    with pytest.raises(Exception, match="ZeroDivisionError"):
        run_in_place(path)
    assert path.read_bytes() == before


@pytest.mark.long
@pytest.mark.real_data
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.path.stem)
def test_it_runs_on_the_real_pictures(lesson, real_data: Path, tmp_path: Path) -> None:
    """Start to end without an error; nothing is compared, and nothing kept."""
    project = tmp_path / "project"
    (project / "notebooks").mkdir(parents=True)
    for name in ("checkpoints", "reports", "data"):
        (project / name).mkdir()
    (project / "checkpoints" / "shipped").symlink_to(ROOT / "checkpoints" / "shipped")
    (project / "reports" / "published").symlink_to(ROOT / "reports" / "published")
    path = Path(shutil.copy(lesson.path, project / "notebooks"))
    notebook = nbformat.read(path, as_version=4)
    execute(notebook, path, {"JAALNET_PROFILE": "fast", "JAALNET_DATA": str(real_data)})
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    first = next(cell for cell in notebook.cells if cell.cell_type == "code" and "course.begin" in cell.source)
    assert real_data.name in "".join(output.get("text", "") for output in first.outputs)
