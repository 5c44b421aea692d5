"""The ways of averaging that an audit considers: which numbers are pooled, which are means over both classes."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from jaalnet_core.metrics import METRICS, scores, two_class_scores


@dataclass(frozen=True)
class Rule:
    """One way of averaging.

    Attributes:
        name: its key; the first four are those of `metrics.AVERAGINGS`.
        title: for people.
        pooled: one confusion table for all pixels of all images; else each image's values, then their mean.
        both_classes: metrics that are the mean of the lesion's and the background's value.
    """

    name: str
    title: str
    pooled: bool
    both_classes: frozenset[str] = frozenset()

    def values(self, tables: Tensor) -> dict[str, Tensor]:
        """What each confusion table `(..., 4)` contributes: one float64 tensor `(...)` for each metric."""
        lesion, both = scores(tables), two_class_scores(tables)
        return {name: both[name] if name in self.both_classes else lesion[name] for name in METRICS}


_ALL = frozenset({"dice", "iou", "sensitivity", "specificity"})  # the accuracy is the same for either class
_OVERLAP = frozenset({"dice", "iou"})
_IOU = frozenset({"iou"})

RULES = (
    Rule("per_image", "per image", pooled=False),
    Rule("pooled", "pooled over all pixels", pooled=True),
    Rule("two_class", "mean of both classes, per image", pooled=False, both_classes=_ALL),
    Rule("two_class_pooled", "mean of both classes, pooled", pooled=True, both_classes=_ALL),
    # Habits of published code that mix the two: toolkits whose IoU (or Dice) is a mean over the classes, beside
    # a sensitivity and a specificity that are the lesion's own.
    Rule("two_class_overlap", "Dice and IoU of both classes, per image", pooled=False, both_classes=_OVERLAP),
    Rule("two_class_overlap_pooled", "Dice and IoU of both classes, pooled", pooled=True, both_classes=_OVERLAP),
    Rule("two_class_iou", "IoU alone of both classes, per image", pooled=False, both_classes=_IOU),
    Rule("two_class_iou_pooled", "IoU alone of both classes, pooled", pooled=True, both_classes=_IOU),
)
