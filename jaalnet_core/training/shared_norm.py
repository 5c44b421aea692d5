"""Batch normalisation whose batch lies in several processes: the same statistics as one process would have found."""

from __future__ import annotations

import torch
from torch import Tensor, distributed, nn

from jaalnet_core.batch_norm import BatchNorm2d, channel_statistics, normalise
from jaalnet_core.training.processes import Share


class SharedBatchNorm2d(BatchNorm2d):
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
        mean, variance = self._of_all(*channel_statistics(features))  # only C values each
        self.follow(mean, variance, self.share.whole * features.shape[2] * features.shape[3])
        return normalise(
            features, self.weight, self.bias, mean, variance + self.eps, self.share.part, sum_over_processes
        )

    def _of_all(self, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """The statistics of all processes' values: none is a small difference of large numbers (Chan et al. 1979)."""
        mine = torch.stack([mean, variance, torch.full_like(mean, self.share.part)])
        means, variances, parts = gather_from_processes(mine).unbind(1)
        mean = (parts * means).sum(0)
        return mean, (parts * (variances + (means - mean).square())).sum(0)


def share_batch_norms(network: nn.Module, share: Share) -> None:
    """Put a `SharedBatchNorm2d` in the place of every `nn.BatchNorm2d` of `network`, weights and names kept."""
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(network, name, SharedBatchNorm2d(child, share))
        else:
            share_batch_norms(child, share)


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
