"""The clickable picture, driven as a browser would: its value moves, and figure and sentence follow."""

from __future__ import annotations

import base64

import cv2
import numpy as np
import pytest

from jaalnet_core.position_maps import PositionMaps, in_words, look_from, telling_pixels
from jaalnet_core.widgets.clicked_pixel import ClickablePicture, attention_at_the_clicked_pixel


@pytest.fixture
def maps() -> PositionMaps:
    generator = np.random.default_rng(0)
    weights = generator.random((16, 16)).astype(np.float32)
    mask = np.zeros((32, 32), np.float32)
    mask[4:20, 4:20] = 1
    picture = generator.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    return PositionMaps(weights / weights.sum(axis=1, keepdims=True), (4, 4), picture, mask)


def test_it_opens_on_the_lesion(maps: PositionMaps) -> None:
    widget = attention_at_the_clicked_pixel(maps)
    assert widget.controls["pixel"].value == telling_pixels(maps.mask)[0]
    assert "on the lesion" in widget.sentence.value


def test_figure_and_words_follow_the_cross(maps: PositionMaps) -> None:
    widget = attention_at_the_clicked_pixel(maps)
    before = widget.picture.value
    widget.controls["pixel"].value = (31, 30)
    assert widget.picture.value != before
    words = in_words(look_from(maps, (31, 30)))
    assert words in widget.sentence.value
    assert words in widget.picture.value  # the text alternative
    assert "aria-live" in widget.sentence.value


def test_what_the_browser_sends_is_taken(maps: PositionMaps) -> None:
    widget = attention_at_the_clicked_pixel(maps)
    widget.controls["pixel"].set_state({"value": [8, 16]})  # JSON has lists, no tuples
    assert "From position 6," in widget.sentence.value


def test_a_cross_outside_is_said_in_words(maps: PositionMaps) -> None:
    widget = attention_at_the_clicked_pixel(maps)
    widget.controls["pixel"].value = (32, 0)
    assert "Not possible" in widget.sentence.value


def test_the_browser_gets_the_picture_itself(maps: PositionMaps) -> None:
    shown = ClickablePicture(maps.picture, (3, 4), alt="a picture", label="click")
    state = shown.get_state()
    encoded = np.frombuffer(base64.b64decode(state["source"].partition(",")[2]), np.uint8)
    decoded = cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert (decoded == maps.picture).all()
    assert tuple(state["size"]) == (32, 32)
    assert tuple(state["value"]) == (3, 4)
    assert state["alt"] == "a picture"


def test_the_script_can_be_used_without_a_mouse() -> None:
    script = str(ClickablePicture._esm)
    for part in ("tabIndex = 0", "aria-label", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "stopPropagation"):
        assert part in script
