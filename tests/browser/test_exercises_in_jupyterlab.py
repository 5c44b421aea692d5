"""Exercises in a real JupyterLab: an answer is typed and judged; a solution is folded away until it is clicked."""

from __future__ import annotations

import time

import pytest
from notebook_page import cell_with, errors, open_lesson, restart_and_run_all

pytestmark = pytest.mark.browser
STUB, CHECK = "your line here", 'course.check("3.1"'
SOLUTION = "(k * k * C * C') / (k * k * C + C * C')"


@pytest.fixture(scope="module")
def lesson(chromium, lab):
    """Lesson 03, run from top to bottom with nothing attempted."""
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(60_000)
    open_lesson(page, lab, "03_dense_residual_and_depthwise_blocks.ipynb")
    restart_and_run_all(page)
    yield page
    page.close()


def write(page, code: str, new: str) -> None:
    """Replace a cell's code and run it, by the keyboard."""
    cell_with(page, code).locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(new)
    page.keyboard.press("Shift+Enter")


def check(page, expected: str) -> str:
    """Run the check of exercise 3.1 and wait until it says what is expected."""
    cell = cell_with(page, CHECK)
    cell.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    said, until = "", time.monotonic() + 30
    while expected not in said and time.monotonic() < until:
        time.sleep(0.2)
        said = " ".join(cell.locator(".jp-OutputArea-output").all_inner_texts())
    assert expected in said
    return " ".join(said.split())


def test_nothing_attempted_is_no_error(lesson) -> None:
    assert errors(lesson) == []
    said = lesson.locator(".jp-OutputArea-output", has_text="not attempted. Put your code").count()
    assert said >= 3


def test_a_solution_is_folded_away_and_opens_at_a_click(lesson) -> None:
    code = lesson.locator(".jp-MarkdownCell pre", has_text=SOLUTION)
    summaries = lesson.locator(".jp-MarkdownCell summary", has_text="A solution of exercise 3.")
    assert summaries.count() >= 3
    assert not code.is_visible()
    summaries.first.scroll_into_view_if_needed()
    summaries.first.focus()
    lesson.keyboard.press("Enter")
    code.wait_for(state="visible")


def test_an_answer_is_judged_wrong_with_a_reason_and_then_passed(lesson) -> None:
    check(lesson, "not attempted")
    first = "def separable_saving(out_channels, kernel_size):\n    return out_channels + kernel_size  # your line here"
    write(lesson, STUB, first)
    assert 'course.hint("3.1")' in check(lesson, "not yet")
    second = "separable_saving = lambda out_channels, kernel_size: 1 / (1 / out_channels + 1 / kernel_size**2)"
    write(lesson, "return out_channels + kernel_size", second)
    check(lesson, "Exercise 3.1: passed.")
