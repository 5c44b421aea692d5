"""Costs by formula against the parameters of real modules and torch's own counter."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from jaalnet_core.blocks import DDSConv
from jaalnet_core.convolution_cost import plain_cost, saving, separable_cost

counts = st.integers(1, 12)


def counted(module: nn.Module, channels: int, height: int, width: int) -> tuple[int, int]:
    """Weights of the convolutions, and multiplications: half of what torch counts."""
    weights = sum(part.weight.numel() for part in module.modules() if isinstance(part, nn.Conv2d))
    with FlopCounterMode(display=False) as counter:
        module(torch.randn(1, channels, height, width))
    return weights, counter.get_total_flops() // 2


@settings(max_examples=20, deadline=None)
@given(counts, counts, st.sampled_from([1, 3, 5, 7]), st.integers(2, 9), st.integers(2, 9))
def test_plain_convolution(source, target, kernel, height, width):
    cost = plain_cost(source, target, kernel, pixels=height * width)
    module = nn.Conv2d(source, target, kernel, padding=kernel // 2, bias=False)
    assert (cost.weights, cost.multiplications) == counted(module, source, height, width)
    assert cost.depthwise == 0


@settings(max_examples=20, deadline=None)
@given(counts, counts, st.sampled_from([1, 3, 5, 7]), st.integers(2, 9))
def test_a_convolution_taken_apart(source, target, kernel, side):
    cost = separable_cost(source, target, kernel, pixels=side * side)
    depthwise = nn.Conv2d(source, source, kernel, padding=kernel // 2, groups=source, bias=False)
    module = nn.Sequential(depthwise, nn.Conv2d(source, target, 1, bias=False))
    assert (cost.weights, cost.multiplications) == counted(module, source, side, side)
    assert cost.depthwise == depthwise.weight.numel()


@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_the_package_s_dds_conv_and_dilation_is_free(dilation):
    cost = separable_cost(6, 10, pixels=8 * 9)
    assert (cost.weights, cost.multiplications) == counted(DDSConv(6, 10, dilation), 6, 8, 9)


@given(counts, counts, st.sampled_from([1, 3, 5, 7]))
def test_saving_needs_only_the_channels_made(source, target, kernel):
    assert saving(source, target, kernel) == pytest.approx(1 / (1 / target + 1 / kernel**2))
    assert saving(source, target, kernel) < kernel**2


@pytest.mark.parametrize("wrong", [(0, 1, 3), (1, 0, 3), (1, 1, 0)])
def test_counts_below_one_are_refused(wrong):
    for cost in (plain_cost, separable_cost, saving):
        with pytest.raises(ValueError, match="found 0, expected at least 1"):
            cost(*wrong)
    with pytest.raises(ValueError, match="pixels: found 0"):
        plain_cost(1, 1, pixels=0)
