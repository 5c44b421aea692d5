"""A small linear program, solved by the revised simplex method: a dozen rows, thousands of columns.

    minimise costs · x   subject to   columns @ x = target,  x >= 0

Written out because the audit's programs are tiny, start from a basis it knows, and grow by a few columns between
solutions; the solver keeps the basis. The tests compare it with SciPy's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TOLERANCE = 1e-10
PATIENCE = 30  # steps without progress before the slow rule that cannot cycle takes over
MAX_STEPS = 20_000


@dataclass(frozen=True, eq=False)
class Solution:
    """An optimum.

    Attributes:
        basis: `(m,)` the columns in use.
        values: `(m,)` their x, at least 0; every other x is 0.
        duals: `(m,)` what the objective gains for each unit of `target`.
        objective: costs · x.
    """

    basis: np.ndarray
    values: np.ndarray
    duals: np.ndarray
    objective: float


def minimise(costs: np.ndarray, columns: np.ndarray, target: np.ndarray, basis: np.ndarray) -> Solution:
    """Solve the program from a feasible basis.

    Args:
        costs: `(n,)`.
        columns: `(m, n)`.
        target: `(m,)`.
        basis: `(m,)` indices of columns that are independent and whose solution is not negative.

    Raises:
        ArithmeticError: the objective has no lower bound, or the steps ran out.
    """
    basis = np.array(basis)
    best, stalled = np.inf, 0
    for _ in range(MAX_STEPS):
        square = columns[:, basis]
        values = np.linalg.solve(square, target)
        duals = np.linalg.solve(square.T, costs[basis])
        reduced = costs - duals @ columns
        reduced[basis] = 0.0
        objective = float(costs[basis] @ values)
        stalled = 0 if objective < best - TOLERANCE else stalled + 1
        best = min(best, objective)
        candidates = np.flatnonzero(reduced < -TOLERANCE)
        if not len(candidates):
            return Solution(basis, np.maximum(values, 0.0), duals, objective)
        # Bland's rule (the lowest index on both sides) when the steep one has stalled: it never cycles.
        careful = stalled > PATIENCE
        entering = candidates[0] if careful else candidates[np.argmin(reduced[candidates])]
        direction = np.linalg.solve(square, columns[:, entering])
        rows = np.flatnonzero(direction > TOLERANCE)
        if not len(rows):
            raise ArithmeticError("simplex: the objective has no lower bound.")
        ratios = np.maximum(values[rows], 0.0) / direction[rows]
        tied = rows[ratios <= ratios.min() + TOLERANCE]
        leaving = tied[np.argmin(basis[tied])] if careful else tied[np.argmax(direction[tied])]
        basis[leaving] = entering
    raise ArithmeticError(f"simplex: no optimum after {MAX_STEPS} steps.")
