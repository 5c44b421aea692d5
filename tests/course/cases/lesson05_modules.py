"""Answers to the exercises of lesson 5 that are modules: a fusion at full size, a judge of patches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from exercise_cases import Cases, Fault
from torch import Tensor, nn
from torch.nn import functional

from jaalnet_core.attention import PositionAttention
from jaalnet_core.blocks import ConvNormAct
from jaalnet_core.da_net import DANet


def convolutions(channels: Sequence[int], kernel_size: int = 3, groups: int = 1) -> list[nn.Module]:
    """Convolutions that keep the size, a ReLU between them."""
    layers: list[nn.Module] = []
    for before, after in pairwise(channels):
        layers += [nn.Conv2d(before, after, kernel_size, padding=kernel_size // 2, groups=groups), nn.ReLU()]
    return layers[:-1]


def enlarged(levels: Sequence[Tensor], size: Sequence[int]) -> Tensor:
    return torch.cat([functional.interpolate(level, size=tuple(size)) for level in levels], dim=1)


class Fusion(nn.Module):
    """Enlarges and joins, then mixes by the layers given; `keep` channels of each level, all by default."""

    def __init__(self, mix: Sequence[nn.Module], keep: int | None = None, factor: int = 1, heard: int = 3) -> None:
        super().__init__()
        self.mix, self.keep, self.factor, self.heard = nn.Sequential(*mix), keep, factor, heard

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        size = levels[0].shape[-2:]
        levels = [level[:, : self.keep] if i < self.heard else 0 * level for i, level in enumerate(levels)]
        joined = enlarged(levels, [side // self.factor for side in size])
        return functional.interpolate(self.mix(joined), size=size)


def found(channels: list[int], out_channels: int) -> nn.Module:
    wide = sum(channels)
    return Fusion(convolutions([*[wide] * 6, out_channels]))


def narrow_after_joining(channels: list[int], out_channels: int) -> nn.Module:
    first = [nn.Conv2d(sum(channels), out_channels, 1), nn.BatchNorm2d(out_channels), nn.ReLU()]
    return Fusion([*first, *convolutions([out_channels] * 3)])


class StepByStep(nn.Module):
    """From the coarsest level up: narrow, double by a transposed convolution, add the next."""

    def __init__(self, channels: list[int], out_channels: int) -> None:
        super().__init__()
        self.narrow = nn.ModuleList(nn.Conv2d(count, out_channels, 1) for count in channels)
        self.deconvs = nn.ModuleList(nn.ConvTranspose2d(out_channels, out_channels, 2, 2) for _ in channels[1:])
        self.last = nn.Conv2d(out_channels, out_channels, 3, padding=1)

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        features = self.narrow[-1](levels[-1])
        for narrow, double, level in zip(
            reversed(self.narrow[:-1]), reversed(self.deconvs), reversed(levels[:-1]), strict=True
        ):
            features = double(features) + narrow(level)
        return self.last(torch.relu(features))


def separable_of_all(channels: list[int], out_channels: int) -> nn.Module:
    wide = sum(channels)
    layers: list[nn.Module] = []
    for _ in range(5):
        layers += [nn.Conv2d(wide, wide, 3, padding=1, groups=wide), nn.Conv2d(wide, wide, 1), nn.ReLU()]
    return Fusion([*layers, nn.Conv2d(wide, out_channels, 3, padding=1)])


def few_channels_of_each(channels: list[int], out_channels: int) -> nn.Module:
    return Fusion(convolutions([len(channels) * out_channels, out_channels, out_channels]), keep=out_channels)


def at_quarter_size(channels: list[int], out_channels: int) -> nn.Module:
    return Fusion(convolutions([sum(channels), out_channels, out_channels]), factor=4)


def without_neighbours(channels: list[int], out_channels: int) -> nn.Module:
    return Fusion(convolutions([sum(channels), out_channels, out_channels], kernel_size=1))


def finest_only(channels: list[int], out_channels: int) -> nn.Module:
    return Fusion([nn.Conv2d(sum(channels), out_channels, 1), *convolutions([out_channels] * 2)], heard=1)


def one_channel_out(channels: list[int], out_channels: int) -> nn.Module:
    return Fusion([nn.Conv2d(sum(channels), 4, 1), nn.Conv2d(4, 1, 3, padding=1)])


def by_package(channels: list[int], out_channels: int) -> nn.Module:
    return Fusion([ConvNormAct(sum(channels), out_channels, 1), *convolutions([out_channels] * 2)])


def shifted(channels: list[int], out_channels: int) -> nn.Module:
    """A 2x2 convolution makes the maps one smaller; the enlarging hides it."""
    return Fusion([nn.Conv2d(sum(channels), out_channels, 2), *convolutions([out_channels] * 2)])


LAYERS = "layers += [nn.Conv2d(out_channels, out_channels, 3, padding=1), nn.ReLU()]"
LAST = "nn.Conv2d(out_channels, out_channels, 3, padding=1)"
MIX = "self.mix = nn.Sequential"
NARROWED = "narrowed = [narrow(level) for narrow, level in zip(self.narrow, levels"

FUSION = Cases(
    right={
        "one 1x1 convolution behind the joining": (narrow_after_joining, "c"),
        "doubled step by step": (StepByStep, "C)"),
    },
    wrong={
        "as it was found": Fault((found, "c"), "your block needs 100.0 percent"),
        "separable, but of all channels": Fault((separable_of_all, "c"), "still computes with many channels"),
        "drops channels": Fault((few_channels_of_each, "c"), "channels that change nothing"),
        "hears the finest level only": Fault((finest_only, "c"), "level 1 has channels"),
        "computes at a quarter of the size": Fault((at_quarter_size, "c"), "finest level's detail is lost"),
        "no 3x3 convolution left": Fault((without_neighbours, "c"), "sees 1 pixel of the finest"),
        "a kernel of 2, hidden by resizing": Fault((shifted, "c"), "the finest level is shifted"),
        "another result": Fault((one_channel_out, "c"), "has shape (2, 1,"),
        "mended, another cause": Fault((narrow_after_joining, "a"), "but the cause is not 'a'"),
    },
    own={"the package's convolution": (by_package, "c")},
    equivalent={
        f"{LAYERS}  ->  pass": "one 3x3 convolution at full size is enough",
        f"{MIX}(*layers, {LAST})  ->  {MIX}({LAST}, *layers)": "the order is free",
        "for _ in range(5):  ->  for _ in range(6):": "how many narrow convolutions is free",
        "for _ in range(5):  ->  for _ in range(4):": "how many narrow convolutions is free",
        "size = levels[0].shape[-2:]  ->  size = levels[0].shape[2:]": "the same two of four axes",
        f"{NARROWED}, strict=True)]  ->  {NARROWED})]": "there are as many levels as convolutions",
        f"{NARROWED}, strict=True)]  ->  {NARROWED}, strict=False)]": "there are as many levels as convolutions",
    },
)


class Patches(nn.Module):
    """Layers one after another, and perhaps fewer channels, or something at the end."""

    def __init__(
        self, layers: Sequence[nn.Module], end: Callable[[Tensor], Tensor] = lambda logits: logits, channels: int = 4
    ) -> None:
        super().__init__()
        self.layers, self.end, self.channels = nn.Sequential(*layers), end, channels

    def forward(self, pairs: Tensor) -> Tensor:
        return self.end(self.layers(pairs[:, : self.channels]))


def halving(width: int, first: int = 4, times: int = 3) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for before, after in zip([first, *[width] * times], [width] * times, strict=False):
        layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
    return layers


def threes(width: int, times: int = 3) -> list[nn.Module]:
    return convolutions([*[width] * times, 1])


def five_and_three(width: int) -> nn.Module:
    """22 pixels, then 4 * 8 and 2 * 8."""
    norm = [nn.Conv2d(width, width, 5, padding=2, bias=False), nn.BatchNorm2d(width), nn.LeakyReLU(0.2)]
    return Patches([*halving(width), *norm, nn.Conv2d(width, 1, 3, padding=1)])


def dilated(width: int) -> nn.Module:
    """22 pixels, then 2 * 2 * 8 and 2 * 8."""
    wide = nn.Conv2d(width, width, 3, padding=2, dilation=2)
    return Patches([*halving(width), wide, nn.ELU(), nn.Conv2d(width, 1, 3, padding=1)])


def pooled(width: int) -> nn.Module:
    """3x3 and pooling by 2, three times: 1 + 2 + 1 + 4 + 2 + 8 + 4 = 22; then as above."""
    layers: list[nn.Module] = []
    for before in (4, width, width):
        layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return Patches([*layers, *threes(width)])


class ByHand(nn.Module):
    """Picture and mask read apart at first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.photograph, self.mask = nn.Conv2d(3, width, 4, 2, 1), nn.Conv2d(1, width, 4, 2, 1)
        self.rest = nn.Sequential(nn.LeakyReLU(0.2), *halving(width, 2 * width, 2), *threes(width))

    def forward(self, pairs: Tensor) -> Tensor:
        return self.rest(torch.cat([self.photograph(pairs[:, :3]), self.mask(pairs[:, 3:])], dim=1))


def attentive(width: int) -> nn.Module:
    class Mean(nn.Module):
        def forward(self, features: Tensor) -> Tensor:
            return features + features.mean(dim=(2, 3), keepdim=True)

    return Patches([*halving(width), Mean(), *threes(width)])


def one_for_all(width: int) -> nn.Module:
    return Patches([*halving(width), nn.AdaptiveAvgPool2d(1), nn.Conv2d(width, 1, 1)])


def shrinking(width: int) -> nn.Module:
    return Patches([*halving(width), nn.Conv2d(width, width, 4, padding=1), nn.Conv2d(width, 1, 4, padding=1)])


WIDTHS = "for after in (width, 2 * width, 4 * width):"
DOWN = "layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU"
ON = "layers += [nn.Conv2d(before, before, 3, padding=1), nn.LeakyReLU"

PATCHES = Cases(
    right={
        "a 5x5 and a 3x3 convolution, batch norm": five_and_three,
        "a dilated one": dilated,
        "pooling instead of strides": pooled,
        "photograph and mask apart at first": ByHand,
    },
    wrong={
        "as far as DA-Net sees": Fault(
            lambda width: Patches([*halving(width), *threes(width, 2)]), "sees 54 x 54 pixels (height x width)"
        ),
        "too far": Fault(lambda width: Patches([*halving(width), *threes(width, 4)]), "16 too many"),
        "sigmoid at the end": Fault(
            lambda width: Patches([*halving(width), *threes(width)], torch.sigmoid), "a sigmoid, tanh or ReLU stands"
        ),
        "photograph only": Fault(
            lambda width: Patches([*halving(width, 3), *threes(width)], channels=3), "another mask channel changes"
        ),
        "four halvings": Fault(
            lambda width: Patches([*halving(width, times=4), *threes(width, 1)]), "the result for pairs of shape"
        ),
        "4x4 convolutions that shrink": Fault(shrinking, "the result for pairs of shape"),
        "one logit a picture": Fault(one_for_all, ", 1, 1, 1), expected"),
        "an average over the picture": Fault(attentive, "depends on the whole picture"),
        "three channels expected": Fault(
            lambda width: Patches([*halving(width, 3), *threes(width)]), "it raised RuntimeError"
        ),
        "four results a patch": Fault(
            lambda width: Patches([*halving(width), *convolutions([width] * 4)]), "the result for pairs of shape"
        ),
    },
    own={
        "the package's DA-Net": DANet,
        "the package's attention inside": lambda width: Patches(
            [*halving(width), PositionAttention(width), *threes(width)]
        ),
    },
    equivalent={
        **{
            f"{WIDTHS}  ->  for after in (width, {second} * width, {third} * width):": "the channels are free"
            for second, third in ((3, 4), (1, 4), (2, 5), (2, 3))
        },
        **{
            f"{layer}(0.2)]  ->  {layer}({slope})]": "the activation is free"
            for layer in (DOWN, ON)
            for slope in ("0.4", "-0.2")
        },
    },
)
