"""Batch normalisation that is quick with few channels, too.

PyTorch's CPU kernels let each thread add up a channel's values in a row of its own, C numbers long, and these rows lie
next to each other. Where C numbers are no whole cache lines (16 numbers of single precision are one), two threads write
to one line, and take it away from each other with every addition: two threads are then slower than one. With the
channels last in memory, several pixels side by side can pass for one pixel with several times the channels; their
statistics are then put together. Folded like that, no two threads meet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

CACHE_LINE = 64  # bytes
MOST_PIXELS = 16  # that pass for one: enough for an odd number of channels in single precision
LARGE = 2**18  # numbers, from which the kernels' time outweighs that of putting things together


class BatchNorm2d(nn.BatchNorm2d):
    """`nn.BatchNorm2d`, up to rounding: `(B, C, H, W)` to the same. Quicker in training on a CPU with few channels.

    Where it is, its gradient has no gradient of its own: PyTorch says so when one is asked for.
    """

    def forward(self, features: Tensor) -> Tensor:
        usual = self.affine and self.track_running_stats and self.momentum is not None
        if not (self.training and usual and _worth_folding(features, self.weight)) or torch.compiler.is_compiling():
            return super().forward(features)
        mean, variance = channel_statistics(features)
        self.follow(mean, variance, features.numel() // features.shape[1])
        return normalise(features, self.weight, self.bias, mean, variance + self.eps)

    @torch.no_grad()
    def follow(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Let the running statistics follow those of a batch of `count` values a channel, the variance unbiased."""
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
        unbiased = variance * count / max(count - 1, 1)
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), self.momentum)


@torch.no_grad()
def channel_statistics(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and (biased) variance of each channel of `(B, C, H, W)`: two tensors `(C,)` in double precision."""
    channels = features.shape[1]
    folded = _fold(features, _pixels_for_one(features))
    mean, variance = torch.batch_norm_update_stats(folded, None, None, 0.0)
    means, variances = (values.double().view(-1, channels) for values in (mean, variance))
    mean = means.mean(0)
    # none is a small difference of large numbers (Chan et al. 1979)
    return mean, (variances + (means - mean).square()).mean(0)


def normalise(
    features: Tensor,
    weight: Tensor,
    bias: Tensor,
    mean: Tensor,
    variance: Tensor,
    part: float = 1.0,
    sum_over_all: Callable[[Tensor], Tensor] = lambda values: values,
) -> Tensor:
    """`(features - mean) / sqrt(variance) * weight + bias`, channel by channel; mean and variance are the batch's own.

    The gradient is the whole one: features also act through mean and variance.

    Args:
        features: `(B, C, H, W)`.
        weight, bias: `(C,)`.
        mean, variance: `(C,)` in double precision, the variance with the norm's epsilon.
        part: how much of the batch these features are, 0..1, where it is divided among processes.
        sum_over_all: adds up a tensor over these processes.
    """
    statistics = (mean.to(weight.dtype), variance.rsqrt().to(weight.dtype))
    return _Normalise.apply(features, weight, bias, *statistics, part, sum_over_all)


class _Normalise(torch.autograd.Function):
    """Both ways run in PyTorch's own kernels: that of an evaluated batch norm, and the sums of a trained one's."""

    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        weight: Tensor,
        bias: Tensor,
        mean: Tensor,
        inverse: Tensor,
        part: float,
        sum_over_all: Callable[[Tensor], Tensor],
    ) -> Tensor:
        ctx.save_for_backward(features, weight, mean, inverse)
        ctx.part, ctx.sum_over_all = part, sum_over_all
        times = _pixels_for_one(features)
        normalised = _affine(_fold(features, times), mean, inverse * weight, bias)
        if times == 1:
            return normalised
        # no view, so that the activation may work in place
        return features.new_empty(0).set_(normalised.untyped_storage(), 0, features.shape, features.stride())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        features, weight, mean, inverse = ctx.saved_tensors
        times, channels = _pixels_for_one(features), features.shape[1]
        folded, folded_gradient = _fold(features, times), _fold(gradient, times)
        # only the sums: of the gradient, and of the gradient times the normalised features
        _, by_weight, by_bias = torch.ops.aten.native_batch_norm_backward(
            folded_gradient,
            folded,
            weight.repeat(times),
            None,
            None,
            mean.repeat(times),
            inverse.repeat(times),
            True,
            0.0,
            [False, True, True],
        )
        sums = torch.stack([by_weight, by_bias]).double().view(2, -1, channels).sum(1)
        values = features.numel() // channels
        along, constant = (ctx.sum_over_all(sums) * (ctx.part / values)).to(weight.dtype).unbind()
        scale = inverse * weight
        result = _affine(folded, mean, -along * inverse * scale, -constant * scale)
        result.addcmul_(folded_gradient, scale.repeat(times)[:, None, None])
        by_weight, by_bias = sums.to(weight.dtype).unbind()
        return result if times == 1 else _unfold(result, features.shape), by_weight, by_bias, None, None, None, None


def _worth_folding(features: Tensor, weight: Tensor) -> bool:
    exact = features.dtype == weight.dtype in (torch.float32, torch.float64)  # half precision is PyTorch's affair
    return exact and features.numel() >= LARGE and _pixels_for_one(features) > 1


def _pixels_for_one(features: Tensor) -> int:
    """How many neighbouring pixels pass for one: a power of two whose channels fill whole cache lines, or 1."""
    channels = features.shape[1]
    size, pixels = channels * features.element_size(), features.numel() // max(channels, 1)
    last = features.is_contiguous(memory_format=torch.channels_last) and not features.is_contiguous()
    if not last or features.device.type != "cpu" or size % CACHE_LINE == 0:
        return 1
    times = 2
    while times < MOST_PIXELS and (times * size % CACHE_LINE or times * size < 4 * CACHE_LINE):
        times *= 2
    return times if times * size % CACHE_LINE == 0 and pixels % times == 0 else 1


def _fold(features: Tensor, times: int) -> Tensor:
    """`(B, C, H, W)` to `(1, times * C, B * H * W / times, 1)`, without a copy where its channels lie last."""
    if times == 1:
        return features
    return features.permute(0, 2, 3, 1).reshape(1, -1, 1, times * features.shape[1]).permute(0, 3, 1, 2)


def _unfold(folded: Tensor, shape: torch.Size) -> Tensor:
    """`(B, C, H, W)` again."""
    batch, channels, height, width = shape
    return folded.permute(0, 2, 3, 1).reshape(batch, height, width, channels).permute(0, 3, 1, 2)


def _affine(features: Tensor, mean: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """`(features - mean) * scale + shift` by the kernel of an evaluated batch norm; the three are repeated to fit."""
    times = features.shape[1] // len(mean)
    mean, scale, shift = (values.repeat(times) for values in (mean, scale, shift))
    nothing = torch.finfo(mean.dtype).tiny  # some versions refuse an epsilon of 0
    return functional.batch_norm(features, mean, torch.ones_like(mean), scale, shift, eps=nothing)
