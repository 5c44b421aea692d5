"""A mean over pictures with its 95% interval, and the two ways in which tables write it."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from jaalnet_core.bootstrap import bootstrap_interval


class Interval(NamedTuple):
    """A mean and the ends of its 95% interval, fractions."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Tensor, *, samples: int = 2000, seed: int = 0) -> Interval:
        """Of `(N,)` values, a value each picture: the percentile bootstrap over the pictures."""
        low, high = bootstrap_interval(values[:, None], samples=samples, seed=seed).flatten().tolist()
        return cls(values.double().mean().item(), low, high)

    def percent(self) -> str:
        """A score, such as `91.23 (90.18 to 92.23)`."""
        return f"{100 * self.mean:.2f} ({100 * self.low:.2f} to {100 * self.high:.2f})"

    def points(self) -> str:
        """A difference of scores, such as `-1.25 (-1.94 to -0.64)`."""
        return f"{100 * self.mean:+.2f} ({100 * self.low:+.2f} to {100 * self.high:+.2f})"
