"""Batch normalisation whose batch lies in several processes: the same statistics as one process would have found."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from jaalnet_core.training.processes import Share


class SharedBatchNorm2d(nn.BatchNorm2d):
    """`nn.BatchNorm2d` with mean and variance of the whole batch: `(B, C, H, W)` to the same.

    `nn.SyncBatchNorm` does this on GPUs, and refuses a CPU; this one is for both, and knows that a process may hold
    more pictures of a batch than another. Forward and backward wait for the other processes. While it is evaluated it
    is a plain batch norm; its weights have the same names.

    Args:
        norm: whose weights and running statistics it takes over.
        share: what this process has of the batch in hand.
    """

    def __init__(self, norm: nn.BatchNorm2d, share: Share) -> None:
        there = {"device": norm.weight.device, "dtype": norm.weight.dtype}
        super().__init__(norm.num_features, eps=norm.eps, momentum=norm.momentum, **there)
        self.load_state_dict(norm.state_dict())
        self.share = share

    def forward(self, features: Tensor) -> Tensor:
        if not self.training:
            return super().forward(features)
        mean, variance = torch.batch_norm_update_stats(features.detach(), None, None, 0.0)
        mean, variance = self._of_all(mean.double(), variance.double())  # only C values each
        self.follow(mean, variance, features.shape[2] * features.shape[3])
        deviation = torch.sqrt(variance + self.eps)
        statistics = (mean.to(self.weight.dtype), deviation.reciprocal().to(self.weight.dtype))
        return _Normalise.apply(features, self.weight, self.bias, *statistics, self.share.part)

    def _of_all(self, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """The statistics of all processes' values: none is a small difference of large numbers (Chan et al. 1979)."""
        mine = torch.stack([mean, variance, torch.full_like(mean, self.share.part)])
        means, variances, parts = gather_from_processes(mine).unbind(1)
        mean = (parts * means).sum(0)
        return mean, (parts * (variances + (means - mean).square())).sum(0)

    @torch.no_grad()
    def follow(self, mean: Tensor, variance: Tensor, pixels: int) -> None:
        """Let the running statistics follow, as a plain batch norm does: with the unbiased variance."""
        count = self.share.whole * pixels
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
        unbiased = variance * count / max(count - 1, 1)
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), self.momentum)


def share_batch_norms(network: nn.Module, share: Share) -> None:
    """Put a `SharedBatchNorm2d` in the place of every `nn.BatchNorm2d` of `network`, weights and names kept."""
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(network, name, SharedBatchNorm2d(child, share))
        else:
            share_batch_norms(child, share)


class _Normalise(torch.autograd.Function):
    """`(features - mean) / deviation * weight + bias` of statistics that all processes' features went into.

    Forward and backward run in PyTorch's own kernels for batch norms, which take the statistics of this process's part
    for those of the whole batch; what that leaves out of the gradient is a multiple of the features and a constant in
    each channel, and is added.
    """

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, inverse: Tensor, part: float
    ) -> Tensor:
        ctx.save_for_backward(features, weight, mean, inverse)
        ctx.part = part
        return _affine(features, mean, inverse * weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        features, weight, mean, inverse = ctx.saved_tensors
        here, by_weight, by_bias = torch.ops.aten.native_batch_norm_backward(
            gradient, features, weight, None, None, mean, inverse, True, 0.0, [True, True, True]
        )
        values = features.numel() // features.shape[1]
        sums = torch.stack([by_weight, by_bias]).double()
        rest = sums / values - sum_over_processes(sums) * (
            ctx.part / values
        )  # taken off too much here, to be given back
        scale, shift = rest.to(weight.dtype).unbind()
        inverse_weight = inverse * weight
        here += _affine(features, mean, inverse * scale * inverse_weight, shift * inverse_weight)
        return here, by_weight, by_bias, None, None, None


def _affine(features: Tensor, mean: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """`(features - mean) * scale + shift`, channel by channel, by the kernel of an evaluated batch norm."""
    nothing = torch.finfo(mean.dtype).tiny  # some versions refuse an epsilon of 0
    return functional.batch_norm(features, mean, torch.ones_like(mean), scale, shift, eps=nothing)


def gather_from_processes(values: Tensor) -> Tensor:
    """Every process's `values` `(...)`, in the order of the processes: `(P, ...)`; carries no gradient."""
    found = [torch.empty_like(values) for _ in range(distributed.get_world_size())]
    distributed.all_gather(found, values)
    return torch.stack(found)


def sum_over_processes(values: Tensor) -> Tensor:
    """Element by element, in a tensor of its own; carries no gradient."""
    total = values.clone(memory_format=torch.contiguous_format)
    distributed.all_reduce(total)
    return total
