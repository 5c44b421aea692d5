"""Lesson 09 in JupyterLab: a picture of one's own is uploaded and outlined; nothing else is taken for one."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from faults_of_page import check_whole
from notebook_page import rewrite
from panel_page import PanelPage
from PIL import Image
from quiz_page import check_judging

pytestmark = pytest.mark.browser
LESSON = "09_your_own_pictures.ipynb"
WIDGET = "outline_panel(tuned, data.test)"
BUTTON = "Upload a picture"


@pytest.fixture
def mole(tmp_path: Path) -> Path:
    """A dark disc on light skin, a seventh of a wide frame, under a name that is no plain ASCII."""
    rows, columns = np.mgrid[:160, :240]
    picture = np.full((160, 240, 3), (224, 180, 160), np.uint8)
    picture[(rows - 80) ** 2 + (columns - 120) ** 2 < 42**2] = (90, 50, 40)
    path = tmp_path / "Leberfleck März.png"
    Image.fromarray(picture).save(path)
    return path


def check_upload(panel: PanelPage, path: Path) -> str:
    """Upload a file; the sentence and the list say that it is what is shown.

    Raises:
        AssertionError: they do not.
    """
    said = panel.upload(BUTTON, path)
    assert said.startswith(f"{path.name}: at threshold"), said
    shown = panel.control("picture").locator("select").evaluate("list => list.selectedOptions[0].text")
    assert " ".join(shown.split()) == "the uploaded file", shown  # its spaces are no plain ones
    return said


def test_it_runs_to_its_end_and_looks_whole(notebook) -> None:
    check_whole(notebook, LESSON)


def test_examples_and_threshold_need_no_upload(notebook) -> None:
    panel = PanelPage(notebook, WIDGET)
    assert panel.sentence.startswith("example 1: at threshold 0.50 ")
    assert panel.choose("picture", "example 2").startswith("example 2: at threshold 0.50 ")
    assert "is empty" in panel.press("threshold", "End")
    assert float(re.search(r"threshold ([0-9.]+)", panel.drag("threshold", 0.3))[1]) < 0.5


def test_an_upload_is_outlined_at_once(notebook, mole: Path) -> None:
    panel = PanelPage(notebook, WIDGET)
    said = check_upload(panel, mole)
    assert 5 < float(re.search(r"covers ([0-9.]+)% of the frame", said)[1]) < 40  # 14 % are dark


def test_what_is_no_picture_is_explained_and_the_next_upload_works(notebook, mole: Path, tmp_path: Path) -> None:
    panel = PanelPage(notebook, WIDGET)
    (tmp_path / "notes.png").write_text("no picture at all")
    refused = panel.refusal(lambda: panel.give(BUTTON, tmp_path / "notes.png"))
    assert "notes.png: cannot be read as a picture" in refused
    check_upload(panel, mole.rename(tmp_path / "again.png"))


def test_the_quiz_judges(notebook) -> None:
    check_judging(notebook, LESSON)


def test_an_upload_that_is_not_looked_at_is_seen(notebook, mole: Path) -> None:
    rewrite(notebook, WIDGET, f"blind = {WIDGET}\nblind.controls['upload'].unobserve_all()\nblind")
    panel = PanelPage(notebook, "blind.controls")
    panel.patience = 4
    with pytest.raises(AssertionError, match=f"uploading {mole.name}: after 4 s the sentence did not change"):
        check_upload(panel, mole)


def test_an_upload_that_shows_another_picture_is_seen(notebook, mole: Path) -> None:
    swapped = "from jaalnet_core.widgets import outline\nfrom unittest.mock import patch\n"
    swapped += "patch.object(outline, 'uploaded_picture', lambda _: ('example 1', data.test.images[1])).start()\n"
    rewrite(notebook, "blind.controls", f"{swapped}{WIDGET}  # swapped")
    with pytest.raises(AssertionError, match="example 1: at threshold"):
        check_upload(PanelPage(notebook, "# swapped"), mole)
    rewrite(notebook, "# swapped", "patch.stopall()")
