"""Tiles: what they encode is what was given, brighter is more, and every one has words."""

from __future__ import annotations

import base64
import re

import cv2
import numpy as np
import pytest

from jaalnet_core.figures.style import save_figure
from jaalnet_core.figures.tiles import (
    SIGNED,
    STORED,
    VALUES,
    Tile,
    TileRow,
    TileSheet,
    as_source,
    map_tile,
    over_pixels,
)


def decoded(source: str) -> np.ndarray:
    content = np.frombuffer(base64.b64decode(source.removeprefix("data:image/png;base64,")), np.uint8)
    return cv2.cvtColor(cv2.imdecode(content, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def brightness(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(int)


@pytest.mark.parametrize("colours", [VALUES, SIGNED])
def test_more_is_brighter_and_readable_in_grey(colours: str) -> None:
    tile = map_tile(np.linspace(-3, 3, 12)[None].repeat(12, axis=0), "a", alt="a ramp", colours=colours)
    across = brightness(tile.picture)[5, 11::22]
    assert (np.diff(across) > 3).all()
    assert tile.ends == ("-3.00", "3.00")


def test_limits_are_shared_and_what_lies_beyond_is_at_the_ends() -> None:
    values = np.array([[-5.0, 0.0], [0.5, 7.0]])
    tile = map_tile(values, "a", alt="four values", limits=(0, 1), decimals=0)
    dark, low, middle, high = (
        tile.picture[row, column] for row, column in ((50, 50), (50, 200), (200, 50), (200, 200))
    )
    assert (dark == low).all()
    assert brightness(low[None, None]) < brightness(middle[None, None]) < brightness(high[None, None])
    assert tile.ends == ("0", "1")
    flat = map_tile(np.zeros((4, 4)), "a", alt="nothing")
    assert flat.ends == ("0.00", "0.00")


@pytest.mark.parametrize(
    ("level", "frame"), [((7, 5), (50, 40)), ((8, 6), (50, 40)), ((64, 48), (50, 40)), ((13, 13), (97, 97))]
)
def test_a_level_is_spread_over_its_pixels_and_the_padding_cut(level, frame) -> None:
    values = np.arange(level[0] * level[1]).reshape(level)
    spread = over_pixels(values, frame)
    assert spread.shape == frame
    step = max(1, 2 ** int(np.ceil(np.log2(frame[0] / level[0]))))
    for row, column in ((0, 0), (frame[0] - 1, frame[1] - 1), (17, 23)):
        assert spread[row, column] == values[row // step, column // step]


def test_marks_lie_where_they_belong() -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[16:48, 16:48] = 1
    plain = map_tile(np.zeros((8, 8)), "a", alt="plain", frame=(64, 64)).picture
    outlined = map_tile(np.zeros((8, 8)), "a", alt="outlined", frame=(64, 64), expert=mask).picture
    changed = (plain != outlined).any(axis=2)
    rows, columns = np.nonzero(changed)
    edges = np.array([16, 48]) * STORED / 64
    for places in (rows, columns):
        assert abs(places.min() - edges[0]) < 6
        assert abs(places.max() - edges[1]) < 6
    assert not changed[120:150, 120:150].any()
    crossed = map_tile(np.zeros((8, 8)), "a", alt="crossed", frame=(64, 64), cross=(8, 40)).picture
    rows, columns = np.nonzero((plain != crossed).any(axis=2))
    assert abs(rows.mean() - 8.5 * STORED / 64) < 2
    assert abs(columns.mean() - 40.5 * STORED / 64) < 2


def test_a_tall_picture_keeps_its_proportions() -> None:
    tile = map_tile(np.zeros((100, 50)), "a", alt="tall")
    assert tile.picture.shape == (STORED, STORED // 2, 3)
    assert 'width="66"' in TileRow("h", (tile,), "w")._repr_html_()


def test_the_source_is_the_picture_itself() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    np.testing.assert_array_equal(decoded(as_source(picture)), picture)


def test_html_carries_words_and_no_markup_of_others(tmp_path) -> None:
    tile = Tile(np.zeros((4, 4, 3), np.uint8), "one < two", 'says "so"', ("0", "1"))
    row = TileRow("<b>heading</b>", (tile, tile), "words & more")
    shown = TileSheet((row, row))._repr_html_()
    assert re.findall(r'alt="([^"]*)"', shown) == ["says &quot;so&quot;"] * 4
    assert "<b>" not in shown
    assert "one &lt; two" in shown
    assert "words &amp; more" in shown
    assert "linear-gradient" in shown
    figure = row.figure()
    assert figure.alt == "<b>heading</b>. words & more"
    assert save_figure(figure, tmp_path / "row.png").stat().st_size > 1000
