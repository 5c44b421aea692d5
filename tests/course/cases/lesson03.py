"""Answers to the exercises of lesson 3."""

from __future__ import annotations

import torch
from cases.lesson03_blocks import CROSS, RESIDUAL_DENSE
from cases.lesson03_pointwise import POINTWISE
from exercise_cases import Cases, Fault
from torch.nn import functional

from jaalnet_core.convolution_cost import saving


def by_counting(out_channels, kernel_size):
    around = mixing = whole = 0
    for _ in range(7):  # channels read: any number of them
        around += kernel_size * kernel_size
        mixing += out_channels
        whole += kernel_size * kernel_size * out_channels
    return whole / (around + mixing)


def as_a_tensor(out_channels, kernel_size):
    area = torch.tensor(kernel_size, dtype=torch.float64) ** 2
    return out_channels * area / (out_channels + area)


SAVING = Cases(
    right={"by counting": by_counting, "as a tensor": as_a_tensor},
    wrong={
        "depthwise part only": Fault(lambda made, k: made * k**2 / k**2, "depthwise part only"),
        "pointwise part only": Fault(lambda made, k: made * k**2 / made, "pointwise part only"),
        "turned over": Fault(lambda made, k: 1 / made + 1 / k**2, "turn the fraction over"),
        "kernel not squared": Fault(lambda made, k: 1 / (1 / made + 1 / k), "as many columns: square it"),
        "always nine": Fault(lambda made, k: 1 / (1 / made + 1 / 9), "for a kernel of 3 only"),
        "whole numbers": Fault(lambda made, k: made * k**2 // (made + k**2), "that is rounded down to a whole"),
        "rounded": Fault(lambda made, k: round(1 / (1 / made + 1 / k**2)), "that is rounded"),
        "no return": Fault(lambda made, k: None, "is a `return` missing"),
    },
    own={"saving": lambda made, k: saving(5, made, k)},
)


def found_stack(features, weights, dilations, mode="bilinear", padding=1, **how):
    size = features.shape[-2:]
    for weight, dilation in zip(weights, dilations, strict=True):
        features = functional.conv2d(features, weight, padding=padding, dilation=dilation)
        features = torch.relu(functional.interpolate(features, size=size, mode=mode, **how))
    return features


def layer_by_layer(step):
    """A stack of which each layer is `step(features, weight, dilation)`."""

    def stack(features, weights, dilations):
        for weight, dilation in zip(weights, dilations, strict=True):
            features = step(features, weight, dilation)
        return features

    return stack


def conv(features, weight, dilation, padding):
    return functional.conv2d(features, weight, padding=padding, dilation=dilation)


def with_idle_resize(features, weights, dilations):
    size = features.shape[-2:]
    for weight, dilation in zip(weights, dilations, strict=True):
        features = functional.conv2d(features, weight, padding=dilation, dilation=dilation)
        features = functional.interpolate(features, size=size, mode="bilinear")
        features = torch.relu(features)
    return features


def with_modules(features, weights, dilations):
    for weight, dilation in zip(weights, dilations, strict=True):
        layer = torch.nn.Conv2d(weight.shape[1], len(weight), 3, dilation=dilation, bias=False)
        layer.weight.data = weight
        features = layer(functional.pad(features, (dilation, dilation, dilation, dilation))).clamp(min=0)
    return features.detach()


def padded_with(mode):
    return layer_by_layer(lambda x, w, d: conv(functional.pad(x, (d,) * 4, mode), w, d, 0).relu())


LOOP = "for weight, dilation in zip(weights, dilations, strict=True):"

PADDING = Cases(
    right={
        "resize left in, with nothing to do": (with_idle_resize, "c"),
        "padded by hand, in modules": (with_modules, "C) "),
        "padding same": (layer_by_layer(lambda x, w, d: conv(x, w, d, "same").relu()), "c"),
    },
    wrong={
        "right cause, code as found": Fault((found_stack, "c"), "still what the code as found gives"),
        "blames the blur": Fault((with_modules, "a"), "moves the features just as far"),
        "blames the ReLU": Fault((with_modules, "b"), "cannot move anything"),
        "blames the holes": Fault((with_modules, "d"), "as many on the left as on the right"),
        "no letter": Fault((with_modules, "padding"), "expected one of the letters"),
        "nearest": Fault(
            (lambda x, w, d: found_stack(x, w, d, mode="nearest"), "c"), "`nearest` still moves the features"
        ),
        "corners aligned": Fault(
            (lambda x, w, d: found_stack(x, w, d, align_corners=True), "c"), "`align_corners` still stretches"
        ),
        "resize dropped, padding left": Fault(
            (layer_by_layer(lambda x, w, d: conv(x, w, d, 1).relu()), "c"), "the map shrinks"
        ),
        "padding twice the dilation": Fault(
            (layer_by_layer(lambda x, w, d: conv(x, w, d, 2 * d).relu()), "c"), "the map grows"
        ),
        "padding 2 everywhere": Fault((lambda x, w, d: found_stack(x, w, d, padding=2), "c"), "each needs its own"),
        "dilation dropped": Fault(
            (layer_by_layer(lambda x, w, d: conv(x, w, 1, 1).relu()), "c"), "the dilation is gone"
        ),
        "zeros added afterwards": Fault(
            (layer_by_layer(lambda x, w, d: functional.pad(conv(x, w, d, 0), (d,) * 4).relu()), "c"),
            "zeros were added after the convolution",
        ),
        "border repeated": Fault((padded_with("replicate"), "c"), "padded with copies of pixels"),
        "border mirrored": Fault((padded_with("reflect"), "c"), "padded with mirrored pixels"),
        "ReLU lost": Fault((layer_by_layer(lambda x, w, d: conv(x, w, d, d)), "c"), "the ReLU is missing"),
        "ReLU only once": Fault(
            (lambda x, w, d: layer_by_layer(lambda x, w, d: conv(x, w, d, d))(x, w, d).relu(), "c"),
            "of the values differ",
        ),
    },
    equivalent={
        f"{LOOP}  ->  {LOOP.replace(', strict=True', change)}": "both lists are equally long"
        for change in ("", ", strict=False")
    },
)

CASES = {"3.1": SAVING, "3.2": PADDING, "3.3": POINTWISE, "3.4": CROSS, "3.5": RESIDUAL_DENSE}
