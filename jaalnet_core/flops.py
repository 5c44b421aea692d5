"""Count the arithmetic of a forward and a backward pass; two FLOP for each multiplication with its addition."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from jaalnet_core.size import Size


def flop_counter() -> FlopCounterMode:
    """torch's counter, put right for the backward pass of convolutions with groups.

    torch 2.15 counts the gradient of a depthwise convolution's weights as if every channel met every other one:
    `groups` times too much. A backward pass costs as much as the forward one, once for the input's gradient
    and once for the weights'. Use it so::

        with flop_counter() as counter:
            network(images).sum().backward()
        counter.get_total_flops()
    """
    corrected = {torch.ops.aten.convolution_backward: _convolution_backward}
    return FlopCounterMode(display=False, custom_mapping=corrected)


def forward_gflop(network: nn.Module, size: Size) -> float:
    """GFLOP of predicting one RGB picture of this size, counted. On the meta device nothing is computed for it.

    with torch.device("meta"):
        forward_gflop(build_lf_net("base"), Size(128, 128))
    """
    was_training, first = network.training, next(network.parameters())
    picture = torch.zeros(1, 3, *size, device=first.device, dtype=first.dtype)
    try:
        with torch.no_grad(), flop_counter() as counter:
            network.eval()(picture)
    finally:
        network.train(was_training)
    return counter.get_total_flops() / 1e9


def _convolution_backward(
    grad_shape: Sequence[int],
    input_shape: Sequence[int],
    weight_shape: Sequence[int],
    _bias: Any,
    _stride: Any,
    _padding: Any,
    _dilation: Any,
    transposed: bool,
    _output_padding: Any,
    _groups: int,
    output_mask: Sequence[bool],
    **_shapes: Any,
) -> int:
    """FLOP of the gradients that `output_mask` (input, weights, bias) asks for; the bias's is additions alone."""
    batch, _, *places = input_shape if transposed else grad_shape  # where each weight is used once
    forward = 2 * batch * prod(places) * prod(weight_shape)  # a weight's second axis holds in_channels / groups
    return forward * (bool(output_mask[0]) + bool(output_mask[1]))
