"""A stand-in for the authors' networks: as much arithmetic, in layers of the same kinds, to compare speeds in one run.

Nobody has the authors' code as published. Known are the parts (Xiong et al. 2023), the widths 32 to 512 of LF-Net's
five levels, 64x64 positions in DA-Net's position attention with its matrix stored, and what a forward and a backward
pass of one 128x128 picture costs: 23 GFLOP in LF-Net, 13.5 GFLOP in DA-Net, of which a step makes four (a real pair,
two kinds of fake ones, and the opinion that LF-Net learns from).

Guessed is the rest. LF-Net: ours at width 32 with plain dilated convolutions where ours has separable ones, which
counts 23.4 GFLOP. DA-Net: one strided convolution down to 64x64, four 3x3 convolutions, both attentions, 64 channels
throughout, batch normalisation: 13.1 GFLOP. The recipe is the published one. How the authors' layers were cut may make
them faster or slower than this at the same arithmetic.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim import Adam

from jaalnet_core.attention import ChannelAttention, PositionAttention
from jaalnet_core.da_net import PAIR_CHANNELS
from jaalnet_core.size import Size
from jaalnet_core.training.run import Run, build_run
from jaalnet_core.training.settings import TrainSettings

WIDTH = 64
CONVOLUTIONS = 4  # 3x3, before the two branches


class AuthorsDANet(nn.Module):
    """A pair `(B, 4, H, W)` to patch logits `(B, 1, H/2, W/2)`, by attention over `H/2 * W/2` positions as a matrix."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(PAIR_CHANNELS, WIDTH, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2, inplace=True),
            *(layer for _ in range(CONVOLUTIONS) for layer in _convolution()),
        )
        self.position_branch = nn.Sequential(*_convolution(), PositionAttention(WIDTH, explicit=True))
        self.channel_branch = nn.Sequential(*_convolution(), ChannelAttention())
        self.head = nn.Conv2d(WIDTH, 1, 3, padding=1)

    def forward(self, pairs: Tensor) -> Tensor:
        features = self.features(pairs)
        return self.head(self.position_branch(features) + self.channel_branch(features))


def _convolution() -> list[nn.Module]:
    convolution = nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(WIDTH), nn.LeakyReLU(0.2, inplace=True)]


def build_authors_run(size: Size, device: str) -> Run:
    """A run of the stand-ins, whose `step` learns from a batch by the published recipe.

    Args:
        size: of the pictures, even sides.
        device: `auto`, `cpu`, `cuda` or `mps`.
    """
    settings = TrainSettings(preset="base", recipe="published", without=("separable",), size=size, device=device)
    run = build_run(settings.resolved())
    da_net = AuthorsDANet().to(memory_format=torch.channels_last)
    optimizer = Adam(da_net.parameters(), lr=settings.learning_rate, betas=(0.5, 0.999))
    run.step.da_net, run.step.da_optimizer = run.fabric.setup(da_net, optimizer)
    return run
