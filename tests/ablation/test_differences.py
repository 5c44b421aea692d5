"""Means, spread and verdicts on scores that are known."""

from __future__ import annotations

import math

import pytest
import torch

from jaalnet_core.ablation.differences import Difference, compare, paired_difference, values_of_runs
from jaalnet_core.errors import DataError


def scores_of(means: list[float], images: int = 80, spread: float = 0.1) -> torch.Tensor:
    """`(seeds, images)`: the same hard and easy images for every seed, shifted to the mean asked for."""
    generator = torch.Generator().manual_seed(5)
    hardness = spread * torch.randn(images, generator=generator, dtype=torch.float64)
    hardness -= hardness.mean()
    return torch.stack([mean + hardness for mean in means])


def test_a_shift_of_every_image_in_every_seed_is_decided_although_images_differ_much():
    base = scores_of([0.80, 0.81, 0.79], spread=0.3)
    better = paired_difference(base + 0.03, base)
    assert better.mean == pytest.approx(0.03)
    assert better.verdict == "better"
    assert paired_difference(base - 0.03, base).verdict == "worse"
    # the images' spread alone, without the pairing, would have hidden it
    assert 2 * 0.3 / math.sqrt(80) > 0.03


def test_equal_variants_are_undecided():
    base = scores_of([0.80, 0.82, 0.78])
    same = paired_difference(base.clone(), base)
    assert same.mean == 0
    assert same.low < 0 < same.high
    assert same.verdict == "undecided"


def test_seeds_that_disagree_leave_it_undecided():
    base = scores_of([0.80, 0.80, 0.80])
    steady, shaky = scores_of([0.83, 0.83, 0.83]), scores_of([0.75, 0.83, 0.91])
    assert paired_difference(steady, base).verdict == "better"
    unsure = paired_difference(shaky, base)
    assert unsure.mean == pytest.approx(0.03)
    assert unsure.verdict == "undecided"


def test_one_seed_decides_nothing():
    base = scores_of([0.80])
    alone = paired_difference(base + 0.05, base)
    assert alone.low > 0
    assert alone.verdict == "undecided"
    assert Difference(0.05, 0.04, 0.06, seeds=2).verdict == "better"


def test_the_interval_of_constant_shifts_is_that_of_the_seeds():
    """Without any difference between images, only which seeds are drawn moves the mean: at most from worst to best."""
    variant, base = torch.full((3, 9), 0.5).double(), torch.full((2, 9), 0.5).double()
    variant[0] += 0.06
    found = paired_difference(variant, base, samples=4000)
    assert found.mean == pytest.approx(0.02)
    assert found.low == pytest.approx(0.0, abs=1e-9)
    assert found.high == pytest.approx(0.06, abs=1e-9)  # all three draws are seed 0 in 1 of 27 resamples


def test_other_images_are_refused():
    with pytest.raises(ValueError, match="same images"):
        paired_difference(torch.zeros(3, 5), torch.zeros(3, 6))


def test_rows_hold_means_over_images_and_spread_over_seeds(make_run):
    runs = [make_run("course", s, [0.8, 0.9, 0.7 + 0.03 * s]) for s in (0, 1, 2)]
    runs += [make_run("published", s, [0.5, 0.6, 0.4], seconds=10.0 * s) for s in (0, 1, 5)]
    runs += [make_run("without-adversary", 0, [0.9, 0.9, 0.9])]
    first, second, last = compare(runs)
    assert [row.variant for row in (first, second, last)] == ["course", "without-adversary", "published"]
    assert first.means == pytest.approx((0.8, 0.81, 0.82))
    assert first.mean == pytest.approx(0.81)
    assert first.spread == pytest.approx(0.01)
    assert first.difference is None
    assert second.difference.verdict == "undecided"
    assert math.isnan(second.spread)
    assert last.seeds == (0, 1, 5)
    assert last.difference.mean == pytest.approx(0.5 - 0.81)
    assert last.difference.verdict == "worse"
    assert last.seconds == 10
    assert last.low <= last.mean <= last.high


def test_another_metric_and_another_base(make_run):
    runs = [make_run("course", 0, [0.8, 0.6]), make_run("published", 0, [0.5, 0.5])]
    rows = compare(runs, base="published", metric="iou")
    assert rows[0].variant == "published"
    assert rows[1].mean == pytest.approx((0.8 / 1.2 + 0.6 / 1.4) / 2, abs=1e-4)  # IoU = D / (2 - D), image by image
    assert values_of_runs(runs).flatten().tolist() == pytest.approx([0.8, 0.6, 0.5, 0.5])


def test_what_cannot_be_compared_is_refused(make_run):
    course = make_run("course")
    with pytest.raises(DataError, match="base course"):
        compare([make_run("published")])
    other = dict(course.settings, epochs=9, limit=None)
    with pytest.raises(DataError, match="epochs, limit"):
        compare([course, make_run("published", settings=other)])
    with pytest.raises(DataError, match="pictures"):
        compare([course, make_run("published", data=course.data | {"sha256": "ff"})])
    with pytest.raises(DataError, match="test pictures"):
        compare([course], split="test")
