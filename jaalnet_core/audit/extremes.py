"""The confusion table with the greatest weighted sum of scores, and a proof that none exceeds it by much.

In the coordinates of `pooled.py` (IoU j, background IoU k, and f, the share of the wrong pixels that are missed
lesion) Dice, IoU and accuracy grow with j and k, and do not depend on f. The rest,

    u sensitivity + v specificity  =  u J / (J + f) + v K / (K + 1 - f),    J = j / (1 - j),  K = k / (1 - k),

is greatest over f at an end, where it is u + v k or u j + v, or, when u and v are both negative, where J + f is
to K + 1 - f as sqrt(-u J) to sqrt(-v K). So two variables are left, and over a rectangle of them every term is
bounded by one of its corners (Dice and IoU together by their curvature, which is sharper). Rectangles whose bound
does not exceed the best value found so far are dropped, the others are quartered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from jaalnet_core.audit.rules import Rule

FIRST_LEVEL = 5  # begin with 32 x 32 rectangles
LEVELS = 34
MOST_BOXES = 8_000
DiceCost = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Ends of intervals of Dice, `(N,)` each, to the least cost within each; the cost itself where the ends agree."""


@dataclass(frozen=True)
class Objective:
    """A weighted sum of a table's scores, minus a cost that depends on its Dice.

    Attributes:
        weights: of the metrics; those not named weigh nothing.
        dice_cost: none unless given.
        cost_curvature: bounds the cost's second derivative by the lesion's IoU, if it has one.
    """

    weights: Mapping[str, float]
    dice_cost: DiceCost | None = None
    cost_curvature: float | None = None


def greatest(objective: Objective, rule: Rule, tolerance: float) -> tuple[np.ndarray, float, float]:
    """Search all confusion tables.

    Args:
        objective: what to make great.
        rule: how tables are scored.
        tolerance: rectangles that cannot beat the best value by more than this are dropped.

    Returns:
        Good tables `(N, 4)`, shares tp, fp, fn, tn, the best one first; the best value; and a value that no
        table exceeds: the best plus `tolerance`, or more where the search had to give up on rectangles.
    """
    side = np.array([0.5**FIRST_LEVEL, 0.5**FIRST_LEVEL])
    axis = np.arange(2**FIRST_LEVEL) * side[0]
    corners = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    quarters = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    if not _needs_background(objective, rule):  # then any k will do
        corners, side, quarters = np.stack([axis, axis * 0 + 0.5], axis=1), side * [1, 0], quarters[::2]
    best, best_place, abandoned = -np.inf, corners[0], -np.inf
    good = np.zeros((0, 2))
    for level in range(LEVELS):
        if level:
            side = side / 2
            corners = (corners[:, None] + side * quarters).reshape(-1, 2)
        middles = corners + side / 2
        values = _bound(middles, middles, objective, rule)
        if values.max() > best:
            best, best_place = float(values.max()), middles[values.argmax()]
        if level == 1:
            good = _spread_out(middles, values)
        bounds = _bound(corners, corners + side, objective, rule)
        keep = np.flatnonzero(bounds > best + tolerance)
        if len(keep) > MOST_BOXES:  # go on with the most promising; the bound of the others stands
            order = keep[np.argsort(values[keep])]
            dropped, keep = order[: -MOST_BOXES // 2], order[-MOST_BOXES // 2 :]
            abandoned = max(abandoned, float(bounds[dropped].max()))
        corners = corners[keep]
        if not len(corners):
            break
    else:
        abandoned = max(abandoned, float(bounds[keep].max()))
    places = np.concatenate([best_place[None], good])
    return _tables(places, objective, rule), best, max(best + tolerance, abandoned)


def _spread_out(places: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The best place of each cell of a 4 x 4 grid."""
    cells = (places * 4).astype(int) @ [4, 1]
    order = np.argsort(values)[::-1]
    return places[order[np.unique(cells[order], return_index=True)[1]]]


def _needs_background(objective: Objective, rule: Rule) -> bool:
    weights = objective.weights
    if weights.get("accuracy") or weights.get("specificity"):
        return True
    if "sensitivity" in rule.both_classes and weights.get("sensitivity"):
        return True
    dice = weights.get("dice") or objective.dice_cost is not None
    return bool(("dice" in rule.both_classes and dice) or ("iou" in rule.both_classes and weights.get("iou")))


def _bound(low: np.ndarray, high: np.ndarray, objective: Objective, rule: Rule) -> np.ndarray:
    """`(N,)` values that the objective does not exceed between corners; the objective where they agree."""
    u, v = _recall_weights(objective, rule)
    bound = np.maximum(  # the splits f = 0 and f = 1
        _smooth_bound(low, high, (0.0, v), objective, rule) + u,
        _smooth_bound(low, high, (u, 0.0), objective, rule) + v,
    )
    if u < 0 and v < 0:
        split = _inner_split(*low.T, u, v)
        recalls = u * _share(odds(low[:, 0]), split) + v * _share(odds(low[:, 1]), 1 - split)
        bound = np.maximum(bound, _smooth_bound(low, high, (0.0, 0.0), objective, rule) + recalls)
    if objective.dice_cost is not None and not _cost_of_lesion(objective, rule):
        both = "dice" in rule.both_classes
        bound -= objective.dice_cost(dice(*low.T, both), dice(*high.T, both))
    return bound


def _smooth_bound(
    low: np.ndarray, high: np.ndarray, slopes: tuple[float, float], objective: Objective, rule: Rule
) -> np.ndarray:
    """What Dice, IoU, accuracy, a smooth cost of Dice and `slopes` times (j, k) add up to, at most.

    Dice, IoU and accuracy grow, so each by itself is greatest at one corner. But they are opposed in the cases
    that matter (more Dice, less IoU), where that is weak. Their sum stays below its greatest corner by less than
    (M_j + M_k) h^2 / 8, M bounding the second derivatives over sides h. The better of the two is taken.
    """
    weight = objective.weights.get("accuracy", 0.0)
    values, singles, curvature = [], 0.0, 0.0
    for axis in (0, 1):
        ends = low[:, axis], high[:, axis]
        at_ends, single, bend = _along_axis(*ends, axis, slopes[axis], objective, rule)
        values.append(at_ends)
        singles = singles + single
        curvature = curvature + bend * (ends[1] - ends[0]) ** 2 / 8
    if not weight:
        return np.minimum(singles, np.maximum(*values[0]) + np.maximum(*values[1]) + curvature)
    steepest = weight * accuracy(*(high if weight > 0 else low).T, False)
    apart = np.maximum(*values[0]) + np.maximum(*values[1]) + curvature + steepest
    corners = [
        values[0][x] + values[1][y] + weight * accuracy((low, high)[x][:, 0], (low, high)[y][:, 1], False)
        for x in (0, 1)
        for y in (0, 1)
    ]
    # The accuracy is 1 - (1-j)(1-k)/(1-jk); its second derivative by j is 2k (1-k)^2 / (1-jk)^3.
    (j, k), side = high.T, high - low
    with np.errstate(divide="ignore", invalid="ignore"):
        bend = k * (1 - low[:, 1]) ** 2 * side[:, 0] ** 2 + j * (1 - low[:, 0]) ** 2 * side[:, 1] ** 2
        bend = np.where(bend > 0, 2 * abs(weight) * bend / (1 - j * k) ** 3 / 8, 0.0)
    together = np.max(corners, axis=0) + curvature + bend
    return np.minimum(singles + steepest, np.minimum(apart, together))


def _along_axis(
    low: np.ndarray, high: np.ndarray, axis: int, slope: float, objective: Objective, rule: Rule
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray, np.ndarray]:
    """The terms of j alone (axis 0) or of k alone (axis 1).

    Returns:
        Their sum at both ends; the sum of what each is at most; a bound on the sum's second derivative.
    """

    def part(metric: str) -> float:
        weight = objective.weights.get(metric, 0.0)
        return weight / 2 if metric in rule.both_classes else weight * (axis == 0)

    d, i = part("dice"), part("iou") + slope
    cost = objective.dice_cost if axis == 0 and _cost_of_lesion(objective, rule) else None

    def value(x: np.ndarray) -> np.ndarray:
        lesion = dice(x, x, False)
        return d * lesion + i * x - (cost(lesion, lesion) if cost else 0.0)

    curvature = abs(d) * 4 / (1 + low) ** 3 + (objective.cost_curvature or 0.0) * (cost is not None)
    single = d * dice(high if d > 0 else low, low, False) + i * (high if i > 0 else low)
    if cost:
        single = single - cost(dice(low, low, False), dice(high, high, False))
    return (value(low), value(high)), single, curvature


def _cost_of_lesion(objective: Objective, rule: Rule) -> bool:
    """Whether the cost is a smooth function of j alone."""
    return objective.cost_curvature is not None and "dice" not in rule.both_classes


def _recall_weights(objective: Objective, rule: Rule) -> tuple[float, float]:
    u, v = objective.weights.get("sensitivity", 0.0), objective.weights.get("specificity", 0.0)
    return ((u + v) / 2, (u + v) / 2) if "sensitivity" in rule.both_classes else (u, v)


def _inner_split(j: np.ndarray, k: np.ndarray, u: float, v: float) -> np.ndarray:
    tp, tn = odds(j), odds(k)
    with np.errstate(invalid="ignore"):
        share = np.sqrt(-u * tp) / (np.sqrt(-u * tp) + np.sqrt(-v * tn))
    return np.clip(np.nan_to_num(share, nan=0.5) * (tp + tn + 1) - tp, 0, 1)


def _share(right: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """right / (right + wrong); of two zeros 0, which tables nearby come close to, and the objective prefers."""
    with np.errstate(invalid="ignore"):
        return np.where(right + wrong > 0, right / (right + wrong), 0.0)


def _tables(places: np.ndarray, objective: Objective, rule: Rule) -> np.ndarray:
    """`(N, 2)` of (j, k), below 1, to tables with the split that serves the objective best."""
    j, k = places.T
    u, v = _recall_weights(objective, rule)
    split = np.where(u + v * k >= u * j + v, 0.0, 1.0)
    if u < 0 and v < 0:
        split = _inner_split(j, k, u, v)
    tp, tn = odds(j), odds(k)
    return np.stack([tp, 1 - split, split, tn], axis=1) / (tp + tn + 1)[:, None]


def dice(j: np.ndarray, k: np.ndarray, both: bool) -> np.ndarray:
    """Dice at (j, k), of the lesion or of both classes."""
    lesion = 2 * j / (1 + j)
    return (lesion + 2 * k / (1 + k)) / 2 if both else lesion


def iou(j: np.ndarray, k: np.ndarray, both: bool) -> np.ndarray:
    """IoU at (j, k), of the lesion or of both classes."""
    return (j + k) / 2 if both else j


def accuracy(j: np.ndarray, k: np.ndarray, both: bool) -> np.ndarray:
    """Accuracy at (j, k), the same for either class."""
    return 1 - 1 / (1 + odds(j) + odds(k))


def odds(share: np.ndarray | float) -> np.ndarray:
    """share / (1 - share), infinite at 1."""
    with np.errstate(divide="ignore"):
        return np.asarray(share) / (1 - np.asarray(share))


MONOTONE = {"dice": dice, "iou": iou, "accuracy": accuracy}
