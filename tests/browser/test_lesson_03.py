"""Lesson 03 in JupyterLab: the cost of a convolution, and the exercises: judged answers, folded solutions."""

from __future__ import annotations

import pytest
from faults_of_page import check_whole
from notebook_page import cell_with, rewrite, run, told
from panel_page import PanelPage
from quiz_page import check_judging

pytestmark = pytest.mark.browser
LESSON = "03_dense_residual_and_depthwise_blocks.ipynb"
STUB, CHECK = "your line here", 'course.check("3.1"'
SOLUTION = "(k * k * C * C') / (k * k * C + C * C')"


def check(page, expected: str) -> str:
    """Run the check of exercise 3.1 and wait until it says what is expected."""
    cell = cell_with(page, CHECK)
    run(page, cell)
    return told(cell, expected)


def test_it_runs_to_its_end_and_looks_whole(notebook) -> None:
    check_whole(notebook, LESSON)


def test_costs_follow_the_sliders(notebook) -> None:
    panel = PanelPage(notebook, "cost_panel()")
    assert panel.sentence.startswith("From 32 to 32 channels with a 3x3 kernel on 128x128 pixels")
    assert "From 64 to 32" in panel.press("channels read", "ArrowRight")
    assert "5x5 kernel" in panel.press("kernel", "ArrowRight")
    assert "on 16x16 pixels" in panel.drag("pixels a side", 0.0)
    assert "times more" in panel.press("channels made", "Home")  # one channel made: taking apart does not pay
    assert "on 256x256 pixels" in panel.drag("pixels a side", 1.0)


def test_nothing_attempted_is_no_error(notebook) -> None:
    said = notebook.locator(".jp-OutputArea-output", has_text="not attempted. Put your code").count()
    assert said >= 3


def test_a_solution_is_folded_away_and_opens_at_a_key(notebook) -> None:
    code = notebook.locator(".jp-MarkdownCell pre", has_text=SOLUTION)
    summaries = notebook.locator(".jp-MarkdownCell summary", has_text="A solution of exercise 3.")
    assert summaries.count() >= 3
    assert not code.is_visible()
    summaries.first.scroll_into_view_if_needed()
    summaries.first.focus()
    notebook.keyboard.press("Enter")
    code.wait_for(state="visible")


def test_an_answer_is_judged_wrong_with_a_reason_and_then_passed(notebook) -> None:
    check(notebook, "not attempted")
    first = "def separable_saving(out_channels, kernel_size):\n    return out_channels + kernel_size  # your line here"
    rewrite(notebook, STUB, first)
    assert 'course.hint("3.1")' in check(notebook, "not yet")
    second = "separable_saving = lambda out_channels, kernel_size: 1 / (1 / out_channels + 1 / kernel_size**2)"
    rewrite(notebook, "return out_channels + kernel_size", second)
    check(notebook, "Exercise 3.1: passed.")


def test_the_quiz_judges(notebook) -> None:
    check_judging(notebook, LESSON)
