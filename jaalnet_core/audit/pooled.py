"""Can one confusion table show these numbers? A search that proves its "no".

Count pixels in units of the wrong ones: J = tp / (fp + fn), K = tn / (fp + fn), and f = fn / (fp + fn) is how
the wrong ones are split. Then

    IoU          j = J / (J + 1)      background  k = K / (K + 1)
    Dice         2j / (1 + j)         background  2k / (1 + k)
    accuracy     (J + K) / (J + K + 1)
    sensitivity  J / (J + f)          specificity  K / (K + 1 - f)

The first three depend on (j, k) alone and grow with both. Sensitivity lies in [s, S] when f lies in
[J (1-S)/S, J (1-s)/s], specificity in [c, C] when 1 - f lies in [K (1-C)/C, K (1-c)/c]; a split exists exactly when

    J (1-S)/S + K (1-C)/C  <=  1  <=  J (1-s)/s + K (1-c)/c.

The mean of sensitivity and specificity is convex in f: greatest at an end, (1 + max(j, k)) / 2, and least where
J + f is to K + 1 - f as sqrt(J) to sqrt(K), or at the nearer end; both extremes grow with j and k. So every
condition is monotone in (j, k), and two corners bound it over a rectangle of the unit square. The search halves
rectangles and drops those that their corners exclude: when none is left, no table shows the numbers. (A table
with an undefined ratio, 0/0 counted as 1, is a limit of others, and published numbers have a width.)
"""

from __future__ import annotations

import numpy as np

from jaalnet_core.audit.extremes import MONOTONE, odds
from jaalnet_core.audit.published import Numbers, Published
from jaalnet_core.audit.rules import Rule

LEVELS = 40  # halvings of the unit square: 1e-12, far below any rounding
MOST_BOXES = 400_000
Table = tuple[float, float, float, float]


def find_table(numbers: Numbers, rule: Rule) -> Table | None:
    """Shares tp, fp, fn, tn of a table that shows the numbers within their rounding, or None if there is none.

    "None" is proven, up to floating-point rounding. Numbers that touch the very edge of the possible get the
    benefit of the doubt: the table is then only as near as the finest level allows.
    """
    if _contradicts_itself(numbers, rule):
        return None
    corners = np.zeros((1, 2))
    side = 1.0
    for _ in range(LEVELS):
        side /= 2
        corners = (corners[:, None] + side * np.array([[0, 0], [0, 1], [1, 0], [1, 1]])).reshape(-1, 2)
        corners = corners[_possible(corners, corners + side, numbers, rule)]
        if not len(corners):
            return None
        middle = corners + side / 2
        shown = _possible(middle, middle, numbers, rule)
        if shown.any() or len(corners) > MOST_BOXES:
            return _table(*middle[shown.argmax()], numbers, rule)
    return _table(*middle[0], numbers, rule)


def permitted_range(metric: str, numbers: Numbers, rule: Rule) -> tuple[float, float]:
    """The least and the greatest value of a metric over all tables that show the other numbers.

    The other numbers must be possible by themselves. Found by halving, to 4e-6: is there a table with at most
    (at least) x?
    """
    others = tuple(one for one in numbers.published if one.metric != metric)

    def possible(low: float, high: float) -> bool:
        asked = Published(metric, (low + high) / 2, low, high, "")
        return find_table(Numbers((*others, asked), numbers.percent), rule) is not None

    ends = []
    for outside, inside in ((0.0, 1.0), (1.0, 0.0)):
        for _ in range(18):
            middle = (inside + outside) / 2
            if possible(min(middle, outside), max(middle, outside)):
                inside = middle
            else:
                outside = middle
        ends.append(inside)
    return ends[0], ends[1]


def _possible(low: np.ndarray, high: np.ndarray, numbers: Numbers, rule: Rule) -> np.ndarray:
    """`(N,)`: whether the corners `low` and `high`, `(N, 2)` of (j, k), fail to exclude the rectangle between."""
    possible = np.ones(len(low), dtype=bool)
    for published in numbers.published:
        if published.metric in MONOTONE:
            bound, both = MONOTONE[published.metric], published.metric in rule.both_classes
            possible &= bound(*low.T, both) <= published.high
            possible &= bound(*high.T, both) >= published.low
    if _mean_recall(numbers, rule):
        least, greatest = _mean_recall_interval(numbers)
        possible &= _mean_of_recalls(*low.T, _worst_split(*low.T)) <= greatest
        possible &= (1 + high.max(1)) / 2 >= least
    else:
        (s, upper_s), (c, upper_c) = _interval(numbers, "sensitivity"), _interval(numbers, "specificity")
        odds_low, odds_high = odds(low), odds(high)
        possible &= odds_low @ [(1 - upper_s) / upper_s, (1 - upper_c) / upper_c] <= 1
        if s > 0 and c > 0:  # a lower bound of 0 lets that side take any number of wrong pixels
            with np.errstate(invalid="ignore"):
                possible &= ~(odds_high @ [(1 - s) / s, (1 - c) / c] < 1)
    return possible


def _worst_split(j: np.ndarray, k: np.ndarray) -> np.ndarray:
    """The f with the least mean of sensitivity and specificity."""
    tp, tn = odds(j), odds(k)
    with np.errstate(invalid="ignore"):
        share = np.sqrt(tp) / (np.sqrt(tp) + np.sqrt(tn))
    return np.clip(np.nan_to_num(share, nan=0.5) * (tp + tn + 1) - tp, 0, 1)


def _mean_of_recalls(j: np.ndarray, k: np.ndarray, split: np.ndarray | float) -> np.ndarray:
    tp, tn = odds(j), odds(k)
    with np.errstate(invalid="ignore"):
        return (np.nan_to_num(tp / (tp + split)) + np.nan_to_num(tn / (tn + 1 - split))) / 2


def _table(j: float, k: float, numbers: Numbers, rule: Rule) -> Table:
    """The table at (j, k), with a split that shows the sensitivity and specificity asked for."""
    tp, tn = float(odds(j)), float(odds(k))
    if _mean_recall(numbers, rule):
        least, greatest = _mean_recall_interval(numbers)
        low, high = float(_worst_split(j, k)), 0.0 if k > j else 1.0  # the mean grows from low to high
        for _ in range(60):
            split = (low + high) / 2
            if _mean_of_recalls(j, k, split) < (least + greatest) / 2:
                low = split
            else:
                high = split
    else:
        (s, upper_s), (c, upper_c) = _interval(numbers, "sensitivity"), _interval(numbers, "specificity")
        low = max(tp * (1 - upper_s) / upper_s, 1 - (tn * (1 - c) / c if c > 0 else 1.0))
        high = min(tp * (1 - s) / s if s > 0 else 1.0, 1 - tn * (1 - upper_c) / upper_c)
        split = min(1.0, max(0.0, (low + high) / 2))
    total = tp + tn + 1
    return tp / total, (1 - split) / total, split / total, tn / total


def _mean_recall(numbers: Numbers, rule: Rule) -> bool:
    """Whether sensitivity and specificity, if given, are both their mean."""
    return "sensitivity" in rule.both_classes and ("sensitivity" in numbers or "specificity" in numbers)


def _mean_recall_interval(numbers: Numbers) -> tuple[float, float]:
    pairs = [_interval(numbers, name) for name in ("sensitivity", "specificity")]
    return max(low for low, _ in pairs), min(high for _, high in pairs)


def _contradicts_itself(numbers: Numbers, rule: Rule) -> bool:
    """Two numbers that are one quantity, with intervals apart; the search would need long to see it."""
    if _mean_recall(numbers, rule):
        least, greatest = _mean_recall_interval(numbers)
        return least > greatest
    if rule.both_classes:
        return False
    (dice_low, dice_high), (iou_low, iou_high) = _interval(numbers, "dice"), _interval(numbers, "iou")
    return max(dice_low / (2 - dice_low), iou_low) > min(dice_high / (2 - dice_high), iou_high)


def _interval(numbers: Numbers, metric: str) -> tuple[float, float]:
    return (numbers[metric].low, numbers[metric].high) if metric in numbers else (0.0, 1.0)
