"""Figures of scores: tested by the numbers they draw and say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaalnet_core.figures.scores import mean_by_size, score_against_size, score_spread, side_steps, spread

values = st.lists(st.floats(0, 1), min_size=1, max_size=60)


def test_spread_by_hand():
    found = spread([0.2, 0.9, 1.0, 0.7])
    assert (found.count, found.failed) == (4, 1)
    assert (found.mean, found.median, found.lowest, found.highest) == pytest.approx((0.7, 0.8, 0.2, 1.0))


@pytest.mark.parametrize("scores", [[], [np.nan], [[0.5, 0.5]]])
def test_no_spread_of_nothing(scores):
    with pytest.raises(ValueError, match="scores"):
        spread(scores)


@given(values)
def test_dots_never_lie_on_each_other_nor_leave_their_column(scores):
    steps = side_steps(scores)
    assert np.abs(steps).max() <= 1 + 1e-9
    rows = np.round(np.array(scores) * 40)
    places = {(row, round(step, 9)) for row, step in zip(rows, steps, strict=True)}
    assert len(places) == len(scores)


def test_a_lonely_dot_stands_in_the_middle():
    assert side_steps([0.1, 0.9, 0.9, 0.9]).tolist() == [0, -1, 0, 1]


def test_groups_are_columns_of_dots_with_their_mean():
    figure = score_spread({"clean": [0.9, 0.8], "hairy": [0.4, 0.6]}, linked=True)
    (axes,) = figure.axes
    dots = [collection.get_offsets().tolist() for collection in axes.collections]
    assert dots == [[[0, 0.9], [0, 0.8]], [[1, 0.4], [1, 0.6]]]
    means = [line.get_ydata()[0] for line in axes.lines if line.get_linewidth() > 2]
    assert means == pytest.approx([0.85, 0.5])
    joined = [list(line.get_ydata()) for line in axes.lines if line.get_linewidth() < 1]
    assert joined == [[0.9, 0.4], [0.8, 0.6]]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["clean", "hairy"]
    assert "clean: mean 0.850, lowest 0.800, 2 images." in figure.alt
    assert "hairy: mean 0.500, lowest 0.400, 1 below 0.5, 2 images." in figure.alt


@pytest.mark.parametrize(("floor", "expected"), [(None, 0.64), (0.4, 0.4), (0.9, 0.64)])
def test_a_floor_makes_figures_comparable_and_hides_no_dot(floor, expected):
    (axes,) = score_spread({"a": [0.7, 0.9]}, floor=floor).axes
    assert axes.get_ylim() == pytest.approx((expected, 1.02))


def test_linked_groups_hold_the_same_images():
    with pytest.raises(ValueError, match=r"\[2, 1\]"):
        score_spread({"a": [0.1, 0.2], "b": [0.1]}, linked=True)
    assert score_spread({"a": [0.1, 0.2], "b": [0.1]}).alt.count("mean") == 2


def test_means_by_size_by_hand():
    shares, scores = [0.01, 0.05, 0.3, 1.0], [0.2, 0.4, 0.8, 1.0]
    assert mean_by_size(shares, scores, (0, 0.05, 0.5, 1.0)) == [
        (1, pytest.approx(0.2)),
        (2, pytest.approx(0.6)),
        (1, pytest.approx(1.0)),
    ]
    count, mean = mean_by_size([0.5], [0.5], (0, 0.1))[0]
    assert count == 0
    assert np.isnan(mean)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=50))
def test_every_image_has_one_size(pairs):
    shares, scores = map(np.array, zip(*pairs, strict=True))
    found = mean_by_size(shares, scores, (0, 0.1, 0.4, 1))
    assert sum(count for count, _ in found) == len(pairs)
    total = sum(count * mean for count, mean in found if count)
    assert total == pytest.approx(scores.sum())


@pytest.mark.parametrize("edges", [(0.1,), (0.2, 0.1), (0, 0, 1)])
def test_edges_rise(edges):
    with pytest.raises(ValueError, match="edges"):
        mean_by_size([0.1], [0.1], edges)


def test_size_against_score_draws_every_image_and_the_means():
    figure = score_against_size([0.01, 0.02, 0.5], [0.3, 0.5, 0.9], edges=(0, 0.1, 1))
    (axes,) = figure.axes
    assert axes.collections[0].get_offsets().tolist() == [[0.01, 0.3], [0.02, 0.5], [0.5, 0.9]]
    assert [line.get_ydata()[0] for line in axes.lines] == pytest.approx([0.4, 0.9])
    assert "0% to 10% of the frame: mean 0.400 of 2" in figure.alt
