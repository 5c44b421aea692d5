"""Lesson 02 in JupyterLab: contour gates turned up and down, open and shut."""

from __future__ import annotations

import re

import pytest
from faults_of_page import check_whole
from panel_page import PanelPage
from quiz_page import check_judging

pytestmark = pytest.mark.browser
LESSON = "02_contour_attention.ipynb"
WIDGET = "gate_panel(lf_net, shown)"


def test_it_runs_to_its_end_and_looks_whole(notebook) -> None:
    check_whole(notebook, LESSON)


def test_gates_follow_slider_and_list(notebook) -> None:
    panel = PanelPage(notebook, WIDGET)
    assert panel.sentence.startswith("Every gate times 1.00")
    silent = panel.press("strength", "Home")
    assert silent.startswith("Every gate times 0.00")
    assert panel.press("strength", "End").startswith("Every gate times 3.00")
    shut = panel.choose("gates", "forced shut")
    assert shut.startswith("Every gate forced to 0.00")
    assert dice(shut) == dice(silent)  # no strength and shut are the same
    assert panel.control("strength").locator(".noUi-target").get_attribute("disabled") is not None
    assert dice(panel.choose("gates", "forced open")) != dice(shut)
    panel.choose("gates", "multiplied by the strength")
    said = panel.drag("strength", 0.95)
    assert float(re.search(r"times ([0-9.]+)", said)[1]) > 2.5


def test_another_picture_can_be_chosen(notebook) -> None:
    panel = PanelPage(notebook, WIDGET)
    panel.press("picture", "ArrowRight")
    assert panel.reading("picture") == "2"


def test_the_quiz_judges(notebook) -> None:
    check_judging(notebook, LESSON)


def dice(sentence: str) -> list[str]:
    """Mask's and outline's, as the sentence says them."""
    return re.findall(r"\d\.\d{3}", sentence)
