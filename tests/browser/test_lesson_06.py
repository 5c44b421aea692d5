"""Lesson 06 in JupyterLab: how loud DA-Net is; the live view of training has tests of its own."""

from __future__ import annotations

import re

import pytest
from faults_of_page import check_whole
from panel_page import PanelPage
from quiz_page import check_judging

pytestmark = pytest.mark.browser
LESSON = "06_adversarial_training.ipynb"


def test_it_runs_to_its_end_and_looks_whole(notebook) -> None:
    check_whole(notebook, LESSON)


def test_the_share_of_the_gradient_follows_the_weight(notebook) -> None:
    panel = PanelPage(notebook, "adversarial_weight_panel(mix)")
    assert panel.sentence.startswith("Adversarial weight 0.02: ")
    louder = panel.press("adversarial weight", "ArrowRight")
    assert louder.startswith("Adversarial weight 0.05: ")
    assert share(panel.press("adversarial weight", "Home")) == 0
    loudest = panel.drag("adversarial weight", 1.0)
    assert loudest.startswith("Adversarial weight 10: ")
    assert share(loudest) > share(louder) > 0


def test_the_quiz_judges(notebook) -> None:
    check_judging(notebook, LESSON)


def share(sentence: str) -> float:
    """Percent of LF-Net's pull that is DA-Net's."""
    return float(re.search(r"DA-Net has ([0-9.]+) percent", sentence)[1])
