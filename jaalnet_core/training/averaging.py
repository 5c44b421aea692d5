"""Averaged weights: the network that is validated and shipped moves slower, and does better, than the trained one."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def average_weights(network: nn.Module, decay: float) -> AveragedModel:
    """An exponential moving average of `network`'s weights and batch statistics; feed it by `update_parameters`.

    Args:
        decay: share kept of the average in a step, 0 to copy the network. Early on less is kept, `(1 + n) / (10 + n)`
            after `n` steps, so that a short run does not ship its random start.
    """

    @torch.no_grad()
    def blend(averages: Sequence[Tensor], currents: Sequence[Tensor], _updates: Tensor | int) -> None:
        count = int(averaged.n_averaged)  # on the CPU; `_updates` lies where the weights do: a GPU would be waited for
        kept = min(decay, (1 + count) / (10 + count))
        if torch.is_floating_point(averages[0]):
            torch._foreach_lerp_(list(averages), list(currents), 1 - kept)
        else:  # counters of batches seen
            torch._foreach_copy_(list(averages), list(currents))

    averaged = AveragedModel(network, multi_avg_fn=blend, use_buffers=True)
    return averaged
