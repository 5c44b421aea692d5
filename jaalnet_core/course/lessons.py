"""The lessons as files: what each says of itself, and the words that are made from it (facts, navigation, map)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from jaalnet_core.course.exercise import exercises_of
from jaalnet_core.course.exercise_cells import fill_in_exercises
from jaalnet_core.errors import JaalnetError
from jaalnet_core.files import atomic_path

NOTEBOOKS = Path("notebooks")
MAP = "README.md"
COMPARED = "nbval-check-output"  # nbval's tag: the output of this cell is compared
FACTS = "lesson-facts"
NAVIGATION = "lesson-navigation"
_MAP_START, _MAP_END = "<!-- lessons -->", "<!-- /lessons -->"


@dataclass(frozen=True)
class Lesson:
    """What a notebook says of itself in its metadata, under `jaalnet`.

    Attributes:
        path: the notebook.
        number: 0 to 10, as in the file's name.
        title: as in its heading.
        minutes: what a learner takes to read it and play with it.
        needs: numbers of the lessons it builds on.
        seconds: what running all cells took, in the fast profile, when it was last run by `jaalnet lessons run`.
        megabytes: the kernel's largest resident memory in that run.
    """

    path: Path
    number: int
    title: str
    minutes: int
    needs: tuple[int, ...]
    seconds: float | None
    megabytes: int | None

    @property
    def heading(self) -> str:
        """The notebook's first line, without the mark of a heading."""
        return f"Lesson {self.number}: {self.title}"


def find_lessons(folder: Path = NOTEBOOKS) -> list[Lesson]:
    """The lessons of a folder in their order.

    Raises:
        JaalnetError: no lesson there, a notebook that says nothing of itself, or a number twice.
    """
    paths = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not paths:
        raise JaalnetError(f"{folder}: found no lesson, expected notebooks such as 00_start_here.ipynb")
    lessons = [lesson_of(path) for path in paths]
    for before, after in itertools.pairwise(lessons):
        if before.number == after.number:
            raise JaalnetError(f"{after.path}: found the number of {before.path.name} again, expected one lesson each")
    return lessons


def lesson_of(path: Path) -> Lesson:
    """Read what a notebook says of itself.

    Raises:
        JaalnetError: no notebook, or a field missing, or a number that is not the file name's.
    """
    said = read_notebook(path).metadata.get("jaalnet", {})
    if missing := {"lesson", "title", "minutes", "needs"} - set(said):
        raise JaalnetError(f"{path}: its metadata under `jaalnet` lacks {', '.join(sorted(missing))}")
    if int(path.name[:2]) != said["lesson"]:
        raise JaalnetError(f"{path}: its metadata says lesson {said['lesson']}, its name {path.name[:2]}")
    measured = said.get("measured", {})
    return Lesson(
        path,
        said["lesson"],
        said["title"],
        said["minutes"],
        tuple(said["needs"]),
        measured.get("seconds"),
        measured.get("megabytes"),
    )


def choose_lessons(lessons: Sequence[Lesson], numbers: Sequence[int], folder: Path) -> list[Lesson]:
    """The lessons of some numbers; all where none is named.

    Args:
        folder: where they lie, for the message.

    Raises:
        JaalnetError: a number without a lesson.
    """
    if unknown := set(numbers) - {lesson.number for lesson in lessons}:
        raise JaalnetError(f"lessons: found no {', '.join(map(str, sorted(unknown)))} in {folder}")
    return [lesson for lesson in lessons if not numbers or lesson.number in numbers]


def read_notebook(path: Path) -> Any:
    """The notebook, checked against the format.

    Raises:
        JaalnetError: it cannot be read, or is none.
    """
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise JaalnetError(f"{path}: no notebook can be read there ({error})") from error


def write_notebook(notebook: Any, path: Path) -> None:
    """Write a notebook whole or not at all.

    Raises:
        nbformat.ValidationError: it is none; nothing is written.
    """
    nbformat.validate(notebook)
    text = nbformat.writes(notebook)
    with atomic_path(path) as temporary:
        temporary.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def tagged(notebook: Any, tag: str) -> list[Any]:
    """The cells with a tag."""
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def facts(lesson: Lesson) -> str:
    """The lines under a lesson's title: time, memory, exercises and what it builds on."""
    lines = [f"**Time**: about {lesson.minutes} minutes to read and play with."]
    if lesson.seconds is not None:
        lines.append(
            f"**Machine**: all cells run in {_rounded_seconds(lesson.seconds)} and {_gigabytes(lesson)} of memory "
            "(two CPU cores, fast profile)."
        )
    if exercises := exercises_of(lesson.number):
        lines.append(f"**Exercises**: {len(exercises)}, about {sum(one.minutes for one in exercises)} minutes.")
    lines.append(f"**Before it**: {_needs(lesson.needs)}.")
    return "  \n".join(lines)


def navigation(lesson: Lesson, lessons: Sequence[Lesson]) -> str:
    """The last cell: previous, map, next."""
    others = {other.number: other for other in lessons}
    links = []
    if before := others.get(lesson.number - 1):
        links.append(f"[← {before.heading}]({before.path.name})")
    links.append(f"[all lessons]({MAP})")
    if after := others.get(lesson.number + 1):
        links.append(f"[{after.heading} →]({after.path.name})")
    return "---\n" + " · ".join(links)


def fill_in(notebook: Any, lesson: Lesson, lessons: Sequence[Lesson]) -> None:
    """Write the generated cells of a notebook in memory: facts, navigation, and the headings of exercises."""
    fill_in_exercises(notebook)
    for tag, text in ((FACTS, facts(lesson)), (NAVIGATION, navigation(lesson, lessons))):
        for cell in tagged(notebook, tag):
            cell.source = text


def map_block(lessons: Sequence[Lesson]) -> str:
    """The table of the map: a row a lesson."""
    rows = [
        "| lesson | minutes | exercises | runs in | memory | builds on |",
        "| --- | --- | --- | --- | --- | --- |",
        *(
            f"| [{lesson.number:02d} {lesson.title}]({lesson.path.name}) | {lesson.minutes} | {_exercises(lesson)} | "
            f"{_rounded_seconds(lesson.seconds)} | {_gigabytes(lesson)} | "
            f"{', '.join(f'{number:02d}' for number in lesson.needs) or 'nothing'} |"
            for lesson in lessons
        ),
    ]
    reading = round(sum(lesson.minutes for lesson in lessons) / 60)
    practising = round(sum(one.minutes for lesson in lessons for one in exercises_of(lesson.number)) / 60)
    rows += [
        "",
        f"About {reading} hours to read and play with, and {practising} for the exercises. Running times and memory: "
        "all cells, fast profile, two CPU cores.",
    ]
    return "\n".join(rows)


def update_map(folder: Path = NOTEBOOKS) -> bool:
    """Rewrite the table in the folder's README between its two marks; whether anything changed.

    Raises:
        JaalnetError: the README or a mark is missing.
    """
    path = folder / MAP
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    head, found, rest = text.partition(_MAP_START)
    _, closed, tail = rest.partition(_MAP_END)
    if not (found and closed):
        raise JaalnetError(f"{path}: expected the lines {_MAP_START} and {_MAP_END}, between which the table goes")
    new = f"{head}{_MAP_START}\n{map_block(find_lessons(folder))}\n{_MAP_END}{tail}"
    if new != text:
        with atomic_path(path) as temporary:
            temporary.write_text(new, encoding="utf-8")
    return new != text


def _exercises(lesson: Lesson) -> str:
    exercises = exercises_of(lesson.number)
    return f"{len(exercises)}, {sum(one.minutes for one in exercises)} min" if exercises else ""


def _needs(numbers: Sequence[int]) -> str:
    if not numbers:
        return "nothing"
    names = [f"{number:02d}" for number in numbers]
    return ("lesson " if len(names) == 1 else "lessons ") + ", ".join(names)


def _rounded_seconds(seconds: float | None) -> str:
    return "?" if seconds is None else f"{max(5, 5 * round(seconds / 5))} s"


def _gigabytes(lesson: Lesson) -> str:
    return "?" if lesson.megabytes is None else f"{max(0.1, lesson.megabytes / 1000):.1f} GB"
