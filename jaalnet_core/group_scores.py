"""Scores of groups of pictures: their means with intervals, and how far two groups lie apart.

The pictures of two groups are others, so nothing is paired: each group is drawn again by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from jaalnet_core.bootstrap import resample_weights
from jaalnet_core.interval import Interval
from jaalnet_core.metrics import scores


@dataclass(frozen=True)
class Group:
    """Pictures of one kind.

    Attributes:
        name: of the kind.
        count: of its pictures.
        scores: metric to mean and interval, fractions.
    """

    name: str
    count: int
    scores: Mapping[str, Interval]


def score_groups(
    counts: Tensor, labels: Sequence[str], metrics: Sequence[str], *, samples: int = 2000, seed: int = 0
) -> list[Group]:
    """The groups in the order in which their names come first.

    Args:
        counts: `(N, 4)` tp, fp, fn, tn of each picture.
        labels: the name of each picture's group.
        metrics: some of `metrics.METRICS`, averaged per image.
        samples, seed: of the bootstrap.

    Raises:
        ValueError: other numbers of counts and labels.
    """
    if len(counts) != len(labels):
        raise ValueError(f"found {len(counts)} counts and {len(labels)} labels, expected as many.")
    values = scores(counts)
    groups = []
    for name in dict.fromkeys(labels):
        members = torch.tensor([label == name for label in labels])
        estimates = {metric: Interval.of(values[metric][members], samples=samples, seed=seed) for metric in metrics}
        groups.append(Group(name, int(members.sum()), estimates))
    return groups


def unpaired_difference(first: Tensor, second: Tensor, *, samples: int = 2000, seed: int = 0) -> Interval:
    """Mean of the first minus mean of the second, with the 95% interval when both are drawn again on their own.

    Args:
        first, second: `(N,)` and `(M,)` values, of other pictures.
        samples, seed: of the bootstrap.

    Raises:
        ValueError: one of them is empty.
    """
    if first.numel() == 0 or second.numel() == 0:
        raise ValueError(f"found {first.numel()} and {second.numel()} values, expected at least one of each.")
    drawn = _drawn(first, samples, 1000 * (seed + 1) + 1) - _drawn(second, samples, 1000 * (seed + 1) + 2)
    return Interval((first.double().mean() - second.double().mean()).item(), *_ends(drawn))


def _drawn(values: Tensor, samples: int, seed: int) -> Tensor:
    return resample_weights(len(values), samples=samples, seed=seed) @ values.double()


def _ends(drawn: Tensor) -> tuple[float, float]:
    low, high = torch.quantile(drawn, torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return low, high
