"""A learner's workspace: the lessons without their solutions, in a folder where nothing is ever overwritten."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from jaalnet_core.course.exercise_cells import for_learner
from jaalnet_core.course.lessons import MAP, NOTEBOOKS, Lesson, choose_lessons, find_lessons, map_block, read_notebook
from jaalnet_core.errors import JaalnetError
from jaalnet_core.files import new_path
from jaalnet_core.supplied import supplies

MANIFEST = ".as-given.txt"  # what each file was when it was written: name and SHA-256
_README = """# My JAAL-Net course

`jaalnet lab` in this folder opens JupyterLab at the first lesson. The lessons are in `notebooks/`; what you write
there stays: `jaalnet start . --update`, run in this folder, adds lessons that are new and leaves every file alone.

Each lesson ends with exercises. `course.check("3.1", ...)` says whether an answer is right, `course.hint("3.1")`
helps a step further, `course.progress()` shows how far you are (kept in `progress.json`). Your own pictures can go
into `data/`.
"""
_MISSING = "Lessons that are not in this folder: `jaalnet start .. --update` adds them."


@dataclass(frozen=True)
class Started:
    """What was done, as paths below the workspace.

    Attributes:
        added: written now.
        same: there already, as the course has them.
        yours: there already and changed since they were given.
        older: there already, unchanged, but the course has another version now.
    """

    added: tuple[str, ...]
    same: tuple[str, ...] = ()
    yours: tuple[str, ...] = ()
    older: tuple[str, ...] = ()


def start(folder: Path, numbers: Sequence[int] = (), *, update: bool = False, source: Path | None = None) -> Started:
    """Make a learner's workspace, or add to one what is new.

    Files are written whole or not at all, and never over another. After an interruption the same call with `update`
    goes on.

    Args:
        folder: the workspace; made where it is missing.
        numbers: of the lessons; all when left out.
        update: leave alone what is there, instead of refusing.
        source: the folder of the lessons; by default the `notebooks/` of the checkout this package lies in.

    Raises:
        JaalnetError: the folder holds such files already (without `update`), cannot be written, or a lesson is unknown.
    """
    source = source or course_notebooks()
    lessons = find_lessons(source)
    wanted = dict(_files(lessons, choose_lessons(lessons, numbers, source)))
    if folder.exists() and not folder.is_dir():
        raise JaalnetError(f"{folder}: found a file, expected a folder or a new name")
    there = [name for name in wanted if (folder / name).exists()]
    if there and not update:
        more = f" and {len(there) - 1} more files of the course" if there[1:] else ""
        raise JaalnetError(
            f"{folder}: found {there[0]}{more} there; nothing was written. "
            "--update adds what is missing and leaves those alone; or name another folder"
        )
    given = _given(folder)
    try:
        added = [name for name, text in wanted.items() if name not in there and _write(folder, name, text)]
    except OSError as error:
        raise JaalnetError(
            f"{folder}: cannot be written ({error.strerror or error}); name a folder of yours with room on its disk. "
            "What was written before is whole, and --update goes on from it"
        ) from error
    kinds: dict[str, list[str]] = {"same": [], "yours": [], "older": []}
    for name in there:
        kinds[_kind(folder / name, wanted[name], given.get(name))].append(name)
    return Started(tuple(added), **{kind: tuple(names) for kind, names in kinds.items()})


def course_notebooks() -> Path:
    """The lessons that come with the package, from its checkout or its wheel.

    Raises:
        JaalnetError: the package was installed without them.
    """
    folder = supplies() / NOTEBOOKS
    if not folder.is_dir():
        raise JaalnetError(
            f"{folder}: found no lessons with the package; install it again, from a wheel or a clone of the project"
        )
    return folder


def _files(lessons: Sequence[Lesson], chosen: Sequence[Lesson]) -> Iterator[tuple[str, str]]:
    """What a workspace holds: names below it, and texts. The map lists all lessons, so that it never grows old."""
    yield "README.md", _README
    yield f"{NOTEBOOKS}/{MAP}", f"# The lessons\n\n{map_block(lessons)}\n\n{_MISSING}\n"
    for lesson in chosen:
        text = nbformat.writes(for_learner(read_notebook(lesson.path)))
        yield f"{NOTEBOOKS}/{lesson.path.name}", text.rstrip("\n") + "\n"


def _write(folder: Path, name: str, text: str) -> bool:
    """Write a new file and note what it was; False where it has come to be there meanwhile."""
    try:
        with new_path(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    except FileExistsError:
        return False
    with (folder / MANIFEST).open("a", encoding="utf-8") as manifest:
        manifest.write(f"{_hash(text.encode())}  {name}\n")
    return True


def _given(folder: Path) -> dict[str, str]:
    """The hashes of the files as they were given, by name; a later line wins."""
    try:
        lines = (folder / MANIFEST).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    return {name: found for found, _, name in (line.partition("  ") for line in lines)}


def _kind(path: Path, text: str, given: str | None) -> str:
    try:
        found = _hash(path.read_bytes())
    except OSError:  # not readable: whatever it is, it is not ours
        return "yours"
    if found == _hash(text.encode()):
        return "same"
    return "older" if found == given else "yours"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
