"""Answers to exercises 4.4 and 4.5: the gate that multiplies itself, and one summary for all positions."""

from __future__ import annotations

import torch
from exercise_cases import Cases, Fault
from torch import nn

from jaalnet_core.attention import PositionAttention, SpatialGate


def gated(join, last=torch.relu):
    """A block's end that joins features, gate and shortcut by `join`."""

    def answer(features, shortcut, conv):
        average, maximum = features.mean(1, keepdim=True), features.max(dim=1, keepdim=True).values
        gate = torch.sigmoid(conv(torch.cat([average, maximum], dim=1)))
        return last(join(features, gate, shortcut))

    return answer


def multiplied(features, gate, shortcut):
    return features * gate + shortcut


def channel_by_channel(features, shortcut, conv):
    summary = torch.stack([features.sum(dim=1) / features.shape[1], features.amax(dim=1)], dim=1)
    gate = 1 / (1 + torch.exp(-conv(summary)[:, 0]))
    gated_channels = [channel * gate for channel in features.unbind(1)]
    return (torch.stack(gated_channels, dim=1) + shortcut).clamp(min=0)


def over_positions(features, shortcut, conv):
    pooled = torch.stack([features.mean(dim=(2, 3)), features.amax(dim=(2, 3))], dim=1)[..., None]
    return torch.relu(features * torch.sigmoid(conv(pooled))[:, 0, :, :, None] + shortcut)


def minimum_instead(features, shortcut, conv):
    summary = torch.stack([features.mean(dim=1), features.amin(dim=1)], dim=1)
    return torch.relu(features * torch.sigmoid(conv(summary)) + shortcut)


def without_sigmoid(features, shortcut, conv):
    summary = torch.stack([features.mean(dim=1), features.amax(dim=1)], dim=1)
    return torch.relu(features * conv(summary) + shortcut)


def with_the_package(features, shortcut, conv):
    gate = SpatialGate(conv.kernel_size[0])
    gate.conv = conv
    return torch.relu(gate(features) + shortcut)


RIGHT = gated(multiplied)
GATED_RESIDUAL = Cases(
    right={
        "in one line": (RIGHT, "a"),
        "channel by channel": (channel_by_channel, "A"),
        "gate spread over the channels first": (gated(lambda x, g, s: g.expand_as(x).mul(x).add(s)), "a)"),
    },
    wrong={
        "right cause, code as found": Fault((gated(lambda x, g, s: g * g + s), "a"), "still what the code as found"),
        "spread, but still itself": Fault(
            (gated(lambda x, g, s: g.expand_as(x) * g + s), "a"), "still what the code as found"
        ),
        "blames the sigmoid": Fault((RIGHT, "b"), "would let all features through"),
        "blames the summary": Fault((RIGHT, "c"), "must leave the places alone"),
        "blames the ReLU": Fault((RIGHT, "d"), "cuts off sums below 0 only"),
        "added": Fault((gated(lambda x, g, s: x + g + s), "a"), "added to the features, expected multiplied"),
        "gates the shortcut": Fault((gated(lambda x, g, s: x + g * s), "a"), "the gate multiplies the shortcut"),
        "gates both": Fault((gated(lambda x, g, s: g * (x + s)), "a"), "the shortcut should pass ungated"),
        "gate alone": Fault((gated(lambda x, g, s: g + s), "a"), "the gate alone is added"),
        "gated twice": Fault((gated(lambda x, g, s: x * g * g + s), "a"), "by the gate twice"),
        "as in lesson 2": Fault((gated(lambda x, g, s: x * (1 + g) + s), "a"), "lesson 2's contour gates"),
        "no shortcut": Fault((gated(lambda x, g, s: x * g), "a"), "the shortcut is missing"),
        "no gate": Fault((gated(lambda x, g, s: x + s), "a"), "there is no gate left"),
        "no ReLU": Fault((gated(multiplied, last=nn.Identity()), "a"), "ReLU at the end is missing"),
        "no sigmoid": Fault((without_sigmoid, "a"), "the gate lacks its sigmoid"),
        "summary over the positions": Fault((over_positions, "a"), "of the values differ"),
        "minimum in the summary": Fault((minimum_instead, "a"), "of the values differ"),
    },
    own={"the package's gate": (with_the_package, "a")},
)


def softmax_over_all(scores):
    return scores.flatten(1).softmax(1).view_as(scores)


def context(
    shares=softmax_over_all,
    add=lambda features, value, gamma: features + gamma * value,
    start=0.0,
    valued=True,
    key_channels=1,
    gamma=nn.Parameter,
):
    """A class that differs from a right one in one of its parts."""

    class Context(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.score = nn.Conv2d(channels, key_channels, 1, bias=False)
            self.transform = nn.Conv2d(channels, channels, 1)
            self.gamma = gamma(torch.full((1,), start))

        def forward(self, features):
            summary = (shares(self.score(features)) * features).sum(dim=(2, 3), keepdim=True)  # (B, C, 1, 1)
            return add(features, self.transform(summary) if valued else summary, self.gamma)

    return Context


class ValuesFirst(nn.Module):
    """Value at every position first, then their mean; the parts in another order and under other names."""

    def __init__(self, channels):
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros([]))
        self.w_value = nn.Conv2d(channels, channels, kernel_size=1, bias=False)
        self.w_score = nn.Conv2d(channels, 1, kernel_size=1)

    def forward(self, x):
        scores = self.w_score(x).squeeze(1).flatten(1)
        powers = (scores - scores.amax(dim=1, keepdim=True)).exp()
        values = self.w_value(x).flatten(2)
        mean = (values @ powers[..., None]) / powers.sum(dim=1)[:, None, None]  # (B, C, 1)
        return x + (self.gamma * mean)[..., None]


class EachItsOwn(nn.Module):
    """Every position scaled by its own share: no summary at all."""

    def __init__(self, channels):
        super().__init__()
        self.score, self.value = nn.Conv2d(channels, 1, 1), nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return x + self.gamma * self.value(x) * softmax_over_all(self.score(x))


class NoParts(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return x + self.gamma * x.mean(dim=(2, 3), keepdim=True)


class Subclass(PositionAttention):
    pass


SHARES = "shares = torch.softmax(self.key(features).flatten(1), dim="

GLOBAL_CONTEXT = Cases(
    right={"values first": ValuesFirst, "maps throughout": context()},
    wrong={
        "plain mean": Fault(
            context(shares=lambda scores: torch.full_like(scores, 1 / scores[0].numel())), "all positions count alike"
        ),
        "softmax over the channel": Fault(context(shares=lambda scores: scores.softmax(1)), "an axis of length 1"),
        "softmax along rows": Fault(context(shares=lambda scores: scores.softmax(-1)), "each row of the map"),
        "softmax along columns": Fault(context(shares=lambda scores: scores.softmax(-2)), "each column of the map"),
        "no softmax": Fault(context(shares=lambda scores: scores), "scores are no shares"),
        "no value": Fault(context(valued=False), "the value convolution is not used"),
        "a query for each": Fault(context(key_channels=3), "one score a position"),
        "no convolution": Fault(NoParts, "the weights of its convolutions"),
        "each its own": Fault(EachItsOwn, "differs from place to place"),
        "features missing": Fault(context(add=lambda x, value, g: g * value + 0 * x), "is 0: the features themselves"),
        "gamma from 1": Fault(context(start=1.0), "gamma must start at 0"),
        "gamma no parameter": Fault(context(gamma=lambda value: value), "with the name gamma"),
        "gamma detached": Fault(context(add=lambda x, value, g: x + g.item() * value), "gamma gets no gradient"),
        "gamma on both": Fault(context(add=lambda x, value, g: g * (x + value)), "the features themselves"),
    },
    own={"subclass": Subclass, "the package's": PositionAttention},
    equivalent={f"{SHARES}-1)  ->  {SHARES}1)": "the scores of a picture are (B, N) here: axis 1 is the last"},
)
