"""Files made from others: when they are current, and what is written."""

from __future__ import annotations

import pytest
from PIL import Image

from jaalnet_core.derived_files import DRAWN_FROM, DerivedFigure, DerivedText, between_markers, digest, drawn_from
from jaalnet_core.errors import DataError
from jaalnet_core.figures.style import new_figure


def test_a_text_is_current_when_it_says_the_same(tmp_path):
    file = DerivedText(tmp_path / "new" / "page.md", "é\n")
    assert not file.is_current()
    file.write()
    assert file.is_current()
    assert file.path.read_text(encoding="utf-8") == "é\n"
    assert not DerivedText(file.path, "e\n").is_current()


def test_a_figure_is_current_when_it_was_drawn_from_the_same_numbers(tmp_path):
    drawn = []

    def draw():
        drawn.append(1)
        return new_figure(1, 1, alt="a line rises")

    file = DerivedFigure(tmp_path / "figure.png", {"dice": [0.1, 0.2]}, draw)
    assert not file.is_current()
    file.write()
    assert file.is_current()
    assert drawn == [1], "a check draws nothing"
    assert not DerivedFigure(file.path, {"dice": [0.1, 0.3]}, draw).is_current()
    with Image.open(file.path) as picture:
        assert picture.text["Description"] == "a line rises"
        assert picture.text[DRAWN_FROM] == digest({"dice": [0.1, 0.2]})


def test_the_order_of_names_is_no_other_number():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 2, "b": 1})


def test_a_picture_of_somebody_else_is_never_current(tmp_path):
    path = tmp_path / "figure.png"
    Image.new("L", (2, 2)).save(path)
    assert drawn_from(path) == ""
    path.write_text("no picture")
    assert drawn_from(path) == ""


def test_only_what_lies_between_the_markers_is_replaced(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("# Title\n\n<a>\nold\n</a>\n\nThe end.\n")
    assert between_markers(path, "<a>", "</a>", "new\nlines").text == "# Title\n\n<a>\nnew\nlines\n</a>\n\nThe end.\n"
    assert "old" in path.read_text()


@pytest.mark.parametrize("text", [None, "", "<a>\n", "<a></a><a></a>", "</a> <a>"])
def test_a_page_without_one_place_is_refused(tmp_path, text):
    path = tmp_path / "page.md"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError, match=r"page\.md"):
        between_markers(path, "<a>", "</a>", "new")
