"""Judges of lesson 2 about gates: one for all channels, and one for each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from jaalnet_core.course.judging import Wrong, agrees, call, close, expect, generator, same_shape


def judge_open_gate(open_gate: Callable[[Tensor, Tensor], Tensor]) -> None:
    """2.1: a stream and its gate's logits."""
    draw = generator()
    for _ in range(4):
        batch, channels, height, width = (int(n) for n in draw.choice(np.arange(2, 9), 4, replace=False))
        stream, logits = torch.randn(batch, channels, height, width), 3 * torch.randn(batch, 1, height, width)
        found = call(open_gate, stream.clone(), logits.clone())
        a = logits.sigmoid()
        what = f"the output for a stream of {tuple(stream.shape)} and logits of {tuple(logits.shape)}"
        same_shape(found, stream.shape, what)
        mistakes = {
            "that is stream * a. A shut gate would erase the stream; multiply by 1 + a.": stream * a,
            "the logits went in as they are: the gate is their sigmoid.": stream * (1 + logits),
            "that is 1 + stream * a: the sum 1 + a comes first, so it needs brackets.": 1 + stream * a,
            "that is stream + a: the gate multiplies.": stream + a,
            "that is stream + 1 + a: the gate multiplies.": stream + 1 + a,
            "the stream gates itself there: the gate is the sigmoid of the logits.": stream * (1 + stream.sigmoid()),
            "the sigmoid is taken of 1 + logits; take it first.": stream * (1 + logits).sigmoid(),
            "the gate is upside down: large logits should open it.": stream * (2 - a),
        }
        for words, value in mistakes.items():
            if agrees(found, value):
                raise Wrong(f"{what} is wrong: {words}")
        close(found, stream * (1 + a), what)


def judge_channel_gates(channel_gates: Callable[[int], nn.Module]) -> None:
    """2.5: a gate for each channel."""
    draw = generator()
    for channels in draw.choice(np.arange(3, 8), 3, replace=False).tolist():
        gates = call(channel_gates, channels)
        expect(isinstance(gates, nn.Module), f"a {type(gates).__name__} was made, expected an nn.Module.")
        gates.eval()
        batch, height, width = (int(n) for n in draw.integers(2, 6, 3))
        stream = torch.randn(batch, channels, height, width).abs() + 0.5
        side = torch.randn(batch, 1, height, width)
        _judge_opening(gates, stream, side)
        _judge_neighbours(gates, stream, side)
        _judge_layers(gates, stream, side)


def _opening(gates: nn.Module, stream: Tensor, side: Tensor) -> Tensor:
    """The gate `a` that a module's output shows."""
    found = call(gates, stream.clone(), side.clone())
    same_shape(
        found, stream.shape, f"the output for a stream of {tuple(stream.shape)} and a side of {tuple(side.shape)}"
    )
    return (found / stream - 1).detach()


@torch.no_grad()
def _judge_opening(gates: nn.Module, stream: Tensor, side: Tensor) -> None:
    a = _opening(gates, stream, side)
    expect(
        not bool((a < -1e-4).all()) or bool((a < -1).any()),
        "every value of the stream came out smaller: that is stream * a. Multiply by 1 + a, so that a shut gate lets "
        "pass.",
    )
    expect(
        bool((a > -1e-4).all()) and bool((a < 1 + 1e-4).all()),
        f"the stream was multiplied by numbers from {float(a.min()) + 1:.2f} to {float(a.max()) + 1:.2f}, expected 1 "
        "to 2: a is a sigmoid, and nothing comes after stream * (1 + a).",
    )
    expect(
        not agrees(a, a[:, :1].expand_as(a), 1e-4),
        "all channels of a pixel have the same gate: the last convolution must give `channels` numbers, not one.",
    )
    for name, other in (("side", (stream, side + 1)), ("stream", (stream.roll(1, 0) + 0.3, side))):
        expect(not agrees(_opening(gates, *other), a, 1e-6), f"the gate does not depend on the {name}: stack both.")
    within = (a - a.mean((2, 3), keepdim=True)).abs().max() > 1e-6
    expect(within, "the gate is the same at every pixel of a picture: no pooling, 1x1 convolutions only.")


@torch.no_grad()
def _judge_neighbours(gates: nn.Module, stream: Tensor, side: Tensor) -> None:
    """A pixel's gate depends on that pixel, all of its channels, and on no other."""
    a = _opening(gates, stream, side)
    changed = stream.clone(), side.clone()
    changed[0][0, :, 0, 0] += 1
    changed[1][0, :, 0, 0] -= 2
    difference = (_opening(gates, *changed) - a).abs().amax(1)
    difference[0, 0, 0] = 0
    expect(
        float(difference.max()) < 1e-5,
        "one pixel of the input was changed, and the gate of another pixel changed as well: the kernels must be 1x1, "
        "without normalisation over the picture.",
    )


@torch.no_grad()
def _judge_layers(gates: nn.Module, stream: Tensor, side: Tensor) -> None:
    """The two convolutions, found by their sizes, give the same gate when they are applied by hand."""
    channels = stream.shape[1]
    by_size = {parameter.numel(): parameter for parameter in gates.parameters()}
    wide, narrow = by_size.get((channels + 1) ** 2), by_size.get((channels + 1) * channels)
    counts = sorted(parameter.numel() for parameter in gates.parameters())
    if wide is None or narrow is None:
        raise Wrong(
            f"with {channels} channels the learned tensors hold {counts} numbers, expected one of "
            f"{(channels + 1) ** 2} (a 1x1 convolution from {channels + 1} to {channels + 1} channels) and one of "
            f"{(channels + 1) * channels} (from {channels + 1} to {channels}), biases aside."
        )
    expect(
        set(counts) <= {(channels + 1) ** 2, (channels + 1) * channels, channels + 1, channels} and len(counts) <= 4,
        f"the learned tensors hold {counts} numbers: there is more than the two convolutions and their biases.",
    )
    biases = by_size.get(channels + 1, torch.zeros(1)), by_size.get(channels, torch.zeros(1))

    def by_hand(joined: Tensor, middle: Callable[[Tensor], Tensor]) -> Tensor:
        rows = joined.movedim(1, -1)  # (B, H, W, C + 1)
        hidden = middle(rows @ wide.reshape(channels + 1, -1).T + biases[0])
        return torch.sigmoid(hidden @ narrow.reshape(channels, -1).T + biases[1]).movedim(-1, 1)

    found, joined = _opening(gates, stream, side), torch.cat([stream, side], 1)
    other_order = torch.cat([side, stream], 1)
    mistakes = {
        "the side logits were stacked before the stream: [stream, side].": by_hand(other_order, torch.relu),
        "there is no ReLU between the two convolutions: together they are a single one.": by_hand(joined, lambda x: x),
        "there is a sigmoid between the two convolutions, expected a ReLU.": by_hand(joined, torch.sigmoid),
    }
    right = by_hand(joined, torch.relu)
    for words, value in mistakes.items():
        if agrees(found, value, 1e-4) and not agrees(right, value, 1e-4):
            raise Wrong(f"your gate is another function of its weights than expected: {words}")
    close(found, right, "the gate, worked out by hand from your weights", 1e-4)
