"""Batch normalisation whose batch lies in several processes: the same statistics as one process would have found."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.autograd.function import once_differentiable

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
        super().__init__(norm.num_features, eps=norm.eps, momentum=norm.momentum)
        self.load_state_dict(norm.state_dict())
        self.share = share

    def forward(self, features: Tensor) -> Tensor:
        if not self.training:
            return super().forward(features)
        variance, mean = torch.var_mean(features.float(), dim=(0, 2, 3), correction=0)
        # float64: the difference of two squares would lose digits in float32; these are only C values
        moments = torch.stack([mean.double(), variance.double() + mean.double().square()])
        mean, square = _SumOverProcesses.apply(moments * self.share.part).unbind()
        variance = (square - mean.square()).clamp(min=0)
        self._remember(mean.detach(), variance.detach(), features.shape[2] * features.shape[3])
        scale = self.weight * torch.rsqrt(variance + self.eps).float()
        shift = self.bias - mean.float() * scale
        return torch.addcmul(shift[:, None, None], features, scale[:, None, None]).to(features.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, pixels: int) -> None:
        """Let the running statistics follow, as a plain batch norm does: with the unbiased variance."""
        count = self.share.whole * pixels
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean.float(), self.momentum)
        self.running_var.lerp_((variance * count / max(count - 1, 1)).float(), self.momentum)


def share_batch_norms(network: nn.Module, share: Share) -> None:
    """Put a `SharedBatchNorm2d` in the place of every `nn.BatchNorm2d` of `network`, weights and names kept."""
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(network, name, SharedBatchNorm2d(child, share))
        else:
            share_batch_norms(child, share)


class _SumOverProcesses(torch.autograd.Function):
    """The sum over all processes, and for the gradient the sum of all gradients."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return _sum(values)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _sum(gradient)


def _sum(values: Tensor) -> Tensor:
    total = values.clone(memory_format=torch.contiguous_format)
    distributed.all_reduce(total)
    return total
