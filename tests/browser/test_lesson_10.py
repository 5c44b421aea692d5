"""Lesson 10 in JupyterLab: the two projects run as they stand."""

from __future__ import annotations

import pytest
from faults_of_page import check_whole

pytestmark = pytest.mark.browser
LESSON = "10_two_projects.ipynb"


def test_it_runs_to_its_end_and_looks_whole(notebook) -> None:
    check_whole(notebook, LESSON, pictures=1)  # few: the projects are the learner's
