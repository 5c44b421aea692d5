"""Judges of lesson 3's two faults: a padding that ignores the dilation, and a dilated 1x1 convolution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from jaalnet_core.course.exercises.diagnosing import diagnosed
from jaalnet_core.course.judging import Wrong, agrees, call, close, expect, generator, same_shape

NOT_THE_PADDING = {
    "a": "a resize to `nearest` moves the features just as far, in whole pixels. Why is there anything to resize?",
    "b": "a ReLU works on each value where it stands: it cannot move anything, before a resize or after it.",
    "d": "a dilated kernel does skip pixels, but it skips as many on the left as on the right: the centre of what it "
    "answers stays where it was.",
}
NOT_THE_POINTWISE = {
    "a": "a ReLU does switch places off, but with all weights 1 and a positive input it never does, and the view is "
    "3 pixels wide all the same.",
    "c": "`groups` decides which channels a filter reads, not how far it looks.",
    "d": "a 1x1 kernel never reaches beyond its pixel, so padding it would only add a frame of zeros.",
}


def judge_padding(context_stack, cause) -> None:
    """3.2: the cause, then the stack on random weights, compared with torch's own padding "same"."""
    diagnosed(cause, "c", NOT_THE_PADDING)
    random = generator()
    for count in (1, 2, 3):
        dilations = [int(dilation) for dilation in random.permutation([2, 3, 4])[:count]]
        channels = [int(one) for one in random.integers(2, 6, size=count + 1)]
        height, width = (int(side) for side in random.permutation(range(20, 34))[:2])
        features = torch.randn(2, channels[0], height, width)
        weights = [torch.randn(made, read, 3, 3) / 3 for read, made in pairwise(channels)]
        found = call(context_stack, features.clone(), [weight.clone() for weight in weights], list(dilations))
        _compare_stacks(found, features, weights, dilations)


def _compare_stacks(found, features: Tensor, weights: Sequence[Tensor], dilations: Sequence[int]) -> None:
    expected = _stack(features, weights, dilations, lambda x, w, d: _same(x, w, d).relu())
    what = f"the output for an input of {tuple(features.shape)} and dilations {tuple(dilations)}"
    if getattr(found, "ndim", 0) == 4 and found.shape[:2] == expected.shape[:2]:
        pixels = f"{what} has {found.shape[-2]}x{found.shape[-1]} pixels"
        expect(found.shape[-1] >= expected.shape[-1], f"{pixels}: the map shrinks, its padding is below the dilation.")
        expect(found.shape[-1] <= expected.shape[-1], f"{pixels}: the map grows, its padding is above the dilation.")
    same_shape(found, expected.shape, what)
    if agrees(found, expected, 1e-4):
        return
    for reason, step in _STACK_MISTAKES.items():
        expect(not agrees(found, _stack(features, weights, dilations, step), 1e-4), f"{what} is not right: {reason}.")
    close(found, expected, what, tolerance=1e-4)


Step = Callable[[Tensor, Tensor, int], Tensor]


def _stack(features: Tensor, weights: Sequence[Tensor], dilations: Sequence[int], step: Step) -> Tensor:
    for weight, dilation in zip(weights, dilations, strict=True):
        features = step(features, weight, dilation)
    return features


def _same(features: Tensor, weight: Tensor, dilation: int) -> Tensor:
    return functional.conv2d(features, weight, padding="same", dilation=dilation)


def _resized(padding: int, **how) -> Step:
    def step(features: Tensor, weight: Tensor, dilation: int) -> Tensor:
        made = functional.conv2d(features, weight, padding=padding, dilation=dilation)
        return functional.interpolate(made, size=features.shape[-2:], **how).relu()

    return step


def _padded_afterwards(features: Tensor, weight: Tensor, dilation: int) -> Tensor:
    made = functional.conv2d(features, weight, dilation=dilation)
    return functional.pad(made, (dilation,) * 4).relu()


def _padded_with(mode: str) -> Step:
    def step(features: Tensor, weight: Tensor, dilation: int) -> Tensor:
        return functional.conv2d(functional.pad(features, (dilation,) * 4, mode), weight, dilation=dilation).relu()

    return step


_STACK_MISTAKES: dict[str, Step] = {
    "it is still what the code as found gives, shrunk and stretched back": _resized(1, mode="bilinear"),
    "`nearest` still moves the features, now by whole pixels; nothing should be resized at all": _resized(
        1, mode="nearest"
    ),
    "`align_corners` still stretches a map that has shrunk; do not let it shrink": _resized(
        1, mode="bilinear", align_corners=True
    ),
    "the padding is 2 for every layer; each needs its own dilation": _resized(2, mode="bilinear"),
    "the padding is 3 for every layer; each needs its own dilation": _resized(3, mode="bilinear"),
    "the size is kept because the dilation is gone, and with it the wide view": lambda x, w, d: _same(x, w, 1).relu(),
    "zeros were added after the convolution, so the border holds no features; pad what it reads": _padded_afterwards,
    "the border is padded with copies of pixels, expected zeros as before": _padded_with("replicate"),
    "the border is padded with mirrored pixels, expected zeros as before": _padded_with("reflect"),
    "the ReLU is missing": _same,
}


def judge_pointwise(separable, cause) -> None:
    """3.3: the cause, then the module with random weights, compared with two plain calls of torch."""
    diagnosed(cause, "b", NOT_THE_POINTWISE)
    random = generator()
    for dilation in (None, 2, 3, int(random.integers(4, 6))):
        read, made = (int(one) for one in random.permutation(range(4, 10))[:2])
        height, width = (int(side) for side in random.permutation(range(14, 24))[:2])
        features = torch.randn(2, read, height, width)
        module = call(separable, read, made) if dilation is None else call(separable, read, made, dilation)
        dilation = dilation or 1
        what = f"the output for an input of {tuple(features.shape)} and dilation {dilation}"
        expect(isinstance(module, nn.Module), "the class should still be an nn.Module.")
        found = call(module.eval(), features)
        if getattr(found, "ndim", 0) == 4:
            pixels = f"{what} has {found.shape[-2]}x{found.shape[-1]} pixels"
            expect(found.shape[-1] >= width, f"{pixels}: the map shrinks, the depthwise padding must be the dilation.")
            expect(found.shape[-1] <= width, f"{pixels}: the map grows, there is more padding than the kernels reach.")
        same_shape(found, (2, made, height, width), what)
        _compare_separable(module, features, made, dilation, what)


def _compare_separable(module: nn.Module, features: Tensor, made: int, dilation: int, what: str) -> None:
    read = features.shape[1]
    weights = {tuple(weight.shape): weight for weight in module.parameters() if weight.ndim == 4}
    expect((made, read, 3, 3) not in weights, "the pointwise convolution is 3x3 now: that costs nine times as much.")
    expect((read, read, 3, 3) not in weights, "the depthwise convolution has lost its `groups`: it mixes channels.")
    expected_shapes = {(read, 1, 3, 3), (made, read, 1, 1)}
    if set(weights) != expected_shapes or sum(p.ndim == 4 for p in module.parameters()) != 2:
        raise Wrong(f"its convolutions have weights of {sorted(weights)}, expected one each of {expected_shapes}.")
    randomise(module)
    filters, mixture = weights[read, 1, 3, 3], weights[made, read, 1, 1]

    def reference(spread: int) -> Tensor:
        around = functional.conv2d(features, filters, padding="same", dilation=spread, groups=read)
        return functional.conv2d(around, mixture)

    with torch.no_grad():
        found = call(module, features)
        if agrees(found, reference(dilation).relu(), 1e-4):
            return
        expect(
            not agrees(found, reference(1).relu(), 1e-4),
            f"{what} is still the one for dilation 1: nothing is spread, the view stays 3 pixels wide.",
        )
        for fixed in (2, 3):
            words = f"{what} is the one for dilation {fixed}: use the argument."
            expect(not agrees(found, reference(fixed).relu(), 1e-4), words)
        expect(not agrees(found, reference(dilation), 1e-4), f"{what}: the ReLU is missing.")
        close(found, reference(dilation).relu(), what, tolerance=1e-4)


def randomise(module: nn.Module) -> None:
    """Give all convolutions random weights and no bias, so that a judge can work out what comes of them."""
    with torch.no_grad():
        for name, weight in module.named_parameters():
            if weight.ndim > 1:
                weight.copy_(torch.randn_like(weight) / weight[0].numel() ** 0.5)
            elif name.endswith("bias"):
                weight.zero_()
