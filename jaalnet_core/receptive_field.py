"""The receptive field of a block, seen rather than reckoned: in how many ways a pixel reaches the output's centre."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

_CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)
_NORMS = nn.modules.batchnorm._BatchNorm


def path_counts(block: nn.Module, channels: int, side: int) -> Tensor:
    """How many ways lead from each input pixel, over all channels, to the first channel of the centre output pixel.

    Every weight is set to 1 and every bias to 0 in a copy of the block, every batch norm to the identity; on positive
    input no ReLU then changes anything, and the gradient of one output value counts the paths from each input value.
    A pixel with count 0 lies outside the receptive field.

    Args:
        block: convolutions, batch norms and ReLUs, joined by sums and concatenations; keeps or multiplies the size.
        channels: that the block reads.
        side: height and width of the input, odd where a single centre is wanted.

    Returns:
        `(side, side)` float64 of whole numbers.

    Raises:
        ValueError: the block returns a single position, or none.
    """
    counting = _all_ones(block)
    features = torch.ones(1, channels, side, side, dtype=torch.float64, requires_grad=True)
    out = counting(features)
    if out.ndim != 4 or min(out.shape[-2:]) < 1:
        raise ValueError(f"block: found an output of shape {tuple(out.shape)}, expected (1, C, H, W).")
    out[0, 0, out.shape[-2] // 2, out.shape[-1] // 2].backward()
    return features.grad[0].sum(dim=0)


def view_width(counts: Tensor) -> int:
    """Side of the smallest square around all pixels that a path leads from, in pixels; 0 where there is none."""
    seen = (counts > 0).nonzero()
    if not len(seen):
        return 0
    return int((seen.amax(dim=0) - seen.amin(dim=0)).max()) + 1


def _all_ones(block: nn.Module) -> nn.Module:
    counting = copy.deepcopy(block).double().eval()
    for part in counting.modules():
        if isinstance(part, _CONVOLUTIONS):
            nn.init.ones_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, _NORMS):
            part.reset_running_stats()
            part.reset_parameters()
            part.eps = torch.finfo(torch.float64).tiny  # 1 + this is 1; torch 2.11 refuses 0
    return counting
