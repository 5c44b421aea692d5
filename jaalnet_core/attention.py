"""Attention: CBAM (LF-Net's decoder), position attention and channel attention (DA-Net)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class ChannelGate(nn.Module):
    """CBAM's first half, which channel matters: multiplies `(B, C, H, W)` by a gate `(B, C, 1, 1)` in 0..1.

    The channel's average and its maximum go through one shared two-layer network; the sum is squashed.
    """

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        hidden = max(channels // reduction, 4)
        self.mlp = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, channels))

    def gate(self, features: Tensor) -> Tensor:
        """The gate alone, `(B, C, 1, 1)`, each value in 0..1."""
        average = self.mlp(features.mean(dim=(2, 3)))
        # as `amax`, but it remembers where the maximum lies; `amax` searches the whole map again on the way back
        # (so would `adaptive_max_pool2d`, which the oldest ONNX exporter that we allow does not know)
        maximum = self.mlp(features.flatten(2).max(dim=2).values)
        return torch.sigmoid(average + maximum)[:, :, None, None]

    def forward(self, features: Tensor) -> Tensor:
        return features * self.gate(features)


class SpatialGate(nn.Module):
    """CBAM's second half, which place matters: multiplies `(B, C, H, W)` by a gate `(B, 1, H, W)` in 0..1.

    Average and maximum over the channels go through one 7x7 convolution.
    """

    def __init__(self, kernel_size: int = 7) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2)

    def gate(self, features: Tensor) -> Tensor:
        """The gate alone, `(B, 1, H, W)`, each value in 0..1."""
        pooled = torch.cat([features.mean(dim=1, keepdim=True), features.amax(dim=1, keepdim=True)], dim=1)
        return torch.sigmoid(self.conv(pooled))

    def forward(self, features: Tensor) -> Tensor:
        return features * self.gate(features)


class CBAM(nn.Sequential):
    """Convolutional block attention module (Woo et al. 2018): channel gate, then spatial gate; keeps the shape."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__(ChannelGate(channels, reduction), SpatialGate())


def explicit_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """`softmax(query @ key^T) @ value` with the `(B, N, N)` matrix stored: the formula as written in the paper.

    Args:
        query, key: `(B, N, D)`.
        value: `(B, N, C)`.

    Returns:
        `(B, N, C)`: for each of the N positions a weighted mean of all values.
    """
    return torch.softmax(query @ key.transpose(1, 2), dim=-1) @ value


def fused_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """The same function as `explicit_attention`, computed without ever storing the `(B, N, N)` matrix.

    Memory grows with N instead of N squared. The fused kernels want one width for query, key and value; zeros appended
    to the narrower one change no dot product.
    """
    width = max(query.shape[-1], value.shape[-1])
    query, key, padded = (functional.pad(t, (0, width - t.shape[-1])).unsqueeze(1) for t in (query, key, value))
    mixed = functional.scaled_dot_product_attention(query, key, padded, scale=1.0)
    return mixed.squeeze(1)[..., : value.shape[-1]]


class PositionAttention(nn.Module):
    """Position attention module (Fu et al. 2019, DANet): every position may look at every other one.

    `out = features + gamma * softmax(q k^T) v` over the `N = H * W` positions; `gamma` is learned from 0, so at first
    the module is the identity. Keeps the shape `(B, C, H, W)`.

    Args:
        reduction: query and key have `channels / reduction` channels, at least 1.
        explicit: store the N x N matrix (to teach, to draw it, to count FLOPs) instead of the fused computation.
    """

    def __init__(self, channels: int, reduction: int = 8, explicit: bool = False) -> None:
        super().__init__()
        narrow = max(channels // reduction, 1)
        self.query = nn.Conv2d(channels, narrow, 1)
        self.key = nn.Conv2d(channels, narrow, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))
        self.explicit = explicit

    def attention_map(self, features: Tensor) -> Tensor:
        """Who looks where: `(B, N, N)`, row `i` holds the weights of position `i` over all positions, summing to 1."""
        query, key = (_as_sequence(conv(features)) for conv in (self.query, self.key))
        return torch.softmax(query @ key.transpose(1, 2), dim=-1)

    def forward(self, features: Tensor) -> Tensor:
        query, key, value = (_as_sequence(conv(features)) for conv in (self.query, self.key, self.value))
        attend = explicit_attention if self.explicit else fused_attention
        mixed = attend(query, key, value)  # (B, N, C)
        return features + self.gamma * mixed.transpose(1, 2).reshape(features.shape)


class ChannelAttention(nn.Module):
    """Channel attention module (Fu et al. 2019, DANet): every channel may borrow from every other one.

    The `C x C` Gram matrix of the channels is turned round (row maximum minus entry, so that a channel looks at those
    unlike itself, and the softmax cannot overflow); `out = features + gamma * softmax(...) features`, `gamma` learned
    from 0. No other parameter. Keeps the shape `(B, C, H, W)`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1))

    def attention_map(self, features: Tensor) -> Tensor:
        """`(B, C, C)`, each row a softmax over channels."""
        flat = features.flatten(2)  # (B, C, N)
        gram = flat @ flat.transpose(1, 2)  # (B, C, C)
        return torch.softmax(gram.amax(dim=-1, keepdim=True) - gram, dim=-1)

    def forward(self, features: Tensor) -> Tensor:
        mixed = self.attention_map(features) @ features.flatten(2)  # (B, C, N)
        return features + self.gamma * mixed.reshape(features.shape)


def _as_sequence(features: Tensor) -> Tensor:
    """`(B, C, H, W)` to `(B, N, C)`, positions in reading order."""
    return features.flatten(2).transpose(1, 2)
