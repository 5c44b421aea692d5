"""Judge of exercise 5.3: levels joined at full size, for a small part of the arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from jaalnet_core.course.exercises.diagnosing import letter_of
from jaalnet_core.course.judging import attempted, call, expect, generator, same_shape

CAUSE = "c"
WIDE_LAYERS = 5  # of the faulty block
FRACTION = 30  # the mended block may cost one part in so many


def judge_fusion(answer: Callable[..., Any], cause: Any) -> None:
    """Same shapes, every channel of every level heard, pixel by pixel, at a thirtieth of the cost; and why."""
    attempted(cause)
    shapes = generator()
    channels = [int(n) for n in shapes.integers(60, 80, 3)]
    reached = [torch.zeros(count) for count in channels]
    for trial in range(3):
        out_channels = int(shapes.integers(12, 17))
        height, width = (16 * int(n) for n in shapes.integers(3, 5, 2))
        levels = [torch.randn(2, count, height >> i, width >> i) for i, count in enumerate(channels)]
        block = call(answer, list(channels), out_channels)
        expect(isinstance(block, nn.Module), "your class is no torch module: it must subclass nn.Module.")
        block.eval()
        out, spent = _counted(block, levels)
        same_shape(out, (2, out_channels, height, width), f"the result for levels of {channels} channels")
        _affordable(spent, channels, out_channels, 2 * height * width)
        if not trial:
            _to_the_pixel(block, levels)
        reached = [old + new for old, new in zip(reached, _heard(block, levels), strict=True)]
    for place, one in enumerate(reached):
        deaf = int((one == 0).sum())
        expect(
            not deaf,
            f"level {place} has channels that change nothing in the result: {deaf} of {len(one)}. Nothing "
            "may be left out; narrow a level by a 1x1 convolution, which reads all of its channels.",
        )
    said = letter_of(cause)
    expect(
        said == CAUSE,
        f"the block is mended, but the cause is not {cause!r}. Count the multiplications of one convolution before and "
        "after your mend: which factor has shrunk most?",
    )


def _counted(block: nn.Module, levels: list[Tensor]) -> tuple[Any, int]:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        out = call(block, [level.clone() for level in levels])
    return out, counter.get_total_flops()


def _affordable(spent: int, channels: Sequence[int], out_channels: int, pixels: int) -> None:
    wide = sum(channels)
    before = 2 * pixels * 9 * (WIDE_LAYERS * wide * wide + wide * out_channels)
    expect(
        spent <= before / FRACTION,
        f"for levels of {list(channels)} channels your block needs {100 * spent / before:.1f} percent of what the "
        f"found one needs, expected at most {100 / FRACTION:.1f}. It still computes with many channels at full size: "
        f"narrow each level to {out_channels} channels before the 3x3 convolutions.",
    )


def _to_the_pixel(block: nn.Module, levels: list[Tensor]) -> None:
    """Which pixels of the finest level four neighbouring pixels of the result depend on: each a step further."""
    seen = []
    for step in range(4):
        watched = levels[0][:1].clone().requires_grad_()
        out = call(block, [watched, *(level[:1] for level in levels[1:])])
        row, column = out.shape[-2] // 2, out.shape[-1] // 2 + step
        (out[..., row, column] * torch.randn(out.shape[1])).sum().backward()
        grad = torch.zeros_like(watched) if watched.grad is None else watched.grad
        seen.append((grad.abs().sum(dim=(0, 1)) > 0).nonzero())
    expect(all(map(len, seen)), "level 0, the finest, changes nothing in the result: every level must be heard.")
    edges = [pixels.amin(dim=0) for pixels in seen], [pixels.amax(dim=0) for pixels in seen]
    step = torch.tensor([0, 1])
    expect(
        all(torch.equal(after - before, step) for edge in edges for before, after in pairwise(edge)),
        "the finest level's detail is lost: from one pixel of the result to its neighbour, what it sees of that level "
        "does not move by one pixel. Do not pool it, or compute at a coarser size and enlarge the result.",
    )
    here = torch.tensor([levels[0].shape[-2] // 2, levels[0].shape[-1] // 2])
    expect(
        torch.equal(here - edges[0][0], edges[1][0] - here),
        f"the finest level is shifted: the pixel {tuple(here.tolist())} of the result sees rows and columns from "
        f"{tuple(edges[0][0].tolist())} to {tuple(edges[1][0].tolist())}. Odd kernels with padding (kernel_size - 1) / "
        "2 keep every pixel in its place.",
    )
    expect(
        len(seen[0]) >= 9,
        f"a pixel of the result sees {len(seen[0])} pixel of the finest level, expected at least its 3 x 3 neighbours: "
        "keep a 3x3 convolution at full size.",
    )


def _heard(block: nn.Module, levels: list[Tensor]) -> list[Tensor]:
    """Per level, how much each channel moves the result: `(C_i,)`."""
    watched = [level.clone().requires_grad_() for level in levels]
    out = call(block, watched)
    (out * torch.randn_like(out)).sum().backward()
    grads = [torch.zeros_like(level) if level.grad is None else level.grad for level in watched]
    return [grad.abs().sum(dim=(0, 2, 3)) for grad in grads]
