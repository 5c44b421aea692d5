"""Lesson 00 in JupyterLab: the first look follows mouse and keyboard, and the self-test judges."""

from __future__ import annotations

import re

import pytest
from faults_of_page import check_whole
from notebook_page import cell_with, rewrite
from panel_page import PanelPage
from quiz_page import check_judging

pytestmark = pytest.mark.browser
LESSON = "00_start_here.ipynb"
WIDGET = "first_look(network.lf_net, pictures)"


def test_it_runs_to_its_end_and_looks_whole(notebook) -> None:
    check_whole(notebook, LESSON)


def test_sliders_follow_the_keyboard_and_the_mouse(notebook) -> None:
    panel = PanelPage(notebook, WIDGET)
    assert "brightness 1.00, blur 0.0 % and warmth +0.0" in panel.sentence
    assert "brightness 0.95" in panel.press("brightness", "ArrowLeft")
    assert panel.reading("brightness") == "0.95"
    assert "warmth -1.0" in panel.press("warmth", "Home")
    said = panel.drag("blur (% of the side)", 0.9)
    assert float(re.search(r"blur ([0-9.]+)", said)[1]) > 5
    assert "brightness 0.95" in said  # the others stay


def test_another_picture_can_be_chosen(notebook) -> None:
    panel = PanelPage(notebook, WIDGET)
    panel.choose("picture", 2)


def test_the_self_test_judges_typed_answers(notebook) -> None:
    check_judging(notebook, LESSON, number=4)


def test_a_deaf_slider_is_seen(notebook) -> None:
    rewrite(notebook, WIDGET, f"deaf = {WIDGET}\ndeaf.controls['brightness'].unobserve_all()\ndeaf")
    panel = PanelPage(notebook, "deaf.controls")
    panel.press("warmth", "Home")
    panel.patience = 4
    with pytest.raises(AssertionError, match="the sentence did not change and the picture did not change"):
        panel.press("brightness", "ArrowLeft")


def test_a_picture_that_stands_still_is_seen(notebook) -> None:
    still = f"still = {WIDGET}\nimport ipywidgets\nstill.picture = ipywidgets.HTML()\nstill"
    rewrite(notebook, "deaf.controls", still)
    panel = PanelPage(notebook, "still.picture")
    panel.patience = 4
    with pytest.raises(AssertionError, match=r"after 4 s the picture did not change"):
        panel.press("brightness", "ArrowLeft")


def test_a_panel_that_says_nothing_new_is_seen(notebook) -> None:
    rewrite(notebook, "still.picture", f"mute = {WIDGET}\nmute._say = lambda words: None\nmute")
    panel = PanelPage(notebook, "mute._say")
    panel.patience = 4
    with pytest.raises(AssertionError, match="after 4 s the sentence did not change"):
        panel.press("brightness", "ArrowLeft")


def test_a_self_test_that_praises_everything_is_seen(notebook) -> None:
    praise = "test.answer = lambda number, value=...: print(f'{number}: right.')"
    rewrite(notebook, "mute._say", praise)
    with pytest.raises(AssertionError, match="does not say '2: not yet"):
        check_judging(notebook, LESSON, number=2, patience=4)  # the first cell makes a new quiz
    rewrite(notebook, praise, "del test.answer")
    assert cell_with(notebook, "del test.answer").count() == 1
