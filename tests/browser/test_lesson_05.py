"""Lesson 05 in JupyterLab: a channel of a level chosen and seen."""

from __future__ import annotations

import re

import pytest
from faults_of_page import check_whole
from panel_page import PanelPage
from quiz_page import check_judging

pytestmark = pytest.mark.browser
LESSON = "05_assembling_lf_net_and_da_net.ipynb"


def test_it_runs_to_its_end_and_looks_whole(notebook) -> None:
    check_whole(notebook, LESSON)


def test_level_and_channel_follow_the_controls(notebook) -> None:
    panel = PanelPage(notebook, "levels_of(network.lf_net, picture, mask)")
    assert panel.sentence.startswith("decoder 2, channel 0 of")
    assert panel.press("channel", "ArrowRight").startswith("decoder 2, channel 1 of")
    last = panel.press("channel", "End")
    number, channels = map(int, re.search(r"channel (\d+) of (\d+)", last).groups())
    assert number == channels - 1
    fewer = panel.choose("level", "contour 1")
    number, channels = map(int, re.search(r"channel (\d+) of (\d+)", fewer).groups())
    assert number == channels - 1  # the slider came down to the last channel there is
    assert panel.reading("channel") == str(number)
    assert panel.drag("channel", 0.0).startswith("contour 1, channel 0 of")


def test_the_quiz_judges(notebook) -> None:
    check_judging(notebook, LESSON)
