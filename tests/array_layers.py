"""The layers once more, in NumPy and float64, from their definitions: what the networks' parts are held against.

Nothing here calls torch to compute; weights come out of the modules as arrays.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn


def array(tensor: Tensor) -> np.ndarray:
    """A tensor's values as float64."""
    return tensor.detach().double().numpy()


def convolve(features: np.ndarray, conv: nn.Conv2d) -> np.ndarray:
    """Stride 1, zeros outside, same size: each output is a sum over the taps that lie `dilation` apart."""
    weight, (dilation, _) = array(conv.weight), conv.dilation
    groups, kernel = conv.groups, weight.shape[-1]
    batch, channels, height, width = features.shape
    reach = dilation * (kernel // 2)
    around = np.zeros((batch, channels, height + 2 * reach, width + 2 * reach))
    around[:, :, reach : reach + height, reach : reach + width] = features
    out = np.zeros((batch, len(weight), height, width))
    for target in range(len(weight)):
        first = target // (len(weight) // groups) * weight.shape[1]  # the group's first input channel
        for source in range(weight.shape[1]):
            for row in range(kernel):
                for column in range(kernel):
                    top, left = row * dilation, column * dilation
                    view = around[:, first + source, top : top + height, left : left + width]
                    out[:, target] += weight[target, source, row, column] * view
    return out if conv.bias is None else out + array(conv.bias)[None, :, None, None]


def paint_patches(features: np.ndarray, deconv: nn.ConvTranspose2d) -> np.ndarray:
    """Transposed convolution as a sum of patches: pixel (y, x) paints its kernel with the corner at (2y, 2x)."""
    weight, (padding, _) = array(deconv.weight), deconv.padding
    kernel = weight.shape[-1]
    batch, channels, height, width = features.shape
    canvas = np.zeros((batch, weight.shape[1], 2 * (height - 1) + kernel, 2 * (width - 1) + kernel))
    for y in range(height):
        for x in range(width):
            for source in range(channels):
                patch = features[:, source, y, x, None, None, None] * weight[None, source]
                canvas[:, :, 2 * y : 2 * y + kernel, 2 * x : 2 * x + kernel] += patch
    return canvas[:, :, padding : canvas.shape[2] - padding, padding : canvas.shape[3] - padding]


def batch_norm(features: np.ndarray, norm: nn.BatchNorm2d) -> np.ndarray:
    """With the running statistics, as in evaluation mode."""
    mean, variance, weight, bias = (
        array(values)[None, :, None, None] for values in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    )
    return (features - mean) / np.sqrt(variance + norm.eps) * weight + bias


def relu(features: np.ndarray) -> np.ndarray:
    return np.maximum(features, 0)


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def softmax(values: np.ndarray) -> np.ndarray:
    """Over a vector."""
    powers = np.exp(values - values.max())
    return powers / powers.sum()
