"""Where to cut probabilities into a mask: the scores at every threshold, and what choosing the best one costs.

curve = threshold_curve(probabilities, masks)
curve.scores()["dice"]      # (T,) mean Dice at each threshold
curve.best()                # the threshold with the highest, to be chosen on validation pictures
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from jaalnet_core.metrics import AVERAGINGS, METRICS, confusion_counts

THRESHOLDS = tuple(round(0.01 * step, 2) for step in range(1, 100))


@dataclass(frozen=True, eq=False)
class ThresholdCurve:
    """Counted pixels of each image at each threshold.

    Attributes:
        thresholds: `(T,)` float64, rising.
        counts: `(T, N, 4)` int64: tp, fp, fn, tn where probabilities above the threshold are lesion.
    """

    thresholds: Tensor
    counts: Tensor

    def scores(self, averaging: str = "per_image") -> dict[str, Tensor]:
        """The five metrics at every threshold, `(T,)` float64 each, in one of `metrics.AVERAGINGS`."""
        rows = [AVERAGINGS[averaging](counts) for counts in self.counts]
        return {name: torch.tensor([row[name] for row in rows], dtype=torch.float64) for name in METRICS}

    def best(self, metric: str = "dice", averaging: str = "per_image") -> float:
        """The threshold with the highest value of a metric; of several as high, the middle one."""
        values = self.scores(averaging)[metric]
        highest = torch.nonzero(values >= values.max() - 1e-12).flatten()
        return self.thresholds[highest[len(highest) // 2]].item()

    def at(self, threshold: float) -> Tensor:
        """The `(N, 4)` tables at the threshold nearest to the one asked for."""
        return self.counts[(self.thresholds - threshold).abs().argmin()]

    def take(self, images: Sequence[int] | Tensor) -> ThresholdCurve:
        """The same for some of the images, by their indices."""
        return ThresholdCurve(self.thresholds, self.counts[:, torch.as_tensor(images)])


def threshold_curve(probabilities: Tensor, masks: Tensor, thresholds: Sequence[float] = THRESHOLDS) -> ThresholdCurve:
    """Count the pixels of every image at every threshold.

    Args:
        probabilities: `(N, 1, H, W)` or `(N, H, W)`, 0..1.
        masks: the experts', same shape, boolean or 0/1.
        thresholds: 0..1, rising; 0.01, 0.02 to 0.99 unless given.

    Raises:
        ValueError: shapes that differ, a mask that is not 0 and 1, or thresholds that do not rise within 0..1.
    """
    cuts = torch.as_tensor(thresholds, dtype=torch.float64)
    if cuts.ndim != 1 or not len(cuts) or bool((cuts.diff() <= 0).any()) or cuts[0] < 0 or cuts[-1] > 1:
        raise ValueError(f"thresholds: found {list(thresholds)}, expected numbers that rise within 0 to 1.")
    masks = masks.bool() if bool(((masks == 0) | (masks == 1)).all()) else masks  # else refused below, in words
    return ThresholdCurve(cuts, torch.stack([confusion_counts(probabilities > cut, masks) for cut in cuts.tolist()]))
