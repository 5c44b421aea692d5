"""The answers to lesson 3's quiz, worked out by torch."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from jaalnet_core.blocks import DDSConv, DenseBlock
from jaalnet_core.receptive_field import path_counts, view_width


def work(module: nn.Module) -> int:
    with FlopCounterMode(display=False) as counter:
        module(torch.zeros(1, 64, 8, 8))
    return counter.get_total_flops()


def kernel_that_doubles() -> int:
    sizes = {k: nn.ConvTranspose2d(1, 1, k, 2, 1)(torch.zeros(1, 1, 16, 16)).shape[-1] for k in range(2, 8)}
    (kernel,) = (k for k, size in sizes.items() if size == 32)
    return kernel


TRUTH = {
    1: lambda: work(nn.Conv2d(64, 9, 3, padding=1, bias=False)) / work(DDSConv(64, 9)),
    2: lambda: next(p for p in range(9) if nn.Conv2d(1, 1, 5, 1, p, 2)(torch.zeros(1, 1, 32, 32)).shape[-1] == 32),
    3: lambda: DenseBlock(64, 10, 32, (1, 1, 1, 1)).transition[0].in_channels,
    4: lambda: view_width(path_counts(nn.Sequential(*(nn.Conv2d(1, 1, 3, 1, d, d) for d in (1, 2, 4))), 1, 31)),
    5: kernel_that_doubles,
}
