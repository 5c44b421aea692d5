"""Whether a step left numbers behind: a weight that is NaN spoils everything after it, and must not be saved."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm


def not_finite(losses: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> list[str]:
    """What is NaN or infinite after a step, in words; empty when all is well.

    Finite losses are not enough: a gradient can overflow on its way back, and the optimiser then writes NaN into the
    weights, which no loss shows before the next step. That step may never come: an epoch ends, and is saved.

    Args:
        losses: scalars of the step, by name.
        networks: the networks that learnt in it, by name.
    """
    values = {name: value.detach() for name, value in losses.items()}
    values |= {f"weights of {name}": _largest(network) for name, network in networks.items()}
    finite = torch.stack([torch.isfinite(value) for value in values.values()])
    # one look for all of them: a GPU, which works ahead, is waited for whenever a number is looked at
    return [name for name, good in zip(values, finite.tolist(), strict=True) if not good]


def _largest(network: nn.Module) -> Tensor:
    """The largest absolute value: unlike a sum of squares it cannot overflow while all weights are finite."""
    values = [value.detach() for value in (*network.parameters(), *network.buffers()) if value.is_floating_point()]
    return get_total_norm(values, norm_type=math.inf, foreach=True)
