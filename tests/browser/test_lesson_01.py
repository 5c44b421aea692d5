"""Lesson 01 in JupyterLab: augmentation turned up and down."""

from __future__ import annotations

import re

import pytest
from faults_of_page import check_whole
from panel_page import PanelPage
from quiz_page import check_judging

pytestmark = pytest.mark.browser
LESSON = "01_data_preparation.ipynb"
WIDGET = "augmentation_panel(shown)"


def test_it_runs_to_its_end_and_looks_whole(notebook) -> None:
    check_whole(notebook, LESSON)


def test_every_strength_moves_the_grid(notebook) -> None:
    panel = PanelPage(notebook, WIDGET)
    assert "zoom up to 1," in panel.press("zoom, factor", "Home")
    assert "colour 0.25" in panel.press("colour", "ArrowRight")
    assert "Rotation up to 0 degrees" in panel.press("rotation, degrees", "Home")
    before, after = (re.search(pattern, panel.sentence)[1] for pattern in (r"covers (\d+%)", r"before, (\d+%)"))
    assert before == after  # nothing turned, nothing zoomed: the lesion keeps its share
    assert "flips off" in panel.tick("flips")
    said = panel.drag("rotation, degrees", 0.8)
    assert 120 < int(re.search(r"Rotation up to (\d+) degrees", said)[1]) < 170


def test_other_draws_and_another_picture(notebook) -> None:
    panel = PanelPage(notebook, WIDGET)
    assert "draws from 7" in panel.press("first draw", "ArrowRight")
    panel.press("picture", "ArrowRight")
    assert panel.reading("picture") == "2"


def test_the_quiz_judges(notebook) -> None:
    check_judging(notebook, LESSON)
