"""Bootstrap intervals over images: how far a score could move if other images had been drawn.

The images of a test set are a sample. Drawing as many images again, with replacement, and averaging anew
gives another score; two thousand of them show the spread (Efron 1979, the percentile interval). Images are
drawn, not pixels: pixels of one image fail together.

Every averaging of ours is a function of a mean over images: per image, the mean of the scores; pooled, the
scores of the mean confusion table. So a resample is only a row of weights, and all of them are one matrix
product.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from jaalnet_core.metrics import METRICS, scores, two_class_scores

Intervals = dict[str, dict[str, tuple[float, float]]]  # averaging -> metric -> (low, high)


def bootstrap_interval(
    values: Tensor,
    statistic: Callable[[Tensor], Tensor] = lambda means: means,
    *,
    samples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Tensor:
    """The percentile interval of a statistic of the mean over images.

    Args:
        values: `(N, K)` numbers of each image, such as its five scores or its confusion table.
        statistic: takes the resampled means `(samples, K)` and returns `(samples, ...)`; the means themselves
            unless given.
        samples: number of resamples.
        seed: the resamples depend on this, `N` and `samples` alone, so that two methods scored on the same
            images are resampled alike.
        level: share of the resamples inside the interval, above 0 and below 1.

    Returns:
        `(2, ...)` float64: the lower and the upper end.

    Raises:
        ValueError: there is no image, or `samples` or `level` is outside its range.
    """
    if values.ndim != 2 or len(values) == 0:
        raise ValueError(f"values: found {tuple(values.shape)}, expected (N, K) with at least one image.")
    if samples < 1 or not 0 < level < 1:
        raise ValueError(f"samples {samples}, level {level}: expected at least 1 sample and 0 < level < 1.")
    means = resample_weights(len(values), samples=samples, seed=seed) @ values.double().cpu()
    tails = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)
    return torch.quantile(statistic(means), tails, dim=0)


def resample_weights(count: int, *, samples: int = 2000, seed: int = 0) -> Tensor:
    """How much each of `count` things weighs in each resample: `(samples, count)` float64, rows that sum to 1.

    A thing drawn twice weighs twice; `weights @ values` are the resampled means.
    """
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(count, (samples, count), generator=generator)
    weights = torch.zeros(samples, count, dtype=torch.float64)
    return weights.scatter_add_(1, drawn, torch.ones(1, 1, dtype=torch.float64).expand_as(weights)) / count


def metric_intervals(counts: Tensor, *, samples: int = 2000, seed: int = 0, level: float = 0.95) -> Intervals:
    """The interval of every metric in every averaging, from the same resamples.

    Args:
        counts: `(N, 4)`: tp, fp, fn, tn of each image.
        samples, seed, level: as in `bootstrap_interval`.

    Returns:
        a dictionary by averaging (`per_image`, `pooled`, `two_class`, `two_class_pooled`) of dictionaries by metric
        (`dice`, ...) of `(low, high)`.
    """
    counts = counts.double().cpu()
    plans = {
        "per_image": (_columns(scores(counts)), lambda means: means),
        "pooled": (counts, lambda means: _columns(scores(means))),
        "two_class": (_columns(two_class_scores(counts)), lambda means: means),
        "two_class_pooled": (counts, lambda means: _columns(two_class_scores(means))),
    }
    intervals = {}
    for averaging, (values, statistic) in plans.items():
        low, high = bootstrap_interval(values, statistic, samples=samples, seed=seed, level=level).tolist()
        intervals[averaging] = {name: (low[i], high[i]) for i, name in enumerate(METRICS)}
    return intervals


def _columns(named: dict[str, Tensor]) -> Tensor:
    return torch.stack([named[name] for name in METRICS], dim=-1)
