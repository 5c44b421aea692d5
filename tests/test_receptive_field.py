"""Counted paths against patterns worked out by hand, and against a convolution of patterns."""

from __future__ import annotations

import pytest
import torch
from module_cases import randomised
from torch import nn
from torch.nn import functional

from jaalnet_core.blocks import DDSConv, DeConv, DenseBlock, ResidualBlock
from jaalnet_core.receptive_field import path_counts, view_width


def pattern(side: int, dilation: int) -> torch.Tensor:
    """Nine ones around the centre, `dilation` apart."""
    counts = torch.zeros(side, side, dtype=torch.float64)
    steps = torch.tensor([-dilation, 0, dilation]) + side // 2
    counts[steps[:, None], steps] = 1
    return counts


@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_one_dilated_convolution_has_nine_paths_a_channel(dilation):
    counts = path_counts(randomised(DDSConv(4, 2, dilation)), 4, 11)
    assert torch.equal(counts, 4 * pattern(11, dilation))
    assert view_width(counts) == 1 + 2 * dilation


def test_a_dense_block_is_the_sum_of_all_its_chains():
    """With growth rate 1 the paths obey: known = [input]; each layer convolves the sum of what is known."""
    counts = path_counts(DenseBlock(1, 1, growth_rate=1), 1, 17)
    known = [pattern(17, 0).clamp(max=1)]
    for dilation in (1, 2, 3):
        total, kernel = sum(known), pattern(2 * dilation + 1, dilation)
        known.append(functional.conv2d(total[None, None], kernel[None, None], padding=dilation)[0, 0])
    assert torch.equal(counts, sum(known))
    assert view_width(counts) == 1 + 2 * (1 + 2 + 3)


def test_a_shortcut_adds_one_path():
    with_shortcut = path_counts(ResidualBlock(1, 1), 1, 9)
    alone = path_counts(nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3, padding=1)), 1, 9)
    assert torch.equal(with_shortcut - alone, pattern(9, 0).clamp(max=1))
    assert view_width(with_shortcut) == 5


def test_sizes_that_grow_are_counted_from_the_centre_of_the_output():
    counts = path_counts(DeConv(2, 1, kernel_size=2), 2, 5)
    assert counts.sum() == 2
    assert counts[2, 2] == 2


def test_the_block_itself_keeps_its_weights_and_mode():
    block = DDSConv(2, 2).train()
    before = {name: value.clone() for name, value in block.state_dict().items()}
    path_counts(block, 2, 5)
    assert block.training
    assert all(torch.equal(before[name], value) for name, value in block.state_dict().items())


def test_nothing_seen_is_no_width():
    assert view_width(torch.zeros(5, 5)) == 0


def test_a_block_that_returns_no_map_is_refused():
    with pytest.raises(ValueError, match=r"found an output of shape \(1, 25\)"):
        path_counts(nn.Flatten(), 1, 5)
