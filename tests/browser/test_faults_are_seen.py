"""What a learner would see wrong in a notebook is found: one cell for each kind of fault, and one without."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import keep_screenshots
from faults_of_page import faults
from notebook_page import restart_and_run_all, rewrite
from panel_page import PanelPage
from PIL import Image

pytestmark = pytest.mark.browser
IMPORTS = """
import anywidget
import ipywidgets
from IPython.display import HTML, Markdown, display
from jaalnet_core.widgets.cost import cost_panel
"""
SLOW = """
import time
from jaalnet_core.figures.style import new_figure
from jaalnet_core.widgets.panel import panel

def draw(count):
    time.sleep(0.8)
    return new_figure(2 + count / 4, 1, alt=f"count {count}")

panel(draw, count=ipywidgets.IntSlider(max=8, description="count"))
"""
DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
CELLS = [
    IMPORTS,
    "cost_panel()",
    SLOW,
    "print('sound')",
    "display(HTML('<div style=\"width: 3000px\">far too wide</div>'))",
    f"display(HTML('<img src=\"{DOT}\">'))",
    'display(HTML(\'<img src="nowhere.png" alt="not there">\'))',
    "class Dead(anywidget.AnyWidget):\n    _esm = 'export default { render() { throw new Error(\"dead\") } }'\nDead()",
    "lost = ipywidgets.IntSlider()\nlost.close()\nlost",
    "ipywidgets.IntSlider(description='a label with no room for all of its letters')",
]


def test_each_fault_is_seen_once_and_what_is_sound_is_not(notebook) -> None:
    assert faults(notebook) == [
        "over its edge: far too wide",
        "no picture or no words: Image",
        "no picture or no words: not there",
        "widget not shown: nothing",
        "widget not shown: IntSlider(value=0)",
        "label cut off: a label with no room for all of its letters",
        "control without a name: slider",
    ]


def test_of_many_changes_the_last_one_counts(notebook) -> None:
    panel = PanelPage(notebook, "panel(draw, count=")
    assert panel.drag("count", 1.0) == "count 8"  # the handle passed over others, each drawn for 0.8 s


def test_an_error_stops_the_run_and_is_seen(notebook) -> None:
    with pytest.raises(AssertionError, match=r"(?s)ended with an error: .*ZeroDivisionError"):
        rewrite(notebook, "print('sound')", "1 / 0  # an error")
    assert [one for one in faults(notebook) if one.startswith("error: ")]
    with pytest.raises(AssertionError, match="stopped at an error"):
        restart_and_run_all(notebook)


def test_every_open_page_is_kept_as_a_picture(notebook, chromium, tmp_path: Path) -> None:
    (kept,) = keep_screenshots(chromium, "Test [a/b] failed", tmp_path)
    assert kept.name == "test-a-b-failed-0.png"
    with Image.open(kept) as picture:
        assert picture.size == (1280, 900)
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 20  # a page, no empty sheet
