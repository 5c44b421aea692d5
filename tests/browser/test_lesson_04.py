"""Lesson 04 in JupyterLab runs and looks whole; its widgets have tests of their own."""

from __future__ import annotations

import pytest
from faults_of_page import check_whole
from quiz_page import check_judging

pytestmark = pytest.mark.browser
LESSON = "04_position_and_channel_attention.ipynb"


def test_it_runs_to_its_end_and_looks_whole(notebook) -> None:
    check_whole(notebook, LESSON)


def test_the_quiz_judges(notebook) -> None:
    check_judging(notebook, LESSON)
