"""The forest plot: what is drawn where, what counts as decided, and that the words say the same."""

from __future__ import annotations

import pytest

from jaalnet_core.figures.forest import Estimate, forest_panels, forest_plot, is_beside, words

ROWS = [Estimate("worse", 0.80, 0.78, 0.82, (0.79, 0.81)), Estimate("unsure", 0.90, 0.88, 0.92)]


def test_rows_stand_at_their_values_the_first_on_top():
    figure = forest_plot(ROWS, title="Dice", x="percent", reference=0.91, reference_label="published")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["worse", "unsure"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    line, bar, dots, mean, *_ = axes.lines
    assert line.get_xdata()[0] == pytest.approx(91)
    assert list(bar.get_xdata()) == pytest.approx([78, 82])
    assert list(dots.get_xdata()) == pytest.approx([79, 81])
    assert list(mean.get_xdata()) == pytest.approx([80])
    assert axes.get_legend().get_texts()[0].get_text() == "published"


def test_what_is_decided_is_filled_and_what_is_not_is_hollow():
    (axes,) = forest_plot(ROWS, title="t", x="x", reference=0.91).axes
    diamonds = [line for line in axes.lines if line.get_marker() == "D"]
    assert [line.get_markerfacecolor() for line in diamonds] == ["#000000", "white"]
    assert [is_beside(row, 0.91) for row in ROWS] == [True, False]
    assert not is_beside(ROWS[0], None)
    assert not is_beside(ROWS[0], 0.82)  # an end that touches is no proof


def test_the_words_say_value_interval_side_and_line():
    assert words(ROWS, 0.91, "published") == (
        "worse 80.00 (78.00 to 82.00), below; unsure 90.00 (88.00 to 92.00), not told apart; "
        "the line, published, is at 91.00."
    )
    assert words([Estimate("alone", 1.5, 1.5, 1.5)], scale=1) == "alone 1.50."
    figure = forest_plot(ROWS, title="Dice", x="percent", reference=0.75)
    assert "worse 80.00 (78.00 to 82.00), above" in figure.alt


def test_panels_share_their_rows_and_have_their_own_lines():
    figure = forest_panels({"Dice": ROWS, "IoU": ROWS}, references={"Dice": 0.7, "IoU": 0.95}, reference_label="old")
    dice, iou = figure.axes
    assert dice.lines[0].get_xdata()[0] == pytest.approx(70)
    assert iou.lines[0].get_xdata()[0] == pytest.approx(95)
    assert "Dice: worse 80.00 (78.00 to 82.00), above" in figure.alt
    assert "IoU: worse 80.00 (78.00 to 82.00), below" in figure.alt
    assert "old, is at 95.00" in figure.alt


def test_nothing_to_draw_and_unlike_rows_are_refused():
    with pytest.raises(ValueError, match="none"):
        forest_plot([], title="t", x="x")
    with pytest.raises(ValueError, match="same labels"):
        forest_panels({"a": ROWS, "b": ROWS[:1]})
    with pytest.raises(ValueError, match="same labels"):
        forest_panels({})
