"""The greatest weighted sum of scores over all tables: against random tables, and where it is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from jaalnet_core.audit.extremes import Objective, greatest
from jaalnet_core.audit.rules import RULES
from jaalnet_core.metrics import METRICS

RULE = {rule.name: rule for rule in RULES if not rule.pooled}


def random_tables(count: int = 100_000) -> torch.Tensor:
    """Tables of all kinds, many with one share or more near zero, some with a class or an error missing."""
    generator = torch.Generator().manual_seed(1)
    tables = torch.rand(count, 4, generator=generator, dtype=torch.float64)
    tables = tables ** torch.tensor([1, 2, 6, 14])[torch.randint(4, (count, 1), generator=generator)]
    return tables * (torch.rand(count, 4, generator=generator) > 0.1)


def value(objective: Objective, rule, tables: torch.Tensor) -> np.ndarray:
    scores = rule.values(tables)
    total = sum(weight * scores[metric].numpy() for metric, weight in objective.weights.items())
    if objective.dice_cost is not None:
        total = total - objective.dice_cost(scores["dice"].numpy(), scores["dice"].numpy())
    return total


@pytest.mark.parametrize("name", RULE)
def test_no_table_exceeds_the_bound_and_the_best_one_reaches_its_value(name):
    rule, random, tables = RULE[name], np.random.default_rng(3), random_tables()
    for trial in range(25):
        weights = random.normal(size=5) * (random.random(5) < 0.7)
        objective = Objective(dict(zip(METRICS, weights.tolist(), strict=True)))
        if trial % 5 == 4:
            objective = Objective(objective.weights, lambda low, high: (high < 0.5).astype(float))
        found, best, bound = greatest(objective, rule, tolerance=1e-4)
        assert value(objective, rule, torch.from_numpy(found))[0] == pytest.approx(best, abs=1e-6)
        assert value(objective, rule, tables).max() <= bound + 1e-9
        assert best <= bound <= best + 2e-3


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"dice": 1.0}, 1.0),
        ({"dice": -1.0}, 0.0),
        ({"iou": 1.0, "dice": -1.0}, 0.0),
        ({"dice": 1.0, "iou": -1.0}, 3 - 2 * 2**0.5),  # at Dice 2 - sqrt 2
        ({"accuracy": -1.0, "sensitivity": 1.0, "specificity": 1.0}, 1.0),  # accuracy >= s + c - 1
        ({"accuracy": 1.0, "sensitivity": -1.0, "specificity": -1.0}, 0.0),  # all wrong; else s or c is high
        ({"iou": 1.0, "sensitivity": -1.0}, 0.0),
    ],
)
def test_greatest_values_known_in_closed_form(weights, expected):
    _, best, bound = greatest(Objective(weights), RULE["per_image"], tolerance=1e-6)
    assert best == pytest.approx(expected, abs=1e-5)
    # Where the greatest value is reached along a curve, with the accuracy in play, the search gives up earlier.
    assert bound == pytest.approx(expected, abs=1e-3 if "accuracy" in weights else 1e-5)


def test_a_smooth_cost_is_bounded_as_sharply_as_no_cost():
    def cost(low, high):
        return np.maximum(0, np.maximum(low - 0.9, 0.9 - high)) ** 2

    objective = Objective({"dice": -2.1, "iou": 1.3}, cost, cost_curvature=16.0)
    _, best, bound = greatest(objective, RULE["per_image"], tolerance=1e-7)
    dice = np.linspace(0, 1, 100_001)
    expected = (-2.1 * dice + 1.3 * dice / (2 - dice) - (dice - 0.9) ** 2).max()
    assert best == pytest.approx(expected, abs=2e-7)
    assert bound == pytest.approx(expected, abs=2e-7)
