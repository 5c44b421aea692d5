"""Numbers that are possible as means over images, and what such images would have to look like."""

from __future__ import annotations

import numpy as np

from jaalnet_core.audit.extremes import Objective
from jaalnet_core.audit.means import Mixtures
from jaalnet_core.audit.published import Numbers

# Standard deviation of Dice as a share of an all-or-nothing set's. Published results on this data with a stated
# per-image protocol need 0.23 to 0.36 (their Dice and IoU); half is far outside that.
STRAINED = 0.5


def strain(mixtures: Mixtures) -> tuple[tuple[str, ...], dict[str, float]]:
    """What every set of images that shows these numbers has in common: sentences, and the measures behind them.

    - `dice_spread`: the least standard deviation of Dice over the images; `dice_spread_share`: as a share of
      sqrt(m (1 - m)), which a set of images with Dice 0 or 1 and mean m has; `dice_iou_spread_share`: the same
      for Dice and IoU without the other numbers.
    - `failed_share`: the least share of images with a Dice below one half.
    - `lost_dice_iou`: (1 - Dice) IoU = Dice - IoU in every image, so the mean IoU of the images, weighted by the
      Dice each has lost, is (Dice - IoU) / (1 - Dice).
    - `specificity_lost_at`, `sensitivity_lost_at`: wrong pixels of an image weigh (1 - p)(1 - specificity)
      + p (1 - sensitivity) in its accuracy, p being the lesion's share of the picture. So the mean of 1 - p,
      weighted by the specificity each image has lost, is at most (1 - accuracy) / (1 - specificity): p must be
      large there. And the mean of p, weighted by lost sensitivity, is at most
      (1 - accuracy) / (1 - sensitivity). Given when the accuracy exceeds both.
    """
    remarks: list[str] = []
    measures: dict[str, float] = {}
    numbers = mixtures.numbers
    if "dice" in numbers:
        remarks.append(_spread(mixtures, measures))
        measures["failed_share"] = _least_failed(mixtures)
        if measures["failed_share"] >= 0.001:
            remarks.append(f"At least {measures['failed_share']:.1%} of the images have a Dice below one half.")
    if "dice" in numbers and "iou" in numbers and not mixtures.rule.both_classes:
        remarks += _lost_dice(numbers, measures)
    if {"accuracy", "sensitivity", "specificity"} <= set(numbers.metrics):
        remarks += _lopsided(numbers, measures) if "sensitivity" not in mixtures.rule.both_classes else []
    return tuple(remarks), measures


def least_spread(mixtures: Mixtures) -> tuple[float, float]:
    """The least standard deviation of Dice over images, and its share of an all-or-nothing set's."""
    mean = mixtures.numbers["dice"].value

    def squared_difference(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        return np.maximum(0.0, np.maximum(low - mean, mean - high)) ** 2

    # Dice = 2j / (1 + j) has a first derivative of at most 2 and a second of at most 4 in size; the square of its
    # difference from the mean has at most 2 · 2^2 + 2 · 4.
    variance = mixtures.least(Objective({}, squared_difference, cost_curvature=16.0), precision=2e-4)
    spread, largest = max(0.0, variance) ** 0.5, (mean * (1 - mean)) ** 0.5
    return spread, min(1.0, spread / largest) if largest > 0 else 0.0


def _spread(mixtures: Mixtures, measures: dict[str, float]) -> str:
    numbers = mixtures.numbers
    measures["dice_spread"], measures["dice_spread_share"] = least_spread(mixtures)
    text = (
        f"Dice must differ between images with a standard deviation of at least "
        f"{numbers.show(measures['dice_spread'])}, {measures['dice_spread_share']:.0%} of what all-or-nothing "
        f"images of the same mean have"
    )
    pair = numbers.only({"dice", "iou"})
    if measures["dice_spread_share"] >= STRAINED and 1 < len(pair.metrics) < len(numbers.metrics):
        measures["dice_iou_spread_share"] = least_spread(Mixtures(pair, mixtures.rule))[1]
        text += f" (Dice and IoU by themselves: {measures['dice_iou_spread_share']:.0%})"
    return text + "."


def _least_failed(mixtures: Mixtures) -> float:
    failed = Objective({}, lambda low, high: (high < 0.5).astype(np.float64))
    return max(0.0, mixtures.least(failed))


def _lost_dice(numbers: Numbers, measures: dict[str, float]) -> list[str]:
    dice, iou = numbers["dice"].value, numbers["iou"].value
    if dice > 0.999:
        return []
    measures["lost_dice_iou"] = (dice - iou) / (1 - dice)
    return [
        f"The Dice that is lost is lost in images whose IoU averages {numbers.show(measures['lost_dice_iou'])} "
        f"(images that are all alike would have {numbers.show(dice / (2 - dice))})."
    ]


def _lopsided(numbers: Numbers, measures: dict[str, float]) -> list[str]:
    accuracy, sensitivity = numbers["accuracy"].value, numbers["sensitivity"].value
    specificity = numbers["specificity"].value
    if accuracy <= max(sensitivity, specificity):
        return []
    measures["specificity_lost_at"] = 1 - (1 - accuracy) / (1 - specificity)
    measures["sensitivity_lost_at"] = (1 - accuracy) / (1 - sensitivity)
    return [
        "Accuracy above both sensitivity and specificity: the lost specificity sits in pictures whose lesion fills "
        f"on average at least {measures['specificity_lost_at']:.0%} of the frame, the lost sensitivity in "
        f"pictures whose lesion fills on average at most {measures['sensitivity_lost_at']:.0%}."
    ]
