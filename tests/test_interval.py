"""A mean with its interval, as tables write it."""

from __future__ import annotations

import torch

from jaalnet_core.bootstrap import bootstrap_interval
from jaalnet_core.interval import Interval


def test_of_values_is_their_mean_and_the_bootstrap_over_them() -> None:
    values = torch.rand(40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = Interval.of(values, samples=300, seed=3)
    assert found.mean == values.mean().item()
    assert [found.low, found.high] == bootstrap_interval(values[:, None], samples=300, seed=3).flatten().tolist()
    assert found.low < found.mean < found.high


def test_written_as_a_score_and_as_a_difference() -> None:
    assert Interval(0.9123, 0.9018, 0.9223).percent() == "91.23 (90.18 to 92.23)"
    assert Interval(-0.0125, -0.0194, 0.0064).points() == "-1.25 (-1.94 to +0.64)"
