"""The house rules of a lesson, each a small function that says what it found."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from jaalnet_core.course.exercise_rules import exercise_faults, quiz_faults, solution_faults
from jaalnet_core.course.lessons import (
    COMPARED,
    FACTS,
    NAVIGATION,
    Lesson,
    facts,
    lesson_of,
    navigation,
    read_notebook,
    tagged,
)
from jaalnet_core.course.quoted import unproved
from jaalnet_core.lesson_times import SLOWEST

LONGEST_CELL = 30
MEDIAN_CELL = 8
SHORTEST_ALT = 20  # characters
LARGEST = 3_000_000  # bytes of a notebook with its outputs
FEWEST_COMPARED = {0: 4, 9: 4}  # others: 6
_WIDEST_LINE = 110  # characters of a text output: more wraps or hides in JupyterLab on a laptop
_MACHINE = re.compile("|".join([r"/" + r"(root|home|Users|tmp|work)/", r"[A-Z]:\\Users"]))


def problems(path: Path, lessons: Sequence[Lesson]) -> list[str]:
    """Everything that the rules find in a lesson; none when it is in order.

    Args:
        path: the notebook.
        lessons: all of them, for the links between them.
    """
    notebook, lesson = read_notebook(path), lesson_of(path)
    found = [fault for rule in RULES for fault in rule(notebook)]
    return found + list(_generated(notebook, lesson, lessons)) + list(_links(notebook, path))


def _headings(notebook: Any) -> Iterator[str]:
    levels, titles = [], []
    for cell in _cells(notebook, "markdown"):
        outside = re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL)
        for marks, title in re.findall(r"^(#{1,6}) +(.+)$", outside, re.MULTILINE):
            levels.append(len(marks))
            titles.append(title.strip())
    if levels.count(1) != 1 or levels[:1] != [1]:
        yield f"{levels.count(1)} headings of the first level, expected one, the first"
    for before, after, title in zip(levels, levels[1:], titles[1:], strict=False):
        if after > before + 1:
            yield f"heading {title!r} jumps from level {before} to {after}"
    said = notebook.metadata["jaalnet"]
    if titles and titles[0] != f"Lesson {said['lesson']}: {said['title']}":
        yield f"the first heading is {titles[0]!r}, expected 'Lesson {said['lesson']}: {said['title']}'"
    for needed in ("What you will be able to do", "Summary"):
        if needed not in titles:
            yield f"no section {needed!r}"


def _objectives(notebook: Any) -> Iterator[str]:
    text = "\n".join(cell.source for cell in _cells(notebook, "markdown"))
    section = re.search(r"^## What you will be able to do\s*\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    count = len(re.findall(r"^[-*] ", section[1], re.MULTILINE)) if section else 0
    if not 3 <= count <= 6:
        yield f"{count} objectives, expected 3 to 6 bullets"


def _cell_budget(notebook: Any) -> Iterator[str]:
    lengths = [len(cell.source.splitlines()) for cell in _cells(notebook, "code")]
    for number, length in enumerate(lengths, 1):
        if length > LONGEST_CELL:
            yield f"code cell {number} has {length} lines, at most {LONGEST_CELL}: import it instead"
    if lengths and statistics.median(lengths) > MEDIAN_CELL:
        yield f"code cells have {statistics.median(lengths):g} lines in the middle, at most {MEDIAN_CELL}"


def _text_alternatives(notebook: Any) -> Iterator[str]:
    for cell in _cells(notebook, "markdown"):
        for alt in re.findall(r"!\[([^\]]*)\]\(", cell.source):
            if len(alt) < SHORTEST_ALT:
                yield f"a picture in the prose has the alt text {alt!r}, expected words"
        for diagram in re.findall(r"```mermaid\n(.*?)```", cell.source, re.DOTALL):
            if "accTitle:" not in diagram or "accDescr" not in diagram:
                yield "a Mermaid diagram lacks accTitle or accDescr"
    for number, output in _outputs(notebook):
        data = output.get("data", {})
        if bare := [kind for kind in data if kind.startswith("image/")]:
            yield f"code cell {number} shows a bare {bare[0]}: use jaalnet_core.figures, whose figures have alt text"
        for tag in re.findall(r"<img [^>]*>", _joined(data.get("text/html", ""))):
            alt = (re.findall(r'alt="([^"]*)"', tag) or [""])[0]
            if len(alt) < SHORTEST_ALT:
                yield f"code cell {number} shows a picture with the alt text {alt!r}, expected words"


def _executed(notebook: Any) -> Iterator[str]:
    """A stripped notebook would pass nbval with nothing compared."""
    code = _cells(notebook, "code")
    counts = [cell.execution_count for cell in code]
    if counts != list(range(1, len(code) + 1)):
        yield "not run from top to bottom (execution counts); `jaalnet lessons run` does"
    for number, output in _outputs(notebook):
        if output.output_type == "error":
            yield f"code cell {number} ended with {output.ename}: {output.evalue}"
        if output.output_type == "stream" and output.name == "stderr":
            yield f"code cell {number} shows in red: {output.text.strip().splitlines()[0][:100]}"
    measured = notebook.metadata["jaalnet"].get("measured", {})
    if (measured.get("profile"), measured.get("pictures")) != ("fast", "synthetic"):
        yield "not run by `jaalnet lessons run` in the fast profile on synthetic pictures"
    elif measured["seconds"] > SLOWEST:
        yield f"ran {measured['seconds']:.0f} s, at most {SLOWEST}"


def _compared(notebook: Any) -> Iterator[str]:
    marked = [cell for cell in _cells(notebook, "code") if COMPARED in cell.metadata.get("tags", [])]
    fewest = FEWEST_COMPARED.get(notebook.metadata["jaalnet"]["lesson"], 6)
    if len(marked) < fewest:
        yield f"{len(marked)} cells tagged {COMPARED}, expected at least {fewest}"
    for cell in marked:
        start = cell.source.strip().splitlines()[0][:60] if cell.source.strip() else ""
        if not cell.outputs:
            yield f"a compared cell has no output ({start})"
        kinds = {kind for output in cell.outputs for kind in output.get("data", {"text/plain": ""})}
        if not kinds <= {"text/plain", "text/markdown", "text/html"} or any(
            "<img" in _joined(output.get("data", {}).get("text/html", "")) for output in cell.outputs
        ):
            yield f"a compared cell shows more than text ({start})"
        if any(re.search(r"0x[0-9a-f]{6,}| object at ", _said(output)) for output in cell.outputs):
            yield f"a compared cell shows an address in memory ({start})"


def _quotes(notebook: Any) -> Iterator[str]:
    for number in unproved(notebook):
        yield f"the prose quotes {number}, which no compared output and no assert holds"


def _private(notebook: Any) -> Iterator[str]:
    """No path of a machine, no id of a patient's photograph among the outputs."""
    for number, cell in enumerate(notebook.cells):
        for place in (cell.source, *(_said(output) for output in cell.get("outputs", []))):
            if match := _MACHINE.search(place):
                yield f"cell {number} holds an absolute path: {place[match.start() : match.start() + 40]!r}"


def _fits_the_screen(notebook: Any) -> Iterator[str]:
    for number, output in _outputs(notebook):
        widest = max((len(line) for line in _said(output).splitlines()), default=0)
        if (
            "text/html" not in output.get("data", {})
            and widest > _WIDEST_LINE
            and "widget" not in str(output.get("data"))
        ):
            yield f"code cell {number} prints a line of {widest} characters, at most {_WIDEST_LINE}"
    if (size := len(str(notebook))) > LARGEST:
        yield f"{size / 1e6:.1f} MB with its outputs, at most {LARGEST / 1e6:g}"


RULES: tuple[Callable[[Any], Iterator[str]], ...] = (
    _headings,
    _objectives,
    _cell_budget,
    _text_alternatives,
    _executed,
    _compared,
    _quotes,
    _private,
    _fits_the_screen,
    exercise_faults,
    solution_faults,
    quiz_faults,
)


def _generated(notebook: Any, lesson: Lesson, lessons: Sequence[Lesson]) -> Iterator[str]:
    for tag, text in ((FACTS, facts(lesson)), (NAVIGATION, navigation(lesson, lessons))):
        cells = tagged(notebook, tag)
        if len(cells) != 1:
            yield f"{len(cells)} cells tagged {tag}, expected one"
        elif cells[0].source != text:
            yield f"the cell tagged {tag} is out of date: `jaalnet lessons run` renews it"
    if tagged(notebook, NAVIGATION) != notebook.cells[-1:]:
        yield f"the last cell is not the one tagged {NAVIGATION}"


def _links(notebook: Any, path: Path) -> Iterator[str]:
    for cell in _cells(notebook, "markdown"):
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", re.sub(r"`[^`]*`", "", cell.source)):
            if "://" not in target and not (path.parent / target).exists():
                yield f"a link leads nowhere: {target}"


def _cells(notebook: Any, kind: str) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def _outputs(notebook: Any) -> Iterator[tuple[int, Any]]:
    for number, cell in enumerate(_cells(notebook, "code"), 1):
        for output in cell.outputs:
            yield number, output


def _said(output: Any) -> str:
    """The text of an output, figures' bytes left out."""
    if output.output_type == "stream":
        return output.text
    if output.output_type == "error":
        return "\n".join(output.traceback)
    data = output.get("data", {})
    return "\n".join(re.sub(r"data:image/[^\"]+", "", _joined(data[kind])) for kind in data if kind.startswith("text/"))


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
