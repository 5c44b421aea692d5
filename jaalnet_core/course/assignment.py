"""An nbgrader course folder made from the lessons, in which nothing is ever overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from jaalnet_core.course.exercise_cells import exercises_in
from jaalnet_core.course.graded_notebook import graded_notebook
from jaalnet_core.course.lessons import Lesson, choose_lessons, find_lessons, read_notebook
from jaalnet_core.course.opening import holds_lessons, project_folder
from jaalnet_core.course.workspace import course_notebooks
from jaalnet_core.errors import JaalnetError
from jaalnet_core.files import new_path

CONFIG = "nbgrader_config.py"
SOURCE = "source"
NBGRADERS = ("release", "submitted", "autograded", "feedback", "gradebook.db")  # what nbgrader makes beside ours
CELL_LIMIT = 120  # seconds; a check takes about one, the imports ten, more on a busy machine
LESSON_CELL_LIMIT = 300  # seconds, where the lesson's own cells are run too
_CONFIG = '''"""Settings of nbgrader for this course: run its commands in this folder, with an exchange or without."""

import os

# the same pictures and the same small networks for every student, whatever this machine has
os.environ.setdefault("JAALNET_PROFILE", "fast")
os.environ.setdefault("JAALNET_DATA", "synthetic")

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = {course_id!r}

# an answer's blank stays as the lesson has it: nothing is put in the place of the solution
c.ClearSolutions.code_stub = {{"python": ""}}

# an endless loop costs this many seconds and its own points; one that cannot be interrupted also those after it
c.Execute.timeout = {seconds}
c.ExecutePreprocessor.timeout = {seconds}
c.Execute.raise_on_iopub_timeout = False

# nbgrader takes every word on standard error for a failure: a warning must cost no points
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"(?s).*"
'''


@dataclass(frozen=True)
class MadeCourse:
    """What was done, as paths.

    Attributes:
        written: new files.
        left_alone: files and folders that were there before.
        points: most points of each assignment, by its name.
    """

    written: tuple[Path, ...]
    left_alone: tuple[Path, ...]
    points: dict[str, int]

    @property
    def assignments(self) -> tuple[str, ...]:
        """The names of the assignments, as nbgrader's commands take them."""
        return tuple(self.points)


def assignment_name(lesson: Lesson) -> str:
    """What nbgrader calls a lesson, such as `07-evaluation`."""
    return lesson.path.stem.replace("_", "-")


def make_course(
    folder: Path,
    numbers: Sequence[int] = (),
    *,
    exercises_only: bool = False,
    course_id: str = "jaal-net",
    source: Path | None = None,
) -> MadeCourse:
    """Make an nbgrader course folder, or add to one the lessons that it lacks.

    `folder/source/<assignment>/<lesson>.ipynb` is the instructor's version of a lesson. Existing files are left
    alone, whatever they hold, and so is all that nbgrader has made.

    Args:
        folder: the course's; made where it is missing.
        numbers: of the lessons; all that have exercises when left out.
        exercises_only: leave out everything of a lesson but its title, imports and exercises.
        course_id: nbgrader's name for the course.
        source: the folder of the lessons; by default the checkout's.

    Raises:
        JaalnetError: a lesson that is unknown or has no exercises, or a folder that cannot be used.
    """
    _must_be_usable(folder)
    lessons = _with_exercises(source or course_notebooks(), numbers)
    seconds = CELL_LIMIT if exercises_only else LESSON_CELL_LIMIT
    texts = {folder / CONFIG: _CONFIG.format(course_id=course_id, seconds=seconds)}
    points = {}
    for lesson in lessons:
        name = assignment_name(lesson)
        notebook = _graded(lesson, exercises_only)
        texts[folder / SOURCE / name / lesson.path.name] = nbformat.writes(notebook).rstrip("\n") + "\n"
        points[name] = sum(cell.metadata.get("nbgrader", {}).get("points", 0) for cell in notebook.cells)
    left_alone = [folder / name for name in NBGRADERS if (folder / name).exists()]
    written = []
    for path, text in texts.items():
        (written if _write(path, text) else left_alone).append(path)
    return MadeCourse(tuple(written), tuple(left_alone), points)


def _must_be_usable(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise JaalnetError(f"{folder}: found a file, expected a folder or a new name")
    project = project_folder(folder.resolve())
    if holds_lessons(project):
        raise JaalnetError(
            f"{folder}: found it inside {project}, which holds the course's lessons; students' work and grades belong "
            "outside, such as in ../classroom"
        )


def _with_exercises(source: Path, numbers: Sequence[int]) -> list[Lesson]:
    lessons = find_lessons(source)
    able = [lesson for lesson in lessons if exercises_in(read_notebook(lesson.path))]
    there = ", ".join(str(lesson.number) for lesson in able) or "none"
    if not able:
        raise JaalnetError(f"{source}: found no lesson with exercises")
    for lesson in choose_lessons(lessons, numbers, source) if numbers else ():
        if lesson not in able:
            raise JaalnetError(
                f"lesson {lesson.number}: found no exercises in it, expected one that has some ({there})"
            )
    return choose_lessons(able, numbers, source)


def _graded(lesson: Lesson, exercises_only: bool):
    try:
        return graded_notebook(read_notebook(lesson.path), exercises_only=exercises_only)
    except JaalnetError as error:
        raise JaalnetError(f"{lesson.path}: {error}") from error


def _write(path: Path, text: str) -> bool:
    """Write a new file; False where there is one already."""
    try:
        with new_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    except FileExistsError:
        return False
    except OSError as error:
        raise JaalnetError(
            f"{path}: cannot be written ({error.strerror or error}); name a folder of yours with room on its disk. "
            "What was written before is whole, and the same command goes on from it"
        ) from error
    return True
