"""The bricks of LF-Net: DDSConv, DeConv, dense block and residual block. Each keeps or doubles the size exactly."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from jaalnet_core.batch_norm import BatchNorm2d
from jaalnet_core.depthwise import DepthwiseConv


class ConvNormAct(nn.Sequential):
    """Convolution, batch normalisation and ReLU: `(B, in, H, W)` to `(B, out, H, W)`.

    Padding is `dilation * (kernel_size - 1) / 2`, so an odd kernel keeps height and width.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3, dilation: int = 1) -> None:
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size: found {kernel_size}, expected an odd number, which keeps the size.")
        padding = dilation * (kernel_size - 1) // 2
        super().__init__(
            nn.Conv2d(in_channels, out_channels, kernel_size, padding=padding, dilation=dilation, bias=False),
            BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )


class DDSConv(nn.Module):
    """Depthwise dilated separable convolution: `(B, in, H, W)` to `(B, out, H, W)`.

    A depthwise 3x3 convolution looks at the neighbourhood, one filter a channel; a pointwise 1x1 convolution mixes
    the channels; each is normalised. A pixel costs `9 * in + in * out` multiplications, against `9 * in * out` for a
    plain 3x3 convolution. The padding equals the dilation, so the map never shrinks.
    """

    def __init__(self, in_channels: int, out_channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.depthwise = DepthwiseConv(in_channels, dilation=dilation)
        self.depthwise_norm = BatchNorm2d(in_channels)
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.pointwise_norm = BatchNorm2d(out_channels)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        features = self.depthwise_norm(self.depthwise(features))
        return self.activation(self.pointwise_norm(self.pointwise(features)))


class DeConv(nn.Module):
    """Transposed convolution that doubles exactly: `(B, in, H, W)` to `(B, out, 2H, 2W)`.

    Args:
        kernel_size: 2 (each input pixel paints its own 2x2 patch) or 4 (patches overlap by one pixel a side).
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 2) -> None:
        super().__init__()
        if kernel_size not in (2, 4):
            raise ValueError(f"kernel_size: found {kernel_size}, expected 2 or 4, which double the size exactly.")
        self.deconv = nn.ConvTranspose2d(
            in_channels, out_channels, kernel_size, stride=2, padding=(kernel_size - 2) // 2, bias=False
        )
        self.norm = BatchNorm2d(out_channels)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        return self.activation(self.norm(self.deconv(features)))


class DenseBlock(nn.Module):
    """DDSConv layers of which each sees all before it: `(B, in, H, W)` to `(B, out, H, W)`.

    Layer `k` reads `in + k * growth_rate` channels and adds `growth_rate` new ones (Huang et al. 2017, DenseNet); a
    1x1 transition brings the concatenation to `out_channels`.

    Args:
        growth_rate: channels that a layer adds.
        dilations: one DDSConv an entry, with that dilation; growing values widen the view without pooling.
        dense: False puts the layers one after another, without concatenation: each still makes `growth_rate` channels,
            but reads only those of the layer before it (the first one the input), and the transition only the last's.
        separable: False takes plain 3x3 convolutions of the same dilations in place of DDSConv.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        growth_rate: int,
        dilations: Sequence[int] = (1, 2, 3),
        *,
        dense: bool = True,
        separable: bool = True,
    ) -> None:
        super().__init__()
        self.dense = dense
        reads = [in_channels + k * growth_rate if dense else growth_rate for k in range(len(dilations) + 1)]
        reads[0] = in_channels
        self.layers = nn.ModuleList(
            DDSConv(channels, growth_rate, dilation)
            if separable
            else ConvNormAct(channels, growth_rate, dilation=dilation)
            for channels, dilation in zip(reads, dilations, strict=False)
        )
        self.transition = ConvNormAct(reads[-1], out_channels, kernel_size=1)

    def forward(self, features: Tensor) -> Tensor:
        for layer in self.layers:
            new = layer(features)
            features = torch.cat([features, new], dim=1) if self.dense else new
        return self.transition(features)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut: `(B, in, H, W)` to `(B, out, H, W)` (He et al. 2016).

    The shortcut is the identity where the channels agree, else a normalised 1x1 projection.

    Args:
        attention: a module that keeps the shape, put at the end of the residual branch (LF-Net's decoder passes CBAM).
    """

    def __init__(self, in_channels: int, out_channels: int, attention: nn.Module | None = None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        self.norm1 = BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norm2 = BatchNorm2d(out_channels)
        self.attention = attention if attention is not None else nn.Identity()
        self.shortcut = (
            nn.Identity()
            if in_channels == out_channels
            else nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, bias=False), BatchNorm2d(out_channels))
        )
        self.activation = nn.ReLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        residual = self.activation(self.norm1(self.conv1(features)))
        residual = self.attention(self.norm2(self.conv2(residual)))
        return self.activation(residual + self.shortcut(features))
