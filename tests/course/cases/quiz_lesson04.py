"""The answers to lesson 4's quiz, worked out by the package's modules."""

from __future__ import annotations

import torch

from jaalnet_core.attention import ChannelAttention, PositionAttention


def query_learns_at_first() -> bool:
    module = PositionAttention(8)
    module(torch.randn(2, 8, 4, 4)).square().sum().backward()
    return bool(module.query.weight.grad.abs().sum() > 0)


TRUTH = {
    1: lambda: PositionAttention(8).attention_map(torch.zeros(1, 8, 32, 32)).numel(),
    2: lambda: PositionAttention(8).attention_map(torch.randn(2, 8, 5, 4)).sum(),
    3: lambda: ChannelAttention().attention_map(torch.randn(2, 16, 6, 5)).shape,
    4: lambda: torch.softmax(5 - torch.tensor([5.0, 2.0, 4.0]), dim=-1).argmax(),
    5: query_learns_at_first,
}
