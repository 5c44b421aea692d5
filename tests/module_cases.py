"""Every part of the networks, small and with random weights, for the tests that ask the same of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from jaalnet_core.attention import CBAM, ChannelAttention, PositionAttention
from jaalnet_core.blocks import ConvNormAct, DDSConv, DeConv, DenseBlock, ResidualBlock
from jaalnet_core.contour import ContourAttention, ContourGate


def randomised(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module in evaluation mode, with nothing left at a value that hides a mistake.

    Fresh batch norms are the identity, and an attention whose gamma is 0 does nothing: give all of them random values.
    """
    generator = torch.Generator().manual_seed(seed)

    def draw(values: Tensor, low: float, high: float) -> None:
        values.copy_(torch.rand(values.shape, generator=generator, dtype=torch.float64) * (high - low) + low)

    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):
                draw(part.weight, 0.5, 1.5)
                draw(part.bias, -0.5, 0.5)
                draw(part.running_mean, -0.5, 0.5)
                draw(part.running_var, 0.5, 2.0)
            elif isinstance(part, nn.Conv2d | nn.ConvTranspose2d | nn.Linear) and part.bias is not None:
                draw(part.bias, -0.5, 0.5)
            elif isinstance(part, PositionAttention | ChannelAttention):
                draw(part.gamma, 0.5, 1.0)
    return module.eval()


@dataclass(frozen=True)
class Part:
    """How to build one part, and the shapes of what it takes; the batch comes first."""

    build: Callable[[], nn.Module]
    shapes: tuple[tuple[int, ...], ...]
    out_shape: tuple[int, ...]

    def inputs(self, batch: int = 2, seed: int = 1, dtype: torch.dtype = torch.float32) -> tuple[Tensor, ...]:
        generator = torch.Generator().manual_seed(seed)
        return tuple(torch.randn(batch, *shape, generator=generator, dtype=dtype) for shape in self.shapes)


PARTS: dict[str, Part] = {
    "ConvNormAct": Part(lambda: ConvNormAct(2, 3), ((2, 5, 4),), (3, 5, 4)),
    "DDSConv": Part(lambda: DDSConv(2, 3, dilation=2), ((2, 5, 7),), (3, 5, 7)),
    "DeConv": Part(lambda: DeConv(3, 2), ((3, 3, 4),), (2, 6, 8)),
    "DeConv of 4": Part(lambda: DeConv(3, 2, kernel_size=4), ((3, 3, 4),), (2, 6, 8)),
    "DenseBlock": Part(lambda: DenseBlock(2, 3, growth_rate=2, dilations=(1, 2)), ((2, 5, 4),), (3, 5, 4)),
    "ResidualBlock": Part(lambda: ResidualBlock(2, 3), ((2, 4, 5),), (3, 4, 5)),
    "ResidualBlock with CBAM": Part(lambda: ResidualBlock(4, 4, CBAM(4)), ((4, 4, 3),), (4, 4, 3)),
    "CBAM": Part(lambda: CBAM(4), ((4, 5, 3),), (4, 5, 3)),
    "PositionAttention": Part(lambda: PositionAttention(4, reduction=2), ((4, 3, 4),), (4, 3, 4)),
    "PositionAttention, explicit": Part(
        lambda: PositionAttention(4, reduction=2, explicit=True), ((4, 3, 4),), (4, 3, 4)
    ),
    "ChannelAttention": Part(ChannelAttention, ((3, 2, 3),), (3, 2, 3)),
    "ContourGate": Part(lambda: ContourGate(3), ((3, 4, 3), (1, 4, 3)), (3, 4, 3)),
    "ContourAttention": Part(lambda: ContourAttention(4, 2, 3), ((4, 2, 3), (3, 4, 6)), (2, 4, 6)),
}


def build(name: str, seed: int = 0) -> nn.Module:
    """The part with random weights, in evaluation mode, float32."""
    torch.manual_seed(seed)
    return randomised(PARTS[name].build(), seed)
