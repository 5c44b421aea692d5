"""The linear program over tables: its solver against SciPy's, its witnesses and its certificates on fresh tables."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from jaalnet_core.audit.extremes import Objective
from jaalnet_core.audit.means import Mixtures
from jaalnet_core.audit.published import read_numbers
from jaalnet_core.audit.reasons import contradictions, one_contradiction
from jaalnet_core.audit.rules import RULES
from jaalnet_core.audit.simplex import minimise
from jaalnet_core.audit.strain import least_spread
from jaalnet_core.metrics import METRICS

RULE = {rule.name: rule for rule in RULES if not rule.pooled}


@pytest.mark.parametrize("seed", range(12))
def test_simplex_agrees_with_scipy(seed):
    random = np.random.default_rng(seed)
    rows, count = 6, 40
    columns = np.hstack([random.normal(size=(rows, count)), np.eye(rows)])
    target = random.uniform(0, 1, rows) * (random.random(rows) < 0.7)  # zeros make degenerate corners
    costs = np.concatenate([random.uniform(-0.2, 1, count), np.full(rows, 5.0)])
    columns = np.vstack([columns, np.ones(count + rows)])  # the sum is bounded, so the objective is
    columns = np.hstack([columns, np.eye(rows + 1)[:, -1:]])
    costs, target = np.append(costs, 0.0), np.append(target, 9.0)
    solution = minimise(costs, columns, target, np.arange(count, count + rows + 1))
    expected = linprog(costs, A_eq=columns, b_eq=target, method="highs")
    assert solution.objective == pytest.approx(expected.fun, abs=1e-8)
    assert columns[:, solution.basis] @ solution.values == pytest.approx(target, abs=1e-8)
    assert (costs - solution.duals @ columns).min() >= -1e-8


def test_simplex_reports_an_objective_without_bound():
    with pytest.raises(ArithmeticError, match="no lower bound"):
        minimise(np.array([0.0, -1.0]), np.array([[1.0, -1.0]]), np.array([1.0]), np.array([0]))


def random_tables(count: int, seed: int) -> torch.Tensor:
    """Tables of all kinds, many with one share or more near zero."""
    generator = torch.Generator().manual_seed(seed)
    tables = torch.rand(count, 4, generator=generator, dtype=torch.float64)
    return tables ** torch.tensor([1, 2, 6, 14])[torch.randint(4, (count, 1), generator=generator)]


@pytest.mark.parametrize("name", RULE)
def test_verdicts_carry_their_own_proof(name):
    """Possible: the images in use show the numbers. Impossible: the inequality holds for 100,000 other images."""
    rule, random = RULE[name], np.random.default_rng(8)
    fresh = rule.values(random_tables(100_000, seed=1))
    fresh = torch.stack([fresh[metric] for metric in METRICS], dim=1).numpy()
    verdicts = []
    for _ in range(12):
        centre = fresh[random.integers(len(fresh), size=3)].mean(0)
        target = np.clip(centre + random.normal(scale=0.08, size=5), 0, 1)
        if "sensitivity" in rule.both_classes:
            target[4] = target[3]  # one number there; two would always be impossible
        numbers = read_numbers({metric: f"{value:.3f}" for metric, value in zip(METRICS, target, strict=True)})
        mixtures = Mixtures(numbers, rule)
        outcome = mixtures.outcome
        verdicts.append(outcome.possible)
        if outcome.possible:
            values = rule.values(torch.from_numpy(outcome.tables))
            means = outcome.weights @ torch.stack([values[metric] for metric in METRICS], dim=1).numpy()
            assert outcome.weights.sum() == pytest.approx(1)
            assert (means >= mixtures.low - 2e-7).all()
            assert (means <= mixtures.high + 2e-7).all()
        else:
            assert (fresh @ outcome.direction).max() <= outcome.bound + 1e-9
            nearest = np.where(outcome.direction > 0, mixtures.low, mixtures.high) @ outcome.direction
            assert nearest == pytest.approx(outcome.reach, abs=1e-7)
            assert outcome.reach > outcome.bound
    assert len(set(verdicts)) == 2, "the numbers tried should be of both kinds"


def test_the_least_and_greatest_iou_at_a_mean_dice():
    program = Mixtures(read_numbers({"dice": "0.80000"}), RULE["per_image"])
    assert program.least(Objective({"iou": -1.0}), 1e-6) == pytest.approx(0.8 / 1.2, abs=2e-5)
    assert -program.least(Objective({"iou": 1.0}), 1e-6) == pytest.approx(0.8, abs=2e-5)


def test_a_bound_is_not_above_what_a_random_mixture_reaches():
    """Lower bounds are compared with SciPy's optimum over 4,000 random tables: an upper bound of the truth."""
    rule = RULE["per_image"]
    tables = random_tables(4000, seed=5)
    scores = torch.stack([rule.values(tables)[metric] for metric in METRICS], dim=1).numpy()
    target = scores[:60].mean(0)
    numbers = read_numbers({metric: f"{value:.3f}" for metric, value in zip(METRICS, target, strict=True)})
    program = Mixtures(numbers, rule)
    measure = (scores[:, 0] - numbers["dice"].value) ** 2
    inside = linprog(
        measure,
        A_ub=np.vstack([scores.T, -scores.T]),
        b_ub=np.concatenate([program.high, -program.low]),
        A_eq=np.ones((1, len(scores))),
        b_eq=[1.0],
        method="highs",
    )
    assert inside.success
    spread, _ = least_spread(program)
    assert inside.fun * 0.7 - 0.001 <= spread**2 <= inside.fun + 1e-6


def test_contradictions_are_smallest():
    numbers = read_numbers(dict.fromkeys(METRICS, "0.5"))

    def possible(some):
        return not ({"dice", "iou"} <= set(some.metrics) or {"accuracy", "iou", "specificity"} <= set(some.metrics))

    found = [set(one.metrics) for one in contradictions(numbers, possible)]
    assert found == [{"dice", "iou"}, {"iou", "accuracy", "specificity"}]
    assert set(one_contradiction(numbers, possible).metrics) in found
