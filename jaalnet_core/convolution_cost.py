"""What a convolution costs, in weights and in multiplications: plain, and taken apart as DDSConv does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ConvolutionCost:
    """Weights and multiplications of one convolution that keeps the size, norms and biases left out.

    Attributes:
        depthwise: weights that look at the neighbourhood of each channel on its own; 0 in a plain convolution.
        mixing: weights that mix channels: the pointwise ones of a DDSConv, all of a plain convolution's.
        pixels: at which each weight is used once.
    """

    depthwise: int
    mixing: int
    pixels: int

    @property
    def weights(self) -> int:
        """All weights; also the multiplications for one pixel of the output."""
        return self.depthwise + self.mixing

    @property
    def multiplications(self) -> int:
        """For all pixels of one picture."""
        return self.weights * self.pixels


def plain_cost(in_channels: int, out_channels: int, kernel_size: int = 3, *, pixels: int = 1) -> ConvolutionCost:
    """A plain convolution: each output channel has a `kernel_size` x `kernel_size` filter for every input channel.

    Raises:
        ValueError: a count below 1.
    """
    _check(in_channels, out_channels, kernel_size, pixels)
    return ConvolutionCost(0, kernel_size**2 * in_channels * out_channels, pixels)


def separable_cost(in_channels: int, out_channels: int, kernel_size: int = 3, *, pixels: int = 1) -> ConvolutionCost:
    """A depthwise and a pointwise convolution: one filter an input channel, then a 1x1 mixture. Dilation is free.

    Raises:
        ValueError: a count below 1.
    """
    _check(in_channels, out_channels, kernel_size, pixels)
    return ConvolutionCost(kernel_size**2 * in_channels, in_channels * out_channels, pixels)


def saving(in_channels: int, out_channels: int, kernel_size: int = 3) -> float:
    """How many times more a plain convolution multiplies: `1 / (1 / out_channels + 1 / kernel_size**2)`."""
    plain = plain_cost(in_channels, out_channels, kernel_size)
    return plain.weights / separable_cost(in_channels, out_channels, kernel_size).weights


def _check(in_channels: int, out_channels: int, kernel_size: int, pixels: int) -> None:
    counts = {"in_channels": in_channels, "out_channels": out_channels, "kernel_size": kernel_size, "pixels": pixels}
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name}: found {count}, expected at least 1.")
