"""Curves while training: what they hold after each epoch, in numbers and in words."""

from __future__ import annotations

import html
import re

import numpy as np
import pytest

from jaalnet_core.figures.curves import curves_in_words, training_curves
from jaalnet_core.run_log import COLUMNS
from jaalnet_core.widgets.live import LiveCurves, epoch_in_words, log_columns


def line(epoch: int, **changes: float) -> dict[str, float]:
    return {"epoch": epoch, "region": 1 / epoch, "validation_dice": 0.1 * epoch} | changes


def test_lines_become_columns_with_nan_for_what_is_missing():
    columns = log_columns([line(1), line(2, d_real=0.7)])
    assert set(columns) == set(COLUMNS)
    assert columns["epoch"].tolist() == [1, 2]
    assert columns["region"].tolist() == [1, 0.5]
    assert np.isnan(columns["d_real"][0])
    assert columns["d_real"][1] == 0.7
    assert np.isnan(columns["contour"]).all()


def test_no_line_is_no_epoch():
    assert all(len(values) == 0 for values in log_columns([]).values())


def test_the_figure_draws_the_columns():
    figure = training_curves(log_columns([line(1), line(2), line(3)]))
    panel = next(axes for axes in figure.axes if axes.get_title(loc="left") == "Validation, per image")
    np.testing.assert_allclose(panel.lines[0].get_ydata(), [0.1, 0.2, 0.3])


def test_curves_in_words_say_first_and_last_and_leave_out_what_is_not_there():
    words = curves_in_words(log_columns([line(1, d_fake=0.5), line(2, d_fake=0.25)]), "A run")
    assert words == (
        "A run, 2 epochs; region loss from 1.00 to 0.50; of fake pairs from 0.50 to 0.25; "
        "validation Dice from 0.10 to 0.20."
    )
    assert training_curves(log_columns([line(1), line(2)])).alt.startswith("Training curves, 2 epochs; region loss")


def test_each_epoch_renews_sentence_and_picture():
    seconds = iter([0.0, 10.0, 30.0, 60.0])
    live = LiveCurves(3, title="Lesson", clock=lambda: next(seconds))
    assert "Training begins" in live.sentence.value
    assert live.picture.value == ""
    pictures = []
    for epoch in (1, 2, 3):
        live(line(epoch, d_real=0.7, d_fake=0.4))
        pictures.append(live.picture.value)
        alt = html.unescape(re.search(r'alt="([^"]*)"', live.picture.value)[1])
        assert f"Lesson, {epoch} epochs" in alt
        assert f"validation Dice from 0.10 to 0.{epoch}0" in alt
        expected = {1: "about 20 s left", 2: "about 15 s left", 3: "Finished"}[epoch]
        assert expected in live.sentence.value
        assert f"Dice 0.{epoch}00" in live.sentence.value
    assert len(set(pictures)) == 3
    assert [one["epoch"] for one in live.lines] == [1, 2, 3]


def test_the_log_is_a_copy_of_what_was_reported():
    live, reported = LiveCurves(2), line(1)
    live(reported)
    reported["validation_dice"] = 9.0
    assert live.lines[0]["validation_dice"] == 0.1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (line(2), "Epoch 2 of 4: validation Dice 0.200; about 6 s left."),
        (line(4), "Epoch 4 of 4: validation Dice 0.400. Finished."),
        (
            line(1, d_real=0.75, d_fake=0.25),
            "Epoch 1 of 4: validation Dice 0.100; DA-Net calls real pairs 0.75 and fake pairs 0.25 real; "
            "about 9 s left.",
        ),
    ],
)
def test_an_epoch_in_words(given, words):
    assert epoch_in_words(given, 4, seconds_each=3.0) == words
