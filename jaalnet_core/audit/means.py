"""Can means over images show these numbers? A linear program over all confusion tables there can be.

A mean over images is a point of the convex hull of what single images can show, and the hull is all that can be
said: any mixture of tables is some test set. So the question is whether weights exist, one for each table, that
are not negative, sum to 1, and whose mean scores lie within the rounding of the numbers. Minimising how far they
stay outside is a linear program with two rows for each number and a column for every table there can be.

The columns are generated as they are needed. The program's duals w, c say which table would help most: the one
with the greatest w · scores(table), which `extremes.py` finds, with a bound that no table exceeds. If that bound
is below c' while w · numbers is above, the inequality w · scores <= c' holds for every image, hence for every
mean, and the numbers are impossible: proven, and the inequality is the reason. If the distance reaches zero, the
tables in use are a test set that shows the numbers.

Other questions put to the same columns: the least value of one more mean, such as the share of images with a Dice
below one half, among all test sets that show the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from jaalnet_core.audit.extremes import Objective, greatest
from jaalnet_core.audit.published import Numbers
from jaalnet_core.audit.rules import Rule
from jaalnet_core.audit.simplex import Solution, minimise

REACHED = 1e-7  # a distance (as a fraction) that counts as zero: far below what is ever published
ROUNDS = 150
ROUNDS_OF_MEASURES = 40
FAR = 1e4  # what a unit of distance costs beside another objective


@dataclass(frozen=True, eq=False)
class Outcome:
    """What the linear program found.

    Attributes:
        possible: whether some test set shows the numbers.
        tables: `(M, 4)` shares tp, fp, fn, tn of the images in use.
        weights: `(M,)` their shares of the test set.
        direction: `(K,)` w, when impossible: w · scores <= `bound` for every image.
        bound: c.
        reach: the least of w · numbers over their rounding; above `bound` when impossible.
    """

    possible: bool
    tables: np.ndarray
    weights: np.ndarray
    direction: np.ndarray
    bound: float = float("nan")
    reach: float = float("nan")


class Mixtures:
    """The linear program of one rule and one set of numbers; columns found for one question serve the next.

    Args:
        numbers: published numbers, K of them.
        rule: how single images are scored; not a pooled one.
    """

    def __init__(self, numbers: Numbers, rule: Rule) -> None:
        self.numbers, self.rule = numbers, rule
        self.low = np.array([one.low for one in numbers.published])
        self.high = np.array([one.high for one in numbers.published])
        self.tables = np.array([[0.3, 0.0, 0.0, 0.7], [0.0, 0.5, 0.5, 0.0]])  # all right, all wrong
        self.scores = self._score(self.tables)
        self._basis: np.ndarray | None = None

    @cached_property
    def outcome(self) -> Outcome:
        """Whether the numbers are possible, with the test set or the inequality that shows it."""
        for _ in range(ROUNDS):
            solution = self._solve(None, distance=1.0)
            if solution.objective <= REACHED:
                break
            direction = self._direction(solution)
            gain, most = self._extend(solution, None, tolerance=max(0.1 * solution.objective, REACHED))
            if most < solution.objective:
                bound, reach = most - solution.duals[-1], solution.objective - solution.duals[-1]
                return Outcome(False, *self._in_use(solution), direction, float(bound), float(reach))
            if gain <= REACHED:
                break  # at the very edge, and not proven: the benefit of the doubt
        return Outcome(True, *self._in_use(solution), self._direction(solution))

    def least(self, measure: Objective, precision: float = 1e-3) -> float:
        """The least mean that `measure`, negated, can have in a test set that shows the numbers.

        Args:
            measure: as a gain: the weights negated, the cost of Dice as it is.
            precision: how near to what some test set reaches.

        Returns:
            A bound from below; `precision` is met unless the rounds run out. The numbers must be possible.
        """
        best = -np.inf
        for _ in range(ROUNDS_OF_MEASURES if self.outcome.possible else 0):
            solution = self._solve(measure, distance=FAR)
            gain, most = self._extend(solution, measure, tolerance=precision / 2)
            best = max(best, float(solution.objective - most))
            if gain <= precision / 2:
                break
        return best

    def _solve(self, measure: Objective | None, distance: float) -> Solution:
        """The program over the columns so far: the distance, two slacks for each number, one for each table."""
        count, images = len(self.low), len(self.tables)
        one, none = np.eye(count), np.zeros((count, count))
        far = np.ones((count, 1))
        columns = np.block(
            [
                [far, -one, none, self.scores.T],
                [-far, none, one, self.scores.T],
                [np.zeros((1, 1 + 2 * count)), np.ones((1, images))],
            ]
        )
        costs = np.concatenate([[distance], np.zeros(2 * count), self._costs(measure)])
        target = np.concatenate([self.low, self.high, [1.0]])
        if self._basis is None:
            self._basis = self._first_basis()
        solution = minimise(costs, columns, target, self._basis)
        self._basis = solution.basis
        return solution

    def _first_basis(self) -> np.ndarray:
        """The first table alone; the distance in place of the slack of the number it misses most."""
        count = len(self.low)
        missed = np.concatenate([self.low - self.scores[0], self.scores[0] - self.high])
        slacks = np.arange(1, 1 + 2 * count)
        if missed.max() > 0:
            slacks[missed.argmax()] = 0
        return np.append(slacks, 1 + 2 * count)

    def _in_use(self, solution: Solution) -> tuple[np.ndarray, np.ndarray]:
        first = 1 + 2 * len(self.low)
        used = (solution.basis >= first) & (solution.values > 1e-9)
        return self.tables[solution.basis[used] - first], solution.values[used]

    def _extend(self, solution: Solution, measure: Objective | None, *, tolerance: float) -> tuple[float, float]:
        """Add tables that would help most; return what the best one gains, and what none exceeds."""
        constant = solution.duals[-1]
        weights = dict(zip(self.numbers.metrics, self._direction(solution).tolist(), strict=True))
        largest = max(abs(weight) for weight in weights.values())
        weights = {metric: weight for metric, weight in weights.items() if abs(weight) > 1e-12 * largest}
        if measure is not None:
            for metric, weight in measure.weights.items():
                weights[metric] = weights.get(metric, 0.0) + weight
        objective = replace(measure or Objective({}), weights=weights)
        tables, best, most = greatest(objective, self.rule, tolerance)
        self.tables = np.concatenate([self.tables, tables])
        self.scores = np.concatenate([self.scores, self._score(tables)])
        return best + constant, most + constant

    def _direction(self, solution: Solution) -> np.ndarray:
        count = len(self.low)
        return solution.duals[:count] + solution.duals[count:-1]

    def _costs(self, measure: Objective | None) -> np.ndarray:
        if measure is None:
            return np.zeros(len(self.tables))
        values = self.rule.values(torch.from_numpy(self.tables))
        costs = -sum(weight * values[metric].numpy() for metric, weight in measure.weights.items())
        if measure.dice_cost is not None:
            dice = values["dice"].numpy()
            costs = costs + measure.dice_cost(dice, dice)
        return costs

    def _score(self, tables: np.ndarray) -> np.ndarray:
        values = self.rule.values(torch.from_numpy(tables))
        return np.stack([values[metric].numpy() for metric in self.numbers.metrics], axis=1)
