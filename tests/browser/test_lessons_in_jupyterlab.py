"""Lessons in a real JupyterLab: they run, look whole, and their widgets answer to mouse and keyboard."""

from __future__ import annotations

import re
import time
from pathlib import Path

import nbformat
import pytest
from notebook_page import broken_pictures, cell_with, errors, open_lesson, overflowing, prompts, restart_and_run_all

pytestmark = pytest.mark.browser
NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def code_cells(name: str) -> int:
    cells = nbformat.read(NOTEBOOKS / name, as_version=4).cells
    return sum(cell.cell_type == "code" for cell in cells)


@pytest.fixture(scope="module")
def first_lesson(chromium, lab):
    """Lesson 00, run from top to bottom."""
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(60_000)
    open_lesson(page, lab, "00_start_here.ipynb")
    restart_and_run_all(page)
    yield page
    page.close()


def test_it_runs_to_its_end_without_an_error(first_lesson) -> None:
    assert len(prompts(first_lesson)) == code_cells("00_start_here.ipynb") > 10
    assert errors(first_lesson) == []


def test_nothing_runs_over_its_edge_and_every_picture_is_there(first_lesson) -> None:
    assert overflowing(first_lesson) == []
    assert broken_pictures(first_lesson) == []
    assert first_lesson.locator(".jp-OutputArea-output img").count() >= 3


def test_the_diagram_is_drawn(first_lesson) -> None:
    diagram = first_lesson.locator(".jp-RenderedMermaid").first
    diagram.scroll_into_view_if_needed()
    assert diagram.locator("img, svg").count() >= 1
    assert "mermaid-error" not in diagram.inner_html().lower()


def sentence(cell, other_than: str = "") -> str:
    """What the widget says, once that is more than nothing and differs from `other_than`."""
    place, until = cell.locator("p[aria-live=polite]"), time.monotonic() + 20
    while time.monotonic() < until:
        if place.count() == 1 and (now := place.text_content().strip()) not in ("", other_than):
            return now
        time.sleep(0.1)
    raise AssertionError(f"after 20 s the widget does not say anything other than {other_than!r}")


def test_the_slider_moves_the_outline_by_keyboard_and_by_mouse(first_lesson) -> None:
    cell = cell_with(first_lesson, "first_look(network.lf_net, pictures)")
    before = sentence(cell)
    assert re.search(r"brightness 1\.00, blur 0\.0", before)
    picture = cell.locator("img").get_attribute("src")

    slider = cell.locator(".noUi-handle").first
    slider.focus()
    first_lesson.keyboard.press("ArrowLeft")
    by_key = sentence(cell, before)
    assert "brightness 0.95" in by_key
    assert cell.locator("img").get_attribute("src") != picture

    blur = cell.locator(".noUi-handle").nth(1)
    place, track = blur.bounding_box(), cell.locator(".noUi-target").nth(1).bounding_box()
    first_lesson.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    first_lesson.mouse.down()
    first_lesson.mouse.move(track["x"] + track["width"] * 0.9, place["y"] + place["height"] / 2, steps=5)
    first_lesson.mouse.up()
    by_mouse = sentence(cell, by_key)
    assert float(re.search(r"blur ([0-9.]+)", by_mouse)[1]) > 5


def test_another_picture_can_be_chosen(first_lesson) -> None:
    cell = cell_with(first_lesson, "first_look(network.lf_net, pictures)")
    before, picture = sentence(cell), cell.locator("img").get_attribute("src")
    cell.locator("select").select_option(index=2)
    sentence(cell, before)
    assert cell.locator("img").get_attribute("src") != picture


def test_an_answer_typed_into_the_self_test_is_judged(first_lesson) -> None:
    cell = cell_with(first_lesson, "test.answer(4, ...)")
    cell.locator(".cm-content").click()
    first_lesson.keyboard.press("Control+a")
    first_lesson.keyboard.insert_text("test.answer(4, 63)")
    first_lesson.keyboard.press("Shift+Enter")
    told = first_lesson.locator(".jp-OutputArea-output", has_text="4: not yet.")
    told.wait_for()
    assert "without the padding" in told.inner_text()


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(path.name for path in NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))[1:])
def test_every_other_lesson_runs_and_looks_whole(name: str, page, lab) -> None:
    open_lesson(page, lab, name)
    restart_and_run_all(page)
    assert len(prompts(page)) == code_cells(name)
    assert errors(page) == []
    assert overflowing(page) == []
    assert broken_pictures(page) == []
    assert page.locator(".jp-OutputArea-output img").count() >= (3 if name < "10" else 1)  # few in the projects
    assert page.locator(".jp-RenderedMermaid img, .jp-RenderedMermaid svg").count() >= 1
