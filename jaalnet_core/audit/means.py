"""Can means over images show these numbers? A linear program over all confusion tables there can be.

A mean over images is a point of the convex hull of what single images can show, and the hull is all that can be
said: any mixture of tables is some test set. So the question is whether weights exist, one for each table, that
are not negative, sum to 1, and whose mean scores lie within the rounding of the numbers. Minimising how far they
stay outside is a linear program with two rows for each number and a column for every table there can be.

The columns are generated as they are needed. The program's duals w, c say which table would help most: the one
with the greatest w · scores(table). It is looked for on a grid over (lesion share, sensitivity, false-positive
rate), fine near 0 and near 1, and then by a local search from the best points. If even that table has
w · scores <= c while w · numbers > c, the inequality holds for every image, hence for every mean, and the numbers
are impossible; the inequality is the reason, and is handed back. If the distance reaches zero, the tables in
use are a test set that shows the numbers.

Other questions put to the same columns: the least and greatest value of one more mean, such as the share of
images with a Dice below one half, among all test sets that show the numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from jaalnet_core.audit.published import Numbers
from jaalnet_core.audit.rules import Rule
from jaalnet_core.audit.simplex import Solution, minimise

GRID = 41  # points along each of the three axes
STEEPNESS = 14.0  # the outermost grid points lie 1e-6 from 0 and 1
REACHED = 1e-9  # a distance (as a fraction) that counts as zero
ROUNDS = 150
FAR = 1e4  # what a unit of distance costs beside another objective

Measure = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Tables `(N, 4)` and their scores `(N, K)` to one value each, `(N,)`."""


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
    bound: float
    reach: float


def curve(place: np.ndarray) -> np.ndarray:
    """Places 0..1 along an axis to shares 0..1: steep in the middle, flat at both ends, `curve(1-x) = 1-curve(x)`.

    Computed so that values near 0 keep their relative precision.
    """
    end = 1 / (1 + np.exp(STEEPNESS))
    return np.clip((1 / (1 + np.exp(STEEPNESS * (1 - 2 * place))) - end) / (1 - 2 * end), 0.0, 1.0)


def tables_at(places: np.ndarray) -> np.ndarray:
    """`(N, 3)` places of lesion share, sensitivity and specificity to `(N, 4)` tables of shares."""
    (lesion, sensitivity, specificity), (skin, missed, false) = curve(places).T, curve(1 - places).T
    return np.stack([lesion * sensitivity, skin * false, lesion * missed, skin * specificity], axis=1)


def value_of(metric: str, rule: Rule, sign: int = 1) -> Measure:
    """A metric, given or not, as something to make least (or greatest, with the sign -1)."""
    return lambda tables, scores: sign * rule.values(torch.from_numpy(tables))[metric].numpy()


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
        count = len(self.low)
        for _ in range(ROUNDS):
            solution = self._solve(lambda tables, scores: np.zeros(len(tables)), distance=1.0)
            direction = solution.duals[:count] + solution.duals[count:-1]
            if solution.objective <= REACHED:
                break
            gain = self._extend(direction, solution.duals[-1], None, precise=0.1 * solution.objective)
            if solution.objective > gain + REACHED and gain < 0.01 * solution.objective:
                bound = gain - solution.duals[-1]
                reach = solution.objective - solution.duals[-1]
                return Outcome(False, *self._in_use(solution), direction, float(bound), float(reach))
            if gain <= REACHED:
                break  # at the very edge: the benefit of the doubt
        return Outcome(True, *self._in_use(solution), direction, float("nan"), float("nan"))

    def least(self, measure: Measure, precision: float = 1e-3) -> float:
        """The least mean of `measure` over all test sets that show the numbers, which must be possible.

        Returns:
            A lower bound, within `precision` of what some test set reaches (or as near as the rounds allow).
        """
        assert self.outcome.possible
        best = -np.inf
        count = len(self.low)
        for _ in range(ROUNDS):
            solution = self._solve(measure, distance=FAR)
            direction = solution.duals[:count] + solution.duals[count:-1]
            gain = self._extend(direction, solution.duals[-1], measure, precise=precision)
            best = max(best, solution.objective - gain)
            if gain <= precision:
                break
        return best

    def _solve(self, measure: Measure, distance: float) -> Solution:
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
        costs = np.concatenate([[distance], np.zeros(2 * count), measure(self.tables, self.scores)])
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

    def _extend(self, direction: np.ndarray, constant: float, measure: Measure | None, *, precise: float) -> float:
        """Add the tables with the greatest gain `direction · scores + constant - measure`; return that gain."""

        def gain(tables: np.ndarray, scores: np.ndarray) -> np.ndarray:
            value = scores @ direction + constant
            return value if measure is None else value - measure(tables, scores)

        places, tables, scores = self._grid
        gains = gain(tables, scores)
        slabs = gains.reshape(GRID, -1)  # the best of each lesion share, so that the starts lie apart
        starts = slabs.argmax(1) + np.arange(GRID) * slabs.shape[1]
        starts = starts[np.argsort(gains[starts])[::-1][:6]]
        places = places[starts]
        if gains[starts[0]] <= precise:
            places = self._climb(places, gain)
        tables = tables_at(places)
        scores = self._score(tables)
        gains = gain(tables, scores)
        self.tables = np.concatenate([self.tables, tables])
        self.scores = np.concatenate([self.scores, scores])
        return float(gains.max())

    def _climb(self, places: np.ndarray, gain: Measure) -> np.ndarray:
        """A pattern search from each place: to the best of 27 neighbours, or to half the step."""
        offsets = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(1, -1, 3)
        steps = np.full((len(places), 1, 1), 0.5 / (GRID - 1))
        rows = np.arange(len(places))
        for _ in range(45):
            near = np.clip(places[:, None] + steps * offsets, 0, 1)
            tables = tables_at(near.reshape(-1, 3))
            gains = gain(tables, self._score(tables)).reshape(len(places), -1)
            gains[:, 13] += 1e-15  # the middle one wins a tie
            best = gains.argmax(1)
            places = near[rows, best]
            steps[best == 13] /= 2
        return places

    def _score(self, tables: np.ndarray) -> np.ndarray:
        values = self.rule.values(torch.from_numpy(tables))
        return np.stack([values[metric].numpy() for metric in self.numbers.metrics], axis=1)

    @cached_property
    def _grid(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        axis = np.linspace(0, 1, GRID)
        places = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
        tables = tables_at(places)
        return places, tables, self._score(tables)
