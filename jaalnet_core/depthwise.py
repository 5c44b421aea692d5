"""Depthwise convolution whose dilation costs no time on a CPU, also on the way back.

PyTorch's CPU kernels for the gradients of depthwise convolutions know no dilation: dilated ones fall back to general
kernels, many times slower. Both gradients can be had from the fast ones:

- the input's is the output's gradient, convolved with the same filters turned round;
- the filters': with dilation d a pixel meets only pixels whose row and column leave the same remainders by d. Taken
  apart by these remainders, a map becomes d * d small ones, its phases, on which a filter's weights are neighbours
  (the algorithme a trous of wavelets, read the other way).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.grad import conv2d_weight


class DepthwiseConv(nn.Conv2d):
    """One odd square filter a channel, without bias, that keeps the size: `(B, C, H, W)` to `(B, C, H, W)`.

    The same function, weights and gradients as `nn.Conv2d(channels, channels, kernel_size, groups=channels,
    padding=dilation * (kernel_size - 1) // 2, dilation=dilation, bias=False)`, up to rounding.
    """

    def __init__(self, channels: int, kernel_size: int = 3, dilation: int = 1) -> None:
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size: found {kernel_size}, expected an odd number, which keeps the size.")
        padding = dilation * (kernel_size - 1) // 2
        super().__init__(
            channels, channels, kernel_size, padding=padding, dilation=dilation, groups=channels, bias=False
        )

    def forward(self, features: Tensor) -> Tensor:
        dilation = self.dilation[0]
        if dilation > 1 and torch.is_grad_enabled() and features.device.type in ("cpu", "meta"):
            return dilated_depthwise(features, self.weight, dilation)
        return super().forward(features)


def dilated_depthwise(features: Tensor, weight: Tensor, dilation: int) -> Tensor:
    """A depthwise convolution that keeps the size, with gradients by the ways above.

    Args:
        features: `(B, C, H, W)`.
        weight: `(C, 1, K, K)`, K odd.

    Returns:
        `(B, C, H, W)`.
    """
    return _DilatedDepthwise.apply(features, weight, dilation)


def phases(features: Tensor, dilation: int) -> Tensor:
    """Every d-th row and column, from each start: `(B, C, H, W)` to `(B * d * d, C, ceil(H / d), ceil(W / d))`.

    Zeros fill up what a height or width lacks to a multiple of d. Channels lie last in memory.
    """
    batch, channels, height, width = features.shape
    rows, columns = -(-height // dilation), -(-width // dilation)
    whole = rows * dilation == height and columns * dilation == width
    make = features.new_empty if whole else features.new_zeros
    apart = make(batch, dilation, dilation, rows, columns, channels)
    pixels = features.permute(0, 2, 3, 1)
    for row in range(dilation):
        for column in range(dilation):
            phase = pixels[:, row::dilation, column::dilation]
            apart[:, row, column, : phase.shape[1], : phase.shape[2]] = phase
    return apart.flatten(0, 2).permute(0, 3, 1, 2)


def _filtered(features: Tensor, weight: Tensor, dilation: int) -> Tensor:
    padding = dilation * (weight.shape[-1] - 1) // 2
    return functional.conv2d(features, weight, padding=padding, dilation=dilation, groups=weight.shape[0])


class _DilatedDepthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, dilation: int) -> Tensor:
        ctx.save_for_backward(features, weight)
        ctx.dilation = dilation
        return _filtered(features, weight, dilation)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        features, weight = ctx.saved_tensors
        to_features = to_weight = None
        if ctx.needs_input_grad[0]:
            to_features = _filtered(gradient, weight.flip(2, 3), ctx.dilation)
        if ctx.needs_input_grad[1]:
            small, small_gradient = phases(features, ctx.dilation), phases(gradient, ctx.dilation)
            padding = (weight.shape[-1] - 1) // 2
            to_weight = conv2d_weight(small, weight.shape, small_gradient, padding=padding, groups=weight.shape[0])
        return to_features, to_weight, None
