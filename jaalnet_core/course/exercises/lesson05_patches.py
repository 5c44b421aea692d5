"""Judge of exercise 5.4: a discriminator with one logit for 8 x 8 pixels, each seeing 70 x 70."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from jaalnet_core.course.judging import Wrong, call, expect, generator, same_shape

STEP = 8
VIEW = 70
_SIDE = 21 * STEP  # of the picture on which the view is measured: wide enough for twice the view


def judge_patches(answer: Callable[..., Any]) -> None:
    """Shapes, logits of both signs and any size, all four channels heard, a view of exactly 70 x 70."""
    shapes = generator()
    low, high = 0.0, 0.0
    views: list[tuple[int, int]] = []
    for trial in range(4):
        network = call(answer, int(shapes.integers(8, 13)))
        expect(isinstance(network, nn.Module), "your class is no torch module: it must subclass nn.Module.")
        network.eval()
        batch, rows, columns = int(shapes.integers(1, 4)), *(int(n) for n in shapes.integers(12, 16, 2))
        pairs = torch.randn(batch, 4, STEP * rows, STEP * columns)
        with torch.no_grad():
            out = call(network, pairs)
            same_shape(out, (batch, 1, rows, columns), f"the result for pairs of shape {tuple(pairs.shape)}")
            loud = call(network, 1e4 * pairs)
            low, high = min(low, loud.min().item()), max(high, loud.max().item())
            _hears_all(network, pairs[:1])
            if trial < 2:
                views.append((_view(network, axis=-1), _view(network, axis=-2)))
    expect(
        low < 0 < high and high - low > 2.5,
        f"your results lie between {low:.3g} and {high:.3g}, however large the input: a sigmoid, tanh or ReLU stands "
        "at the end. Return logits, any real numbers.",
    )
    wide, tall = max(view[0] for view in views), max(view[1] for view in views)
    _right_view(wide, tall)


def _hears_all(network: nn.Module, pairs: Tensor) -> None:
    before = call(network, pairs)
    for channel, name in enumerate(("red", "green", "blue", "mask")):
        changed = pairs.clone()
        changed[:, channel] = 3 * torch.randn_like(changed[:, channel])
        expect(
            not torch.equal(call(network, changed), before),
            f"another {name} channel changes nothing: a pair has 4 channels, photograph and mask, and all count.",
        )


def _view(network: nn.Module, axis: int) -> int:
    """Pixels along an axis that a logit depends on, found by changing whole lines of a picture, one at a time.

    The lines are eight neighbours, so every distance between a line and a logit occurs.
    """
    network = copy.deepcopy(network).double()  # in 32 bits rounding alone would look like a faint view
    plain = torch.randn(1, 4, _SIDE, _SIDE, dtype=torch.float64)
    first = _SIDE // 2 - STEP // 2
    changed = plain.repeat(STEP, 1, 1, 1)
    for place in range(STEP):
        line = changed[place].select(axis, first + place)
        line.copy_(10 * torch.randn_like(line))
    before, after = call(network, plain), call(network, changed)
    differs = (after - before).abs() > 1e-11 * before.abs().max()
    along = differs.any(dim=-2 if axis == -1 else -1)[:, 0]  # (8, logits): which of them notice the line
    distances = [first + int(place) - STEP * int(logit) for place, logit in along.nonzero()]
    return max(distances) - min(distances) + 1 if distances else 0


def _right_view(wide: int, tall: int) -> None:
    if (tall, wide) == (VIEW, VIEW):
        return
    if min(wide, tall) >= _SIDE - STEP:
        raise Wrong(
            f"a logit of yours depends on the whole picture, expected {VIEW} x {VIEW} pixels: leave out attention, "
            "pooling over the picture, and norms that average over it."
        )
    missing = VIEW - (wide if wide != VIEW else tall)
    raise Wrong(
        f"a logit of yours sees {tall} x {wide} pixels (height x width), expected {VIEW} x {VIEW}: "
        f"{abs(missing)} too {'few' if missing > 0 else 'many'}. Each layer adds (kernel_size - 1) * dilation * the "
        "product of the strides before it."
    )
