"""Bootstrap intervals against a plain loop, a textbook standard error, and their promised properties."""

from __future__ import annotations

import pytest
import torch

from jaalnet_core.bootstrap import bootstrap_interval, metric_intervals
from jaalnet_core.metrics import AVERAGINGS, METRICS


def tables(images: int = 60, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 200, (images, 4), generator=generator)


def test_equal_to_resampling_images_one_by_one():
    counts = tables(images=7)
    drawn = torch.randint(7, (50, 7), generator=torch.Generator().manual_seed(5))
    intervals = metric_intervals(counts, samples=50, seed=5)
    for averaging, average in AVERAGINGS.items():
        resampled = [average(counts[row]) for row in drawn]
        for name in METRICS:
            values = torch.tensor([scores[name] for scores in resampled], dtype=torch.float64)
            expected = values.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
            assert intervals[averaging][name] == pytest.approx(expected, abs=1e-12)


def test_width_follows_the_standard_error_of_a_mean():
    values = torch.randn(400, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    low, high = bootstrap_interval(values).flatten().tolist()
    standard_error = values.std().item() / 20
    assert low == pytest.approx(values.mean().item() - 1.96 * standard_error, abs=0.15 * standard_error)
    assert high == pytest.approx(values.mean().item() + 1.96 * standard_error, abs=0.15 * standard_error)


def test_covers_the_true_mean_about_as_often_as_it_says():
    generator = torch.Generator().manual_seed(2)
    covered = 0
    for trial in range(200):
        low, high = bootstrap_interval(
            torch.rand(50, 1, generator=generator), samples=300, seed=trial, level=0.9
        ).flatten()
        covered += int(low <= 0.5 <= high)
    assert 0.82 <= covered / 200 <= 0.96


def test_seed_decides_and_repeats():
    counts = tables()
    assert metric_intervals(counts, samples=100, seed=3) == metric_intervals(counts, samples=100, seed=3)
    assert metric_intervals(counts, samples=100, seed=3) != metric_intervals(counts, samples=100, seed=4)


def test_the_averages_lie_inside_and_a_higher_level_is_wider():
    counts = tables()
    narrow = metric_intervals(counts, samples=500, level=0.8)
    wide = metric_intervals(counts, samples=500, level=0.99)
    for averaging, average in AVERAGINGS.items():
        for name, value in average(counts).items():
            assert wide[averaging][name][0] < narrow[averaging][name][0] < value
            assert value < narrow[averaging][name][1] < wide[averaging][name][1]


def test_alike_images_have_no_spread():
    intervals = metric_intervals(torch.tensor([[3, 1, 2, 4]]).repeat(9, 1), samples=20)
    assert intervals["per_image"]["iou"] == pytest.approx((0.5, 0.5))
    assert intervals["pooled"]["specificity"] == pytest.approx((0.8, 0.8))


@pytest.mark.parametrize("wrong", [{"samples": 0}, {"level": 0.0}, {"level": 1.0}])
def test_settings_outside_their_range(wrong):
    with pytest.raises(ValueError, match="expected at least 1 sample and 0 < level < 1"):
        bootstrap_interval(torch.ones(3, 1), **wrong)


def test_no_images_is_an_error():
    with pytest.raises(ValueError, match="at least one image"):
        bootstrap_interval(torch.ones(0, 1))
