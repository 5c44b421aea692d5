"""Each house rule of the lessons, shown failing on a notebook that breaks it and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbformat import v4

from jaalnet_core.course.lessons import (
    COMPARED,
    FACTS,
    NAVIGATION,
    facts,
    find_lessons,
    lesson_of,
    navigation,
    write_notebook,
)
from jaalnet_core.course.lint import problems

IMAGE = '<img src="data:image/png;base64,AAAA" alt="a picture of two lesions and their outlines">'


def code(source: str, text: str = "", *, compared: bool = False, html: str = "") -> Any:
    outputs = [v4.new_output("stream", name="stdout", text=text)] if text else []
    if html:
        outputs.append(v4.new_output("display_data", data={"text/html": html, "text/plain": "<Figure>"}))
    return v4.new_code_cell(source, outputs=outputs, metadata={"tags": [COMPARED]} if compared else {})


def sound_notebook() -> Any:
    """A lesson that breaks no rule."""
    cells = [
        v4.new_markdown_cell("# Lesson 11: Contours\n\nOutlines."),
        v4.new_markdown_cell("", metadata={"tags": [FACTS]}),
        v4.new_markdown_cell("## What you will be able to do\n\n- draw\n- count\n- compare"),
        *(code(f"print({i})", f"{i}.125\n", compared=True) for i in range(6)),
        v4.new_markdown_cell("## Numbers\n\nThe mean is 3.125, of 1,234 pixels, `0.77`, $1.5$ and (Woo et al. 2018)."),
        code("assert pixels == 1234"),
        code("figure", html=IMAGE),
        v4.new_markdown_cell("```mermaid\nflowchart LR\naccTitle: a\naccDescr: b\n# no heading\na-->b\n```"),
        v4.new_markdown_cell("## Summary\n\nDone."),
        v4.new_markdown_cell("", metadata={"tags": [NAVIGATION]}),
    ]
    notebook = v4.new_notebook(cells=cells)
    measured = {"seconds": 12.0, "megabytes": 900, "profile": "fast", "pictures": "synthetic"}
    said = {"lesson": 11, "title": "Contours", "minutes": 30, "needs": [1], "measured": measured}
    notebook.metadata["jaalnet"] = said
    for count, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), 1):
        cell.execution_count = count
    return notebook


@pytest.fixture
def check(tmp_path: Path) -> Callable[[Any], list[str]]:
    """Lint a notebook as lesson 11 of a folder of its own, its generated cells filled in first."""

    def run(notebook: Any, *, fill: bool = True) -> list[str]:
        path = tmp_path / "11_contours.ipynb"
        (tmp_path / "README.md").touch()
        write_notebook(notebook, path)
        lessons = find_lessons(tmp_path)
        if fill:
            lesson = lesson_of(path)
            for tag, text in ((FACTS, facts(lesson)), (NAVIGATION, navigation(lesson, lessons))):
                for cell in notebook.cells:
                    if tag in cell.metadata.get("tags", []):
                        cell.source = text
            write_notebook(notebook, path)
        return problems(path, find_lessons(tmp_path))

    return run


def test_a_sound_notebook_has_no_fault(check) -> None:
    assert check(sound_notebook()) == []


def stripped(notebook: Any) -> None:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None


def unmarked(notebook: Any) -> None:
    for cell in notebook.cells:
        if cell.metadata.get("tags") == [COMPARED]:
            cell.metadata["tags"] = []


def with_red_words(notebook: Any) -> None:
    notebook.cells[4].outputs = [v4.new_output("stream", name="stderr", text="findfont: no such font\n")]


def with_error(notebook: Any) -> None:
    notebook.cells[4].outputs = [v4.new_output("error", ename="ValueError", evalue="no", traceback=["no"])]


def replaced(old: str, new: str) -> Callable[[Any], None]:
    def change(notebook: Any) -> None:
        (cell,) = [cell for cell in notebook.cells if old in cell.source]
        cell.source = cell.source.replace(old, new)

    return change


def with_output(**data: str) -> Callable[[Any], None]:
    def change(notebook: Any) -> None:
        kinds = {kind.replace("_", "/", 1): value for kind, value in data.items()}
        notebook.cells[11].outputs = [v4.new_output("display_data", data=kinds)]

    return change


def said(**changes: Any) -> Callable[[Any], None]:
    def change(notebook: Any) -> None:
        notebook.metadata["jaalnet"].update(changes)

    return change


def measured(**changes: Any) -> Callable[[Any], None]:
    def change(notebook: Any) -> None:
        notebook.metadata["jaalnet"]["measured"].update(changes)

    return change


def not_the_last(notebook: Any) -> None:
    notebook.cells.append(v4.new_markdown_cell("And more."))


def compared_figure(notebook: Any) -> None:
    notebook.cells[11].metadata["tags"] = [COMPARED]


BROKEN = {
    "a stripped notebook": (stripped, "not run from top to bottom"),
    "a stripped notebook's compared cells": (stripped, "a compared cell has no output"),
    "an unmarked notebook": (unmarked, "0 cells tagged nbval-check-output, expected at least 6"),
    "an error output": (with_error, "ended with ValueError: no"),
    "words in red": (with_red_words, "shows in red: findfont: no such font"),
    "a second heading of the first level": (replaced("## Summary", "# Summary"), "2 headings of the first level"),
    "a heading that jumps": (replaced("## Numbers", "#### Numbers"), "jumps from level 2 to 4"),
    "another title": (said(title="Edges"), "expected 'Lesson 11: Edges'"),
    "no summary": (replaced("## Summary", "## End"), "no section 'Summary'"),
    "no objectives": (replaced("- draw\n- count\n- compare", "Much."), "0 objectives"),
    "a long cell": (replaced("assert pixels", "\n" * 30 + "assert pixels"), "has 31 lines, at most 30"),
    "a picture without words": (replaced("Done.", "![](README.md)"), "has the alt text ''"),
    "a diagram without words": (replaced("accTitle", "title"), "lacks accTitle"),
    "an output without words": (with_output(text_html='<img src="x">'), "shows a picture with the alt text ''"),
    "a bare image": (with_output(image_png="AAAA"), "shows a bare image/png"),
    "a figure that is compared": (compared_figure, "shows more than text"),
    "a number nobody proved": (replaced("3.125", "3.126"), "quotes 3.126"),
    "a count nobody proved": (replaced("1,234", "1,235"), "quotes 1,235"),
    "a machine's path": (replaced("Done.", "See /" + "home/me/x."), "absolute path"),
    "a machine's path in an output": (with_output(text_plain="/" + "root/x"), "absolute path"),
    "a machine's path, on Windows": (replaced("Done.", "See C:" + "\\Users\\me."), "absolute path"),
    "a link into nothing": (replaced("Done.", "[next](03_x.ipynb)"), "leads nowhere: 03_x.ipynb"),
    "a line too wide": (with_output(text_plain="x" * 140), "a line of 140 characters"),
    "the full profile": (measured(profile="full"), "not run by `jaalnet lessons run` in the fast profile"),
    "real pictures": (measured(pictures="/data"), "on synthetic pictures"),
    "too slow": (measured(seconds=130.0), "ran 130 s, at most 120"),
    "something after the navigation": (not_the_last, "the last cell is not the one tagged lesson-navigation"),
    "two needs without a section": (replaced("## What you will be able to do", "## Aims"), "no section 'What you"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_rule_finds(name: str, check) -> None:
    breaks, says = BROKEN[name]
    notebook = copy.deepcopy(sound_notebook())
    breaks(notebook)
    assert any(says in fault for fault in check(notebook)), check(notebook)


def test_cells_out_of_date_are_found(check) -> None:
    found = check(sound_notebook(), fill=False)
    assert sum("out of date" in fault for fault in found) == 2


def test_cells_in_another_order_are_found(check) -> None:
    notebook = sound_notebook()
    notebook.cells[4].execution_count, notebook.cells[5].execution_count = 3, 2
    assert any("not run from top to bottom" in fault for fault in check(notebook))


@pytest.mark.parametrize(
    ("prose", "quoted"),
    [
        ("Dice 0.912", ["0.912"]),
        ("91.2 % of them", ["91.2"]),
        ("379 images at 128x128", ["379"]),
        ("in 2016 and 12 more", []),
        ("`0.5` and $0.5$ and [0.5](README.md)", []),
        ("5,900 GFLOP", ["5,900"]),
        ("version 1.2.3", []),
        ("Exercise 3.1 needs exercises 3.2, 3.3 and 3.4, but not 3.5", ["3.5"]),
        ("| 1,024 | 0.25 |", ["1,024", "0.25"]),
    ],
)
def test_what_counts_as_a_quoted_number(prose: str, quoted: list[str]) -> None:
    from jaalnet_core.course.quoted import quoted_numbers

    assert [number for number, _, _ in quoted_numbers(prose)] == quoted


def test_percentages_are_looked_for_as_fractions() -> None:
    from jaalnet_core.course.quoted import unproved

    cells = [v4.new_markdown_cell("It is 91.2 % and 40.5 %."), code("print(0.912)", "0.912\n", compared=True)]
    assert [line.split()[0] for line in unproved(v4.new_notebook(cells=cells))] == ["40.5"]
