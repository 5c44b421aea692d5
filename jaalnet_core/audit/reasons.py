"""Why numbers are impossible: which of them contradict each other, by which law, and what they would allow."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np

from jaalnet_core.audit import pooled
from jaalnet_core.audit.extremes import Objective
from jaalnet_core.audit.means import Mixtures
from jaalnet_core.audit.published import Numbers
from jaalnet_core.audit.rules import Rule

MOST_REASONS = 3
NAMES = {"dice": "Dice", "iou": "IoU"}
# Which number of a contradiction to predict from the others: the one a reader can check by hand first.
PREDICTED_FIRST = ("iou", "accuracy", "specificity", "dice", "sensitivity")
Possible = Callable[[Numbers], bool]


def pooled_reasons(numbers: Numbers, rule: Rule) -> tuple[str, ...]:
    """Why no single table shows these numbers: contradictions with a named law first, then the shortest."""
    found = contradictions(numbers, lambda some: pooled.find_table(some, rule) is not None)
    found.sort(key=lambda contradiction: _law(contradiction, rule) is None)
    reasons = []
    for contradiction in found[:MOST_REASONS]:
        metric = _predicted(contradiction)
        low, high = pooled.permitted_range(metric, contradiction, rule)
        reasons.append(_sentence(contradiction, rule, metric, low, high))
    return tuple(reasons)


def mean_reasons(mixtures: Mixtures) -> tuple[str, ...]:
    """Why no set of images shows these means; without a law to name, the inequality that every image obeys."""
    rule, direction = mixtures.rule, np.abs(mixtures.outcome.direction)
    involved = {
        metric
        for metric, part in zip(mixtures.numbers.metrics, direction, strict=True)
        if part > 1e-6 * direction.max()
    }
    contradiction = one_contradiction(
        mixtures.numbers.only(involved), lambda some: Mixtures(some, rule).outcome.possible
    )
    metric = _predicted(contradiction)
    others = Mixtures(contradiction.only(set(contradiction.metrics) - {metric}), rule)
    low = others.least(Objective({metric: -1.0}), precision=2e-6)
    high = -others.least(Objective({metric: 1.0}), precision=2e-6)
    reasons = [_sentence(contradiction, rule, metric, max(0.0, low), min(1.0, high))]
    if _law(contradiction, rule) is None:
        reasons.append(_inequality(Mixtures(contradiction, rule)))
    return tuple(reasons)


def contradictions(numbers: Numbers, possible: Possible) -> list[Numbers]:
    """All sets of numbers that cannot stand together and have none to spare, the smallest first."""
    found: list[Numbers] = []
    for size in range(1, len(numbers.metrics) + 1):
        for metrics in combinations(numbers.metrics, size):
            known = any(set(smaller.metrics) <= set(metrics) for smaller in found)
            if not known and not possible(numbers.only(metrics)):
                found.append(numbers.only(metrics))
    return found


def one_contradiction(numbers: Numbers, possible: Possible) -> Numbers:
    """One such set within numbers that cannot stand together."""
    for metric in numbers.metrics:
        rest = numbers.only(set(numbers.metrics) - {metric})
        if rest.published and not possible(rest):
            numbers = rest
    return numbers


def name(metric: str) -> str:
    """A metric as a sentence writes it."""
    return NAMES.get(metric, metric)


def _predicted(numbers: Numbers) -> str:
    return next(metric for metric in PREDICTED_FIRST if metric in numbers)


def _sentence(contradiction: Numbers, rule: Rule, metric: str, low: float, high: float) -> str:
    """`Dice 91.53 allows IoU 84.374 to 84.391, not 89.68: on one table IoU = Dice / (2 - Dice).`"""
    givens = [f"{name(one.metric)} {one.text}" for one in contradiction.published if one.metric != metric]
    first, last = contradiction.show(low, 1), contradiction.show(high, 1)
    values = f"only {first}" if first == last else f"{first} to {last}"
    given = " and ".join([", ".join(givens[:-1]), givens[-1]] if len(givens) > 1 else givens)
    law = _law(contradiction, rule)
    sentence = (
        f"{given} {'allow' if len(givens) > 1 else 'allows'} {name(metric)} {values}, not "
        f"{contradiction[metric].text}{f': {law}' if law else ''}."
    )
    return sentence[0].upper() + sentence[1:]


def _law(contradiction: Numbers, rule: Rule) -> str | None:
    """The law behind a contradiction between these metrics, where it has a short name."""
    metrics, both = set(contradiction.metrics), rule.both_classes
    if metrics == {"dice", "iou"} and ("dice" in both) == ("iou" in both):
        if rule.pooled and both:
            return "each class has IoU = Dice / (2 - Dice), and so the means of two have little room"
        if not rule.pooled:
            return (
                "for each class of each image IoU = Dice / (2 - Dice), a curve that bends upwards, so a mean "
                "IoU is at least m / (2 - m) at mean Dice m (Jensen), and at most m, where all is right or wrong"
            )
        return "on one table IoU = Dice / (2 - Dice)"
    if metrics == {"sensitivity", "specificity"} and "sensitivity" in both:
        return "taken over both classes, each of them is the mean of the two, so they are equal"
    if metrics == {"accuracy", "sensitivity", "specificity"} and not both & metrics:
        if rule.pooled:
            return (
                "pooled accuracy is p · sensitivity + (1 - p) · specificity, p being the lesion's share of the "
                "pixels, so it lies between the two"
            )
        return "in every image accuracy is at least sensitivity + specificity - 1"
    if metrics == {"dice", "accuracy", "sensitivity", "specificity"} and rule.pooled and not both:
        return "the three others fix the lesion's share of the pixels, and with it every pixel count"
    if "iou" in metrics and len(metrics) == 2 and not both & metrics:
        return f"IoU never exceeds {name((metrics - {'iou'}).pop())}, in any image"
    return None


def _inequality(mixtures: Mixtures) -> str:
    outcome = mixtures.outcome
    terms = [
        f"{'-' if part < 0 else '+'} {abs(part):.3f} {name(metric)}"
        for part, metric in zip(outcome.direction, mixtures.numbers.metrics, strict=True)
    ]
    return (
        f"In every image {' '.join(terms).removeprefix('+ ')} is at most {outcome.bound:.4f} (as fractions); "
        f"these means make it at least {outcome.reach:.4f}."
    )
