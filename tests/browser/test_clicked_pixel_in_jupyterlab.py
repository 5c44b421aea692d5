"""The clicked pixel in JupyterLab: mouse and arrow keys say where position attention looks, and from where."""

from __future__ import annotations

import re

import pytest
from faults_of_page import faults
from notebook_page import rewrite
from panel_page import PanelPage

pytestmark = pytest.mark.browser
MAPS = """
from jaalnet_core import course
from jaalnet_core.position_maps import position_maps
from jaalnet_core.widgets import clicked_pixel
network = course.trained("small-synthetic")
shown = course.synthetic_pictures(1, size=64)
maps = position_maps(network.da_net, shown.images[0], shown.masks[0])
"""
WIDGET = "clicked_pixel.attention_at_the_clicked_pixel(maps)"
CELLS = [MAPS, WIDGET]
SIDE, STRIDE = 64, 8  # pixels of the picture, pixels of a position
A_CROSS = r"^\(\d+\.\d+, \d+\.\d+\)\n"  # a message that says where the cross is


def cross(panel: PanelPage) -> tuple[float, float]:
    """Row and column of the cross, in pixels."""
    style = panel.cell.locator(".jaalnet-clickable span").get_attribute("style")
    return tuple(float(re.search(rf"{edge}: ([0-9.]+)%", style)[1]) * SIDE / 100 - 0.5 for edge in ("top", "left"))


def check_click(panel: PanelPage, row: int, column: int) -> None:
    """Click a pixel: the cross goes there, and the sentence speaks of the position that it lies in.

    Raises:
        AssertionError: something else happens, or nothing.
    """
    picture = panel.cell.locator(".jaalnet-clickable img")
    picture.scroll_into_view_if_needed()
    place = picture.bounding_box()
    across, down = (place[side] * (pixel + 0.5) / SIDE for side, pixel in (("width", column), ("height", row)))
    said = panel.after(lambda: panel.page.mouse.click(place["x"] + across, place["y"] + down), "the click")
    assert said.startswith(f"From position {row // STRIDE * (SIDE // STRIDE) + column // STRIDE}, "), said
    assert cross(panel) == pytest.approx((row, column), abs=1), cross(panel)


def check_arrow(panel: PanelPage, key: str, rows: int, columns: int) -> None:
    """Press an arrow key: the cross moves by one position that way, and the sentence follows.

    Raises:
        AssertionError: something else happens, or nothing.
    """
    before = cross(panel)
    panel.cell.get_by_role("application").focus()
    said = panel.after(lambda: panel.page.keyboard.press(key), f"the key {key}")
    row, column = (round(part + by * STRIDE) for part, by in zip(before, (rows, columns), strict=True))
    assert cross(panel) == pytest.approx((row, column), abs=0.5), cross(panel)
    assert said.startswith(f"From position {row // STRIDE * (SIDE // STRIDE) + column // STRIDE}, "), said


def test_it_looks_whole(notebook) -> None:
    assert faults(notebook) == []


def test_a_click_moves_the_cross_and_the_map(notebook) -> None:
    panel = PanelPage(notebook, WIDGET)
    check_click(panel, 20, 44)
    check_click(panel, 60, 4)
    assert "on the skin" in panel.sentence


def test_the_arrow_keys_walk_by_positions(notebook) -> None:
    panel = PanelPage(notebook, WIDGET)
    check_click(panel, 36, 28)
    for key, rows, columns in (
        ("ArrowUp", -1, 0), ("ArrowRight", 0, 1), ("ArrowDown", 1, 0), ("ArrowLeft", 0, -1)
    ):  # fmt: skip
        check_arrow(panel, key, rows, columns)
    assert panel.cell.get_by_role("application").get_attribute("aria-label")


@pytest.mark.parametrize(
    ("there", "broken", "check", "why"),
    [
        (
            "within(row, rows), within(column, columns)",
            "within(column, rows), within(row, columns)",
            check_click,
            "^From position 42, ",
        ),
        ('addEventListener("click"', 'addEventListener("clock"', check_click, "the click: after 4 s the sentence"),
        ("ArrowUp: [-step, 0]", "ArrowUp: [step, 0]", check_arrow, A_CROSS),
        ('addEventListener("keydown"', 'addEventListener("keydawn"', check_arrow, "ArrowUp: after 4 s the sentence"),
        ('model.on("change:value', 'model.on("changed:value', check_click, A_CROSS),
    ],
    ids=["rows for columns", "deaf to the mouse", "upside down", "deaf to keys", "a cross that stays"],
)
def test_a_script_that_is_broken_is_seen(notebook, there: str, broken: str, check, why: str) -> None:
    code = "class Broken(clicked_pixel.ClickablePicture):\n"
    code += f"    _esm = clicked_pixel._SCRIPT.replace({there!r}, {broken!r})\n"
    code += f"sound, clicked_pixel.ClickablePicture = clicked_pixel.ClickablePicture, Broken\n{WIDGET}  # broken"
    assert there in _script()
    rewrite(notebook, WIDGET, code)
    panel = PanelPage(notebook, "# broken")
    panel.patience = 4
    try:
        with pytest.raises(AssertionError, match=why):
            check(panel, 20, 44) if check is check_click else check(panel, "ArrowUp", -1, 0)
    finally:
        rewrite(notebook, "# broken", f"clicked_pixel.ClickablePicture = sound\n{WIDGET}")
    check_click(PanelPage(notebook, WIDGET), 12, 52)


def _script() -> str:
    from jaalnet_core.widgets import clicked_pixel

    return clicked_pixel._SCRIPT
