"""Judges of lesson 3's blocks of one's own: a DDSConv taken apart once more, and a residual dense block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from jaalnet_core.course.exercises.lesson03_dilation import randomise
from jaalnet_core.course.judging import Wrong, agrees, call, close, expect, generator, same_shape

Shape = tuple[int, ...]


def judge_cross(cross_dds_conv) -> None:
    """3.4: shapes of output and weights, the numbers with random weights, and both normalisations."""
    random = generator()
    for kernel_size, dilation in ((3, 1), (5, 1), (3, int(random.integers(2, 4))), (5, 2), (None, None)):
        read, made = (int(one) for one in random.permutation(range(4, 10))[:2])
        features = torch.randn(2, read, *(int(side) for side in random.permutation(range(13, 22))[:2]))
        options = {"kernel_size": kernel_size, "dilation": dilation} if kernel_size else {}
        kernel_size, dilation = kernel_size or 3, dilation or 1
        module = call(cross_dds_conv, read, made, **options)
        expect(isinstance(module, nn.Module), "the class should be an nn.Module.")
        what = f"the output for an input of {tuple(features.shape)}, kernel_size {kernel_size}, dilation {dilation},"
        found = call(module, features)
        reach = dilation * (kernel_size - 1) // 2
        if getattr(found, "ndim", 0) == 4 and found.shape[2:] != features.shape[2:]:
            raise Wrong(
                f"{what} has {found.shape[-2]}x{found.shape[-1]} pixels: the row reaches {reach} pixels to the left "
                "and right, the column as many up and down; pad each along its own direction only."
            )
        same_shape(found, (2, made, *features.shape[2:]), what)
        _compare_cross(module, features, _cross_weights(module, read, made, kernel_size), dilation, what)
        _expect_norms(module, features, (made, read, 1, 1))


def _cross_weights(module: nn.Module, read: int, made: int, kernel_size: int) -> list[Tensor]:
    """Row, column and mixture, told apart by their shapes."""
    weights = {tuple(weight.shape): weight for weight in module.parameters() if weight.ndim == 4}
    k = kernel_size
    expect(not {(read, 1, k, k), (made, read, k, k)} & set(weights), f"there is still a square kernel of {k}x{k}.")
    expect(
        not {(read, read, 1, k), (read, read, k, 1)} & set(weights),
        "row or column mixes the channels: `groups=in_channels` is missing.",
    )
    names = {"row": (read, 1, 1, k), "column": (read, 1, k, 1), "mixture": (made, read, 1, 1)}
    for name, shape in names.items():
        expect(
            shape in weights,
            f"there is no {name}: its weights would have the shape {shape}, the found ones are {sorted(weights)}.",
        )
    extra = sorted(set(weights) - set(names.values()))
    count = sum(weight.ndim == 4 for weight in module.parameters())
    expect(count == 3, f"it has {count} convolutions, expected three: row, column and mixture. {extra or ''}".rstrip())
    return [weights[shape] for shape in names.values()]


def _compare_cross(module: nn.Module, features: Tensor, weights: list[Tensor], dilation: int, what: str) -> None:
    randomise(module)
    row, column, mixture = (weight.detach() for weight in weights)

    def around(across: int, down: int) -> Tensor:
        once = functional.conv2d(features, row, padding="same", dilation=(1, across), groups=len(row))
        return functional.conv2d(once, column, padding="same", dilation=(down, 1), groups=len(row))

    looked = around(dilation, dilation)
    expected = functional.conv2d(looked, mixture).relu()
    with torch.no_grad():
        found = call(fresh_norms(module).eval(), features)
    if agrees(found, expected, 1e-4):
        return
    narrow = around(1, 1), around(1, dilation), around(dilation, 1)
    mistakes = {
        "the ReLU at the end is missing": functional.conv2d(looked, mixture),
        "there is a ReLU before the mixture; the only one comes at the very end": functional.conv2d(
            looked.relu(), mixture
        ).relu(),
        "the dilation has no effect": functional.conv2d(narrow[0], mixture).relu(),
        "the row is not dilated": functional.conv2d(narrow[1], mixture).relu(),
        "the column is not dilated": functional.conv2d(narrow[2], mixture).relu(),
    }
    for reason, value in mistakes.items():
        expect(not agrees(found, value, 1e-4), f"{what} is not right: {reason}.")
    close(found, expected, what, tolerance=1e-4)


def _expect_norms(module: nn.Module, features: Tensor, mixture: Shape) -> None:
    """In training mode a normalised map does not change when what comes before it is scaled.

    That holds up to the normalisation's epsilon, so no filter may happen to be so weak that epsilon counts.
    """
    module.train()
    with torch.no_grad():
        for weight in module.parameters():
            if weight.ndim == 4:
                weight /= weight.flatten(1).norm(dim=1)[:, None, None, None]
        before = call(module, features)
        scaled = features.clone()
        scaled[:, 0] *= 7
        expect(
            agrees(call(module, scaled), before, 1e-3),
            "the mixture reads maps that are not normalised: one input channel times 7 changes the output in training.",
        )
        for weight in module.parameters():
            if tuple(weight.shape) == mixture:
                weight *= 7
        expect(
            agrees(call(module, features), before, 1e-3),
            "the mixture's output is not normalised: its weights times 7 change the output in training.",
        )


def judge_residual_dense(residual_dense_block) -> None:
    """3.5: the identity at first, the books of the channels, then the numbers with weights that forget the order."""
    random = generator()
    for count in (None, 1, 2, 4):
        channels, growth_rate = (int(one) for one in random.permutation(range(3, 9))[:2])
        dilations = tuple(int(one) for one in random.integers(1, 4, size=count)) if count else (1, 2, 3)
        options = {"dilations": dilations} if count else {}
        module = call(residual_dense_block, channels, growth_rate, **options)
        expect(isinstance(module, nn.Module), "the class should be an nn.Module.")
        features = torch.randn(2, channels, *(int(side) for side in random.permutation(range(14, 22))[:2]))
        what = f"the output for an input of {tuple(features.shape)}"
        _expect_identity(call(module, features.clone()), features, what)
        layers = _books(module, channels, growth_rate, len(dilations))
        _compare_dense(module, features, layers, dilations, f"{what} and dilations {dilations}")


def _expect_identity(found, features: Tensor, what: str) -> None:
    same_shape(found, features.shape, what)
    if agrees(found, features):
        return
    mistakes = {
        "it is relu(input): nothing may follow the sum, or negative features are lost": features.relu(),
        "it is 0 everywhere: the shortcut, which adds the input, is missing": torch.zeros_like(features),
        "it is twice the input: it is added once, at the end": 2 * features,
    }
    for reason, value in mistakes.items():
        expect(not agrees(found, value), f"{what}, straight after making the block, is not that input: {reason}.")
    raise Wrong(
        f"{what}, straight after making the block, is not that input: the weight of the 1x1 convolution at the end "
        "must start at 0, and so must its bias if it has one."
    )


def _books(module: nn.Module, channels: int, growth_rate: int, count: int) -> list[tuple[Tensor, Tensor]]:
    """Depthwise and pointwise weight of each layer, then those of the transition, told apart by their shapes."""
    reads = [channels + k * growth_rate for k in range(count + 1)]
    shapes = [shape for read in reads[:-1] for shape in ((read, 1, 3, 3), (growth_rate, read, 1, 1))]
    last = (channels, reads[-1], 1, 1)
    weights = {tuple(weight.shape): weight for weight in module.parameters() if weight.ndim == 4}
    found = Counter(tuple(weight.shape) for weight in module.parameters() if weight.ndim == 4)
    books = f"with {channels} channels, growth rate {growth_rate} and {count} layers"
    if last not in found:
        reading = sorted({shape[1] for shape in found if shape[0] == channels and shape[2:] == (1, 1)} - {channels})
        seen = f", found one that reads {', '.join(map(str, reading))}" if reading else ""
        raise Wrong(f"{books}, the 1x1 convolution at the end reads all {reads[-1]} channels{seen}.")
    for k, read in enumerate(reads[:-1]):
        expect(
            (read, 1, 3, 3) in found,
            f"{books}, layer {k + 1} reads {read} channels, the input's and those of all earlier layers; the depthwise "
            f"convolutions found read {sorted(shape[0] for shape in found if shape[1:] == (1, 3, 3))}.",
        )
        expect((growth_rate, read, 1, 1) in found, f"{books}, layer {k + 1} makes {growth_rate} channels.")
    extra = found - Counter([*shapes, last])
    expect(not extra, f"{books}, there are weights beyond the layers' and the transition's: {sorted(extra)}.")
    return [(weights[read, 1, 3, 3], weights[growth_rate, read, 1, 1]) for read in reads[:-1]] + [
        (weights[last], weights[last])
    ]


def _compare_dense(
    module: nn.Module, features: Tensor, layers: list[tuple[Tensor, Tensor]], dilations: Sequence[int], what: str
) -> None:
    randomise(module)
    with torch.no_grad():  # the same pattern for all channels a layer reads: then their order does not matter
        for depthwise, pointwise in layers[:-1]:
            depthwise.copy_(torch.randn(1, 1, 3, 3) * 0.6)
            pointwise.copy_(torch.randn(len(pointwise), 1, 1, 1) / pointwise.shape[1] ** 0.5)
        transition = layers[-1][0]
        transition.copy_(torch.randn(len(transition), 1, 1, 1) / transition.shape[1] ** 0.5)
        transition[:2] = transition[:2].abs() * torch.tensor([-1.0, 1.0])[:, None, None, None]  # both signs
        found = call(fresh_norms(module).eval(), features.clone())

    def reference(spread: Sequence[int]) -> Tensor:
        everything = features
        for (depthwise, pointwise), dilation in zip(layers[:-1], spread, strict=True):
            around = functional.conv2d(
                everything, depthwise, padding="same", dilation=dilation, groups=everything.shape[1]
            )
            everything = torch.cat([everything, functional.conv2d(around, pointwise).relu()], dim=1)
        return functional.conv2d(everything, layers[-1][0])

    change = reference(dilations).detach()
    if agrees(found, features + change, 1e-3):
        return
    mistakes = {
        "the shortcut, which adds the input, is missing": change,
        "there is a ReLU after the sum, and negative features are lost": (features + change).relu(),
        "there is a ReLU after the 1x1 convolution: the block could then only ever add": features + change.relu(),
        "the dilations have no effect": features + reference([1] * len(dilations)).detach(),
        "the dilations are used from last to first": features + reference(list(dilations)[::-1]).detach(),
    }
    for reason, value in mistakes.items():
        expect(not agrees(found, value, 1e-3), f"{what} is not right: {reason}.")
    close(found, features + change, what, tolerance=1e-3)


def fresh_norms(module: nn.Module) -> nn.Module:
    """Forget what batch normalisation has seen: then it changes nothing in evaluation mode."""
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.reset_running_stats()
    return module
