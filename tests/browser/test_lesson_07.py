"""Lesson 07 in JupyterLab: the threshold moved, and the five scores with it."""

from __future__ import annotations

import re

import pytest
from faults_of_page import check_whole
from panel_page import PanelPage
from quiz_page import check_judging

pytestmark = pytest.mark.browser
LESSON = "07_evaluation.ipynb"
WIDGET = "threshold_panel(pictures, probabilities)"


def test_it_runs_to_its_end_and_looks_whole(notebook) -> None:
    check_whole(notebook, LESSON)


def test_scores_follow_the_threshold(notebook) -> None:
    panel = PanelPage(notebook, WIDGET)
    assert panel.sentence.startswith("Threshold 0.50: Dice")
    low = panel.press("threshold", "Home")
    assert low.startswith("Threshold 0.01: ")
    high = panel.drag("threshold", 0.97)
    assert float(re.match(r"Threshold ([0-9.]+)", high)[1]) > 0.9
    assert score("sensitivity", low) >= score("sensitivity", high)  # fewer pixels are marked
    assert score("specificity", low) <= score("specificity", high)


def test_another_picture_can_be_chosen(notebook) -> None:
    PanelPage(notebook, WIDGET).choose("picture", 1)


def test_the_quiz_judges(notebook) -> None:
    check_judging(notebook, LESSON)


def score(name: str, sentence: str) -> float:
    """One score, as the sentence says it."""
    return float(re.search(rf"{name} ([0-9.]+\d)", sentence)[1])
