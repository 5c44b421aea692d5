"""Answers to exercise 3.3, the dilated 1x1 convolution."""

from __future__ import annotations

import torch
from exercise_cases import Cases, Fault
from torch import nn

from jaalnet_core.blocks import DDSConv


def separable(around, mixing, activation=torch.relu):
    """A class of which depthwise and pointwise convolution get what `around` and `mixing` make of the dilation."""

    class Separable(nn.Module):
        def __init__(self, in_channels, out_channels, dilation=1):
            super().__init__()
            how = {"groups": in_channels} | around(dilation)
            self.depthwise = nn.Conv2d(in_channels, in_channels, 3, bias=False, **how)
            self.pointwise = nn.Conv2d(in_channels, out_channels, bias=False, **{"kernel_size": 1} | mixing(dilation))

        def forward(self, features):
            return activation(self.pointwise(self.depthwise(features)))

    return Separable


def dilated(dilation):
    return {"padding": dilation, "dilation": dilation}


def nothing(_):
    return {}


class InSequence(nn.Sequential):
    def __init__(self, in_channels, out_channels, dilation=1):
        around = nn.Conv2d(in_channels, in_channels, 3, 1, dilation, dilation, in_channels)
        super().__init__(around, nn.Conv2d(in_channels, out_channels, 1), nn.ReLU(inplace=True))


class Subclass(DDSConv):
    pass


POINTWISE = Cases(
    right={
        "in sequence, with bias": (InSequence, "b"),
        "the idle dilation left in": (separable(dilated, lambda d: {"dilation": d}), "b"),
        "padding same": (separable(lambda d: {"padding": "same", "dilation": d}, nothing), "B"),
    },
    wrong={
        "right cause, code as found": Fault(
            (separable(lambda d: {"padding": 1}, lambda d: {"dilation": d}), "b"), "nothing is spread"
        ),
        "blames the ReLU": Fault((InSequence, "a"), "with all weights 1 and a positive input"),
        "blames the groups": Fault((InSequence, "c"), "which channels a filter reads"),
        "blames the padding": Fault((InSequence, "d"), "never reaches beyond its pixel"),
        "padding left at 1": Fault((separable(lambda d: {"padding": 1, "dilation": d}, nothing), "b"), "map shrinks"),
        "padding without dilation": Fault((separable(lambda d: {"padding": d}, nothing), "b"), "the map grows"),
        "1x1 padded as well": Fault((separable(dilated, lambda d: {"padding": d}), "b"), "the map grows"),
        "pointwise made 3x3": Fault(
            (separable(lambda d: {"padding": 1}, lambda d: dilated(d) | {"kernel_size": 3}), "b"), "is 3x3 now"
        ),
        "groups dropped": Fault((separable(lambda d: dilated(d) | {"groups": 1}, nothing), "b"), "mixes channels"),
        "always 2": Fault((separable(lambda d: dilated(2), nothing), "b"), "is the one for dilation 2"),
        "ReLU lost": Fault((separable(dilated, nothing, activation=nn.Identity()), "b"), "ReLU is missing"),
    },
    own={"subclass": (Subclass, "b"), "the package's": (DDSConv, "b")},
)
