"""Judges of lesson 4's two attentions, over positions and over channels, with all weights given."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from jaalnet_core.attention import ChannelAttention, explicit_attention
from jaalnet_core.course.judging import agrees, call, close, expect, generator, same_shape


def judge_position_attention(position_attention) -> None:
    """4.2: against the package's formula, on maps that are not square."""
    random = generator()
    for _ in range(3):
        batch, narrow, channels = (int(one) for one in sorted(random.permutation(range(2, 9))[:3]))
        height, width = (int(side) for side in random.permutation(range(3, 8))[:2])
        features = torch.randn(batch, channels, height, width)
        query, key = (1.5 * torch.randn(narrow, channels) / channels**0.5 for _ in range(2))
        value, gamma = torch.randn(channels, channels) / channels**0.5, float(random.uniform(0.3, 0.8))
        what = f"the output for features of shape {tuple(features.shape)}"
        found = call(position_attention, features.clone(), query.clone(), key.clone(), value.clone(), gamma)
        same_shape(found, features.shape, what)
        mixed = _mixed(features, query, key, value)
        expected = features + gamma * mixed
        if not agrees(found, expected):
            _name(found, _position_mistakes(features, query, key, value, gamma), what)
            close(found, expected, what)


def _mixed(features: Tensor, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    flat = features.flatten(2)
    mixed = explicit_attention(*((matrix @ flat).transpose(1, 2) for matrix in (query, key, value)))  # (B, N, C)
    return mixed.transpose(1, 2).reshape(features.shape)


def _position_mistakes(
    features: Tensor, query: Tensor, key: Tensor, value: Tensor, gamma: float
) -> Mapping[str, Tensor]:
    flat, mixed = features.flatten(2), _mixed(features, query, key, value)
    scores = (query @ flat).transpose(1, 2) @ (key @ flat)  # (B, N, N), row i: position i asks
    offered = value @ flat  # (B, C, N)
    side = scores.reshape(*scores.shape[:2], *features.shape[2:])

    def added(shares: Tensor, values: Tensor = offered) -> Tensor:
        return features + gamma * (values @ shares.transpose(1, 2)).reshape(features.shape)

    unturned = (scores.softmax(2) @ offered.transpose(1, 2)).reshape(features.shape)
    turned = _mixed(features, query, key, value.T)
    return {
        "the softmax runs over the positions that ask; each of them distributes over the others": added(
            scores.softmax(1)
        ),
        "the features themselves are missing: gamma times the mixture is added to them": gamma * mixed,
        "gamma is missing, or 1": features + mixed,
        "gamma multiplies the features instead of the mixture": gamma * features + mixed,
        "gamma multiplies features and mixture": gamma * (features + mixed),
        "the mixture is subtracted, expected added": features - gamma * mixed,
        "the scores are divided by a square root; DANet does not": added((scores / len(query) ** 0.5).softmax(2)),
        "query and key have changed places": added(scores.transpose(1, 2).softmax(2)),
        "(B, N, C) was reshaped to (B, C, H, W) without exchanging the axes, which scatters the values": (
            features + gamma * unturned
        ),
        "the features are mixed, expected the values": added(scores.softmax(2), flat),
        "the value matrix is used transposed: its rows are the channels made": features + gamma * turned,
        "the softmax runs along one row of the map only, expected all positions": added(
            side.softmax(3).reshape(scores.shape)
        ),
        "there is no softmax: scores are no shares": added(scores),
    }


def judge_channel_attention(channel_attention) -> None:
    """4.3: against the package's module, on features small enough that no softmax is all or nothing."""
    random = generator()
    for _ in range(3):
        batch, channels, height, width = (int(one) for one in random.permutation(range(2, 8))[:4])
        channels += 1
        features = torch.randn(batch, channels, height, width) / (height * width) ** 0.25
        module, gamma = ChannelAttention(), float(random.uniform(0.3, 0.8))
        what = f"the output for features of shape {tuple(features.shape)}"
        found = call(channel_attention, features.clone(), gamma)
        same_shape(found, features.shape, what)
        with torch.no_grad():
            expected = module.gamma.fill_(gamma) * (module.attention_map(features) @ features.flatten(2)).reshape(
                features.shape
            )
        expected = features + expected
        if not agrees(found, expected):
            _name(found, _channel_mistakes(features, gamma), what)
            close(found, expected, what)


def _channel_mistakes(features: Tensor, gamma: float) -> Mapping[str, Tensor]:
    flat = features.flatten(2)  # (B, C, N)
    gram = flat @ flat.transpose(1, 2)
    turned = gram.amax(dim=2, keepdim=True) - gram
    places = flat.transpose(1, 2) @ flat  # (B, N, N)

    def mixed(shares: Tensor) -> Tensor:
        return (shares @ flat).reshape(features.shape)

    def of_places(scores: Tensor) -> Tensor:
        return features + gamma * (flat @ scores.softmax(2).transpose(1, 2)).reshape(features.shape)

    right = mixed(turned.softmax(2))
    return {
        "each channel looks at those like itself; the row maximum minus the entry turns that round": (
            features + gamma * mixed(gram.softmax(2))
        ),
        "the softmax runs over the rows; each row, the channel that asks, must sum to 1": (
            features + gamma * mixed(turned.softmax(1))
        ),
        "the maximum is that of each column, expected that of each row": (
            features + gamma * mixed((gram.amax(dim=1, keepdim=True) - gram).softmax(2))
        ),
        "positions are compared, expected channels": of_places(places),
        "positions are compared and turned round, expected channels": of_places(
            places.amax(dim=2, keepdim=True) - places
        ),
        "the features themselves are missing: gamma times the mixture is added to them": gamma * right,
        "gamma is missing, or 1": features + right,
        "gamma multiplies the features instead of the mixture": gamma * features + right,
        "the mixture is subtracted, expected added": features - gamma * right,
        "the Gram matrix is divided by the number of positions; DANet does not": (
            features + gamma * mixed((turned / flat.shape[2]).softmax(2))
        ),
        "there is no softmax: the entries are no shares": features + gamma * mixed(turned),
        "the weights are used transposed: a column holds what others take from a channel": (
            features + gamma * mixed(turned.softmax(2).transpose(1, 2))
        ),
        "the pictures of a batch share one Gram matrix; each has its own": features
        + gamma * mixed((gram.sum(0, keepdim=True).amax(dim=2, keepdim=True) - gram.sum(0, keepdim=True)).softmax(2)),
    }


def _name(found: Tensor, mistakes: Mapping[str, Tensor], what: str) -> None:
    """Say which mistake a wrong output looks like, where it looks like one."""
    for reason, value in mistakes.items():
        expect(not agrees(found, value), f"{what} is not right: {reason}.")
