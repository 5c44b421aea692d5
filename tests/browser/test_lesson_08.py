"""Lesson 08 in JupyterLab: who is first depends on the averaging and the metric."""

from __future__ import annotations

import pytest
from faults_of_page import check_whole
from panel_page import PanelPage
from quiz_page import check_judging

pytestmark = pytest.mark.browser
LESSON = "08_reproducing_the_published_results.ipynb"


def test_it_runs_to_its_end_and_looks_whole(notebook) -> None:
    check_whole(notebook, LESSON)


def test_the_ranking_follows_averaging_and_metric(notebook) -> None:
    panel = PanelPage(notebook, "ranking_panel(methods)")
    assert panel.sentence.startswith("Dice, per image")
    seen = {panel.sentence}
    for place in range(1, panel.control("averaging").locator("option").count()):
        seen.add(panel.choose("averaging", place))
    for place in range(1, panel.control("metric").locator("option").count()):
        seen.add(panel.choose("metric", place))
    assert len(seen) >= 7  # every choice is said differently


def test_the_quiz_judges(notebook) -> None:
    check_judging(notebook, LESSON)
