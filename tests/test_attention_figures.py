"""Attention figures hold the right numbers in the right place; costs are counted, not believed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from jaalnet_core.attention import explicit_attention, fused_attention
from jaalnet_core.figures.attention_cost import (
    AttentionCost,
    attention_cost_figure,
    kept_for_backward,
    measure_attention,
)
from jaalnet_core.figures.attention_maps import look_figure, three_looks_figure
from jaalnet_core.position_maps import PositionMaps, look_from


@pytest.fixture
def maps() -> PositionMaps:
    generator = np.random.default_rng(0)
    weights = generator.random((24, 24)).astype(np.float32)
    mask = np.zeros((32, 44), np.float32)  # 4 x 6 positions, the last column half empty
    mask[8:20, 10:30] = 1
    return PositionMaps(weights / weights.sum(axis=1, keepdims=True), (4, 6), np.zeros((32, 44, 3), np.uint8), mask)


def test_the_figure_of_a_pixel_holds_its_map_in_multiples_of_an_even_share(maps: PositionMaps) -> None:
    figure = look_figure(maps, (9, 40))
    left, right = figure.axes[:2]
    np.testing.assert_allclose(left.images[0].get_array(), maps.weights[11].reshape(4, 6) * 24, rtol=1e-5)
    np.testing.assert_allclose(
        right.images[0].get_array(), (maps.weights[11] - maps.weights.mean(axis=0)).reshape(4, 6) * 24, atol=1e-5
    )
    low, high = right.images[0].get_clim()
    assert low == -high  # no difference is white
    assert left.get_ylim() == (31.5, -0.5)
    assert left.get_xlim() == (-0.5, 43.5)  # the padding is cut off
    assert "From position 11, on the skin" in figure.alt


def test_the_cross_stands_on_the_pixel(maps: PositionMaps) -> None:
    for axes in look_figure(maps, (9, 40)).axes[:2]:
        assert all((line.get_xdata()[0], line.get_ydata()[0]) == (40, 9) for line in axes.lines)
        assert len(axes.lines) == 2


def test_three_looks_share_one_scale(maps: PositionMaps) -> None:
    pixels = [(0, 0), (12, 20), (31, 43)]
    figure = three_looks_figure(maps, pixels)
    titled = {axes.get_title(): axes for axes in figure.axes}
    for number, pixel in enumerate(pixels, start=1):
        expected = look_from(maps, pixel)
        shown = titled[f"{number}: attention"].images[0]
        np.testing.assert_allclose(shown.get_array(), expected.map * 24, rtol=1e-5)
        assert shown.get_clim() == titled["1: attention"].images[0].get_clim()
        assert shown.get_clim()[1] >= expected.map.max() * 24
        assert f"{number}: From position {expected.position}" in figure.alt
    assert [text.get_text() for text in titled["picture"].texts] == ["1", "2", "3"]


def test_an_even_map_has_no_difference_to_draw() -> None:
    even = PositionMaps(
        np.full((16, 16), 1 / 16, np.float32), (4, 4), np.zeros((32, 32, 3), np.uint8), np.ones((32, 32))
    )
    assert (look_figure(even, (0, 0)).axes[1].images[0].get_array() == 0).all()


def test_kept_bytes_are_those_of_the_saved_tensors() -> None:
    a = torch.randn(3, 5, requires_grad=True)
    b = torch.randn(5, 7, requires_grad=True)
    assert kept_for_backward(torch.matmul, a, b) == 4 * (15 + 35)
    assert kept_for_backward(torch.mul, a, a) == 4 * 15  # one storage, counted once
    assert kept_for_backward(torch.add, a, a) == 0


def test_explicit_attention_keeps_the_matrix_and_fused_does_not() -> None:
    positions, narrow, channels = 400, 4, 8
    query, key = (torch.randn(1, positions, narrow, requires_grad=True) for _ in range(2))
    value = torch.randn(1, positions, channels, requires_grad=True)
    matrix = 4 * positions**2
    assert matrix <= kept_for_backward(explicit_attention, query, key, value) < 1.2 * matrix
    assert kept_for_backward(fused_attention, query, key, value) < 0.2 * matrix


def test_costs_are_measured_for_every_size_both_ways() -> None:
    costs = measure_attention(sides=(4, 8), channels=8, narrow=2, repetitions=1)
    assert [(cost.positions, cost.way) for cost in costs] == [
        (16, "explicit"), (16, "fused"), (64, "explicit"), (64, "fused"),
    ]  # fmt: skip
    assert all(cost.seconds > 0 for cost in costs)
    assert costs[2].kept_bytes > costs[0].kept_bytes


def test_the_cost_figure_draws_every_row_and_says_the_last() -> None:
    costs = [
        AttentionCost("explicit", 16, 2_000_000, 0.001),
        AttentionCost("fused", 16, 1_000_000, 0.002),
        AttentionCost("explicit", 64, 8_000_000, 0.016),
        AttentionCost("fused", 64, 4_000_000, 0.008),
    ]
    figure = attention_cost_figure(costs)
    memory, duration = figure.axes
    lines = {line.get_label(): line for line in memory.lines}
    assert list(lines["explicit"].get_ydata()) == [2, 8]
    assert list(lines["fused"].get_ydata()) == [1, 4]
    assert list(lines["N x N x 4 bytes"].get_ydata()) == [4 * 256 / 1e6, 4 * 4096 / 1e6]
    assert list(duration.lines[1].get_ydata()) == [2, 8]
    assert "At 64 positions explicit: 8.0 MB and 16 ms; fused: 4.0 MB and 8 ms." in figure.alt
