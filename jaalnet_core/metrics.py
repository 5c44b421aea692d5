"""Dice, IoU, accuracy, sensitivity and specificity from counted pixels, in four averagings side by side.

Everything starts from one confusion table an image: tp, fp, fn, tn, pixels counted with the lesion as the
positive class. The same tables give four different answers to "what is the Dice?":

- per image: each image's own Dice, then the mean over images (the official ISIC rule);
- pooled: one table summed over all pixels of all images, then its Dice (large lesions weigh more);
- two-class: the mean of the lesion's and the background's Dice in each image, then over images;
- two-class, pooled: the same mean of both classes, on the summed table.

An undefined ratio (0/0, such as the Dice of two empty masks) counts 1.0, the rule of the official scorer,
`isic-challenge-scoring`.

    >>> counts = confusion_counts(torch.tensor([[[1, 1, 0, 0]]]), torch.tensor([[[1, 0, 0, 0]]]))
    >>> counts
    tensor([[1, 1, 0, 2]])
    >>> round(per_image(counts)["dice"], 4)
    0.6667
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

METRICS = ("dice", "iou", "accuracy", "sensitivity", "specificity")


def confusion_counts(prediction: Tensor, mask: Tensor) -> Tensor:
    """Count true positives, false positives, false negatives and true negatives of each image.

    Args:
        prediction: `(B, 1, H, W)` or `(B, H, W)`, boolean or 0/1 (already thresholded).
        mask: the expert's mask, same shape, boolean or 0/1.

    Returns:
        `(B, 4)` int64: tp, fp, fn, tn. Each row sums to H·W.

    Raises:
        ValueError: the shapes differ, or a tensor holds something other than 0 and 1.
    """
    if prediction.shape != mask.shape or prediction.ndim < 2:
        raise ValueError(
            f"prediction {tuple(prediction.shape)} and mask {tuple(mask.shape)}: expected the same shape, "
            "(B, 1, H, W) or (B, H, W)."
        )
    predicted = _as_boolean(prediction, "prediction").flatten(1)
    lesion = _as_boolean(mask, "mask").flatten(1)
    tp = (predicted & lesion).sum(1)
    fp = predicted.sum(1) - tp
    fn = lesion.sum(1) - tp
    tn = predicted.shape[1] - tp - fp - fn
    return torch.stack([tp, fp, fn, tn], dim=1)


def _as_boolean(tensor: Tensor, name: str) -> Tensor:
    if tensor.dtype == torch.bool:
        return tensor
    if not bool(((tensor == 0) | (tensor == 1)).all()):
        raise ValueError(f"{name}: found values other than 0 and 1; threshold it first (> 0.5).")
    return tensor.bool()


def scores(counts: Tensor) -> dict[str, Tensor]:
    """The five metrics of each confusion table.

    Args:
        counts: `(..., 4)`: tp, fp, fn, tn; counted pixels, or shares of an image.

    Returns:
        One float64 tensor `(...)` in 0..1 for each name in `METRICS`; an undefined ratio is 1.0.
    """
    tp, fp, fn, tn = counts.double().unbind(-1)
    return {
        "dice": _ratio(2 * tp, 2 * tp + fp + fn),
        "iou": _ratio(tp, tp + fp + fn),
        "accuracy": _ratio(tp + tn, tp + fp + fn + tn),
        "sensitivity": _ratio(tp, tp + fn),
        "specificity": _ratio(tn, tn + fp),
    }


def two_class_scores(counts: Tensor) -> dict[str, Tensor]:
    """The mean of the lesion's and the background's value of each metric.

    Taking the background as the positive class reads a table backwards (tn, fn, fp, tp). Dice and IoU change
    with it; the accuracy is the same; the background's sensitivity is the lesion's specificity, so that
    sensitivity and specificity both become their mean, the balanced accuracy.

    Args:
        counts: `(..., 4)`: tp, fp, fn, tn.

    Returns:
        One float64 tensor `(...)` in 0..1 for each name in `METRICS`.
    """
    lesion, background = scores(counts), scores(counts.flip(-1))
    return {name: (lesion[name] + background[name]) / 2 for name in METRICS}


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    undefined = denominator == 0
    return torch.where(undefined, 1.0, numerator / denominator.masked_fill(undefined, 1.0))


def per_image(counts: Tensor) -> dict[str, float]:
    """Each image's metrics, then their mean over the `(N, 4)` tables."""
    return {name: value.mean().item() for name, value in scores(_tables(counts)).items()}


def pooled(counts: Tensor) -> dict[str, float]:
    """The metrics of one table: the sum of all `(N, 4)` tables."""
    return {name: value.item() for name, value in scores(_tables(counts).sum(0)).items()}


def two_class(counts: Tensor) -> dict[str, float]:
    """The mean of lesion and background in each of the `(N, 4)` tables, then over images."""
    return {name: value.mean().item() for name, value in two_class_scores(_tables(counts)).items()}


def two_class_pooled(counts: Tensor) -> dict[str, float]:
    """The mean of lesion and background in the sum of all `(N, 4)` tables."""
    return {name: value.item() for name, value in two_class_scores(_tables(counts).sum(0)).items()}


AVERAGINGS = {
    "per_image": per_image,
    "pooled": pooled,
    "two_class": two_class,
    "two_class_pooled": two_class_pooled,
}


def _tables(counts: Tensor) -> Tensor:
    if counts.ndim != 2 or counts.shape[1] != 4 or counts.shape[0] == 0:
        raise ValueError(f"counts: found {tuple(counts.shape)}, expected (N, 4) with at least one image.")
    return counts


class SegmentationMetrics(Metric):
    """All four averagings over a stream of batches; safe across processes (the tables are gathered).

    `update(prediction, mask)` takes what `confusion_counts` takes; `compute()` returns
    `{"per_image": {...}, "pooled": {...}, "two_class": {...}, "two_class_pooled": {...}}`, floats in 0..1.
    """

    higher_is_better = True
    is_differentiable = False
    full_state_update = False
    counts: list[Tensor]

    def __init__(self, **settings) -> None:
        super().__init__(**settings)
        self.add_state("counts", default=[], dist_reduce_fx="cat")

    def update(self, prediction: Tensor, mask: Tensor) -> None:
        """Add a batch of thresholded predictions and their masks, `(B, 1, H, W)` or `(B, H, W)`."""
        self.counts.append(confusion_counts(prediction, mask))

    def compute(self) -> dict[str, dict[str, float]]:
        """The metrics of every image seen since the last reset, in all averagings."""
        counts = dim_zero_cat(self.counts)
        return {name: average(counts) for name, average in AVERAGINGS.items()}
