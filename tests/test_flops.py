"""The counter's numbers, worked out by hand for each kind of convolution of the project."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from jaalnet_core.flops import flop_counter
from jaalnet_core.lf_net import build_lf_net


def counted(network: nn.Module, inputs: torch.Tensor) -> tuple[int, int]:
    """FLOP of the forward pass and of the backward pass to the inputs and the weights."""
    inputs.requires_grad_()
    with flop_counter() as forward:
        result = network(inputs)
    with flop_counter() as backward:
        result.sum().backward()
    return forward.get_total_flops(), backward.get_total_flops()


@pytest.mark.parametrize(
    ("convolution", "multiplications"),
    [
        (nn.Conv2d(6, 4, 3, padding=1), 9 * 6 * 4 * 8 * 10),
        (nn.Conv2d(6, 6, 3, padding=2, dilation=2, groups=6), 9 * 6 * 8 * 10),
        (nn.Conv2d(6, 4, 3, padding=1, groups=2), 9 * 3 * 4 * 8 * 10),
        (nn.Conv2d(6, 4, 4, stride=2, padding=1), 16 * 6 * 4 * 4 * 5),
        (nn.Conv2d(6, 4, 1), 6 * 4 * 8 * 10),
        (nn.ConvTranspose2d(6, 4, 2, stride=2), 4 * 6 * 4 * 8 * 10),
    ],
    ids=["plain", "depthwise", "groups", "strided", "pointwise", "transposed"],
)
def test_a_convolution_counts_once_forward_and_twice_backward(convolution, multiplications) -> None:
    forward, backward = counted(convolution, torch.rand(3, 6, 8, 10))
    assert forward == 2 * 3 * multiplications
    assert backward == 2 * forward


def test_gradients_that_nobody_asks_for_cost_nothing() -> None:
    convolution = nn.Conv2d(6, 6, 3, padding=1, groups=6)
    with flop_counter() as counter:
        convolution(torch.rand(1, 6, 8, 8)).sum().backward()
    assert counter.get_total_flops() == 2 * (2 * 9 * 6 * 64)  # forward, and the weights' gradient


def test_lf_net_costs_about_three_forward_passes() -> None:
    network = build_lf_net("tiny")
    forward, backward = counted(network, torch.rand(2, 3, 64, 64))
    assert 1.9 < backward / forward < 2.05
