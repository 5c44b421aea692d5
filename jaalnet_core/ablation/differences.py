"""Is a variant better than the base? Means over seeds, and a paired bootstrap that may answer "undecided".

Two things could have fallen otherwise: which images were in the set, and which random numbers the training met. A
resample draws both anew: images, the same ones for both variants (that is the pairing: a hard image is hard for both),
and seeds, for each variant by itself (seed 1 of one and seed 1 of another have nothing in common). Where the 95%
interval of the difference holds 0, the comparison is undecided. With few seeds their spread is underestimated, by a
third of its variance with three, so an interval that only just leaves 0 out is no proof either.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from jaalnet_core.ablation.cost import Cost
from jaalnet_core.ablation.record import RunFile
from jaalnet_core.bootstrap import resample_weights
from jaalnet_core.errors import DataError
from jaalnet_core.metrics import scores

Verdict = Literal["better", "worse", "undecided"]
_ALIKE = ("preset", "size", "epochs", "batch_size", "limit")  # what makes two runs comparable


@dataclass(frozen=True)
class Difference:
    """How much better than the base, as fractions: the mean, and its 95% interval over images and seeds."""

    mean: float
    low: float
    high: float
    seeds: int
    """The smaller of both numbers of seeds."""

    @property
    def verdict(self) -> Verdict:
        """`undecided` where the interval holds 0, or one seed says nothing about the spread of others."""
        if self.seeds < 2 or self.low <= 0 <= self.high:
            return "undecided"
        return "better" if self.low > 0 else "worse"


@dataclass(frozen=True)
class Row:
    """A variant in the comparison.

    Attributes:
        variant, says: its name and its change in words.
        seeds: of its runs.
        means: the metric of each run, a fraction: the mean over the images.
        low, high: 95% interval of `mean` over images and seeds.
        difference: to the base; None for the base itself.
        seconds: of training, the runs' median.
        cost: of the network that predicts.
    """

    variant: str
    says: str
    seeds: tuple[int, ...]
    means: tuple[float, ...]
    low: float
    high: float
    difference: Difference | None
    seconds: float
    cost: Cost

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return statistics.fmean(self.means)

    @property
    def spread(self) -> float:
        """Standard deviation over the seeds; NaN for a single one."""
        return statistics.stdev(self.means) if len(self.means) > 1 else math.nan


def compare(
    runs: Sequence[RunFile],
    *,
    base: str = "course",
    split: str = "validation",
    metric: str = "dice",
    samples: int = 2000,
    seed: int = 0,
) -> list[Row]:
    """One row a variant, the base first, then from best to worst.

    Args:
        runs: of one comparison: the same pictures, sizes and epochs.
        base: the variant that the others are compared with.
        split: whose evaluation to read.
        metric: one of `metrics.METRICS`, averaged per image.
        samples, seed: of the bootstrap.

    Raises:
        DataError: no run of the base, or runs that cannot be compared; the message names them.
    """
    by_variant: dict[str, list[RunFile]] = {}
    for run in runs:
        by_variant.setdefault(run.variant, []).append(run)
    if base not in by_variant:
        raise DataError(f"runs: found {', '.join(by_variant) or 'none'}, expected the base {base} among them.")
    _require_comparable(runs, split)
    values = {name: values_of_runs(group, split, metric) for name, group in by_variant.items()}
    rows = [
        _row(group, values[name], None if name == base else values[base], samples, seed)
        for name, group in by_variant.items()
    ]
    return sorted(rows, key=lambda row: (row.variant != base, -row.mean))


def values_of_runs(runs: Sequence[RunFile], split: str = "validation", metric: str = "dice") -> Tensor:
    """`(seeds, images)` float64: the metric of every image in every run, fractions."""
    return torch.stack([scores(run.evaluations[split].counts)[metric] for run in runs])


def paired_difference(variant: Tensor, base: Tensor, *, samples: int = 2000, seed: int = 0) -> Difference:
    """The mean difference of two variants scored on the same images, and its interval.

    Args:
        variant, base: `(seeds, images)` scores; the numbers of seeds may differ, the images are the same.
        samples, seed: of the bootstrap.

    Raises:
        ValueError: other numbers of images.
    """
    if variant.ndim != 2 or base.ndim != 2 or variant.shape[1] != base.shape[1]:
        raise ValueError(
            f"variant {tuple(variant.shape)}, base {tuple(base.shape)}: expected (seeds, images) of the same images."
        )
    drawn = _resampled(variant, samples, seed, 1) - _resampled(base, samples, seed, 2)
    low, high = _interval(drawn)
    return Difference((variant.mean() - base.mean()).item(), low, high, min(len(variant), len(base)))


def _resampled(values: Tensor, samples: int, seed: int, which: int) -> Tensor:
    """`(samples,)` means. Images are drawn by `seed` alone, so alike for all; the training's seeds by `which` too."""
    images = resample_weights(values.shape[1], samples=samples, seed=seed)
    seeds = resample_weights(len(values), samples=samples, seed=1000 * (seed + 1) + which)
    return ((images @ values.double().T) * seeds).sum(1)


def _interval(drawn: Tensor) -> tuple[float, float]:
    low, high = torch.quantile(drawn, torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return low, high


def _row(group: Sequence[RunFile], values: Tensor, base: Tensor | None, samples: int, seed: int) -> Row:
    low, high = _interval(_resampled(values, samples, seed, 1))
    return Row(
        variant=group[0].variant,
        says=group[0].says,
        seeds=tuple(run.seed for run in group),
        means=tuple(values.mean(1).tolist()),
        low=low,
        high=high,
        difference=None if base is None else paired_difference(values, base, samples=samples, seed=seed),
        seconds=statistics.median(run.seconds for run in group),
        cost=group[0].counted_cost(),
    )


def _require_comparable(runs: Sequence[RunFile], split: str) -> None:
    first = runs[0]
    for run in runs:
        if split not in run.evaluations:
            raise DataError(f"{run.name}: was not scored on the {split} pictures.")
        differing = [name for name in _ALIKE if run.settings.get(name) != first.settings.get(name)]
        if run.data["sha256"] != first.data["sha256"] or run.evaluations[split].ids != first.evaluations[split].ids:
            differing.append("pictures")
        if differing:
            raise DataError(
                f"{run.name} and {first.name}: differ in {', '.join(differing)}, expected one comparison's runs in a "
                "folder; put them into two."
            )
