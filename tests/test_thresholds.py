"""The scores at every threshold: by hand, against the metrics, and in the direction that must hold."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from jaalnet_core.metrics import AVERAGINGS, confusion_counts, per_image
from jaalnet_core.thresholds import THRESHOLDS, threshold_curve

seeds = st.integers(0, 10_000)


def pictures(seed: int = 0, images: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    probabilities = torch.rand(images, 1, 6, 6, generator=generator)
    return probabilities, (torch.rand(images, 1, 6, 6, generator=generator) > 0.6).float()


def test_counts_by_hand():
    probabilities = torch.tensor([[[0.1, 0.4], [0.6, 0.9]]])
    curve = threshold_curve(probabilities, torch.tensor([[[0, 1], [0, 1]]]), (0.0, 0.5, 0.95))
    assert curve.counts[:, 0].tolist() == [[2, 2, 0, 0], [1, 1, 1, 1], [0, 0, 2, 2]]
    assert curve.scores()["dice"].tolist() == pytest.approx([4 / 6, 2 / 4, 0])
    assert curve.best() == 0.0


def test_a_probability_at_the_threshold_is_skin():
    curve = threshold_curve(torch.full((1, 2, 2), 0.5), torch.ones(1, 2, 2), (0.49, 0.5))
    assert curve.counts[:, 0, 0].tolist() == [4, 0]


@pytest.mark.parametrize("averaging", AVERAGINGS)
def test_each_point_is_the_package_s_score_at_that_threshold(averaging):
    probabilities, masks = pictures()
    curve = threshold_curve(probabilities, masks, (0.2, 0.5, 0.8))
    for i, threshold in enumerate((0.2, 0.5, 0.8)):
        expected = AVERAGINGS[averaging](confusion_counts(probabilities > threshold, masks))
        found = {name: values[i].item() for name, values in curve.scores(averaging).items()}
        assert found == pytest.approx(expected)
    assert per_image(curve.at(0.52)) == pytest.approx(per_image(confusion_counts(probabilities > 0.5, masks)))


@given(seeds)
def test_a_higher_threshold_finds_less_and_spares_more(seed):
    values = threshold_curve(*pictures(seed)).scores("pooled")
    assert (values["sensitivity"].diff() <= 1e-12).all()
    assert (values["specificity"].diff() >= -1e-12).all()


@given(seeds)
def test_the_best_is_as_good_as_any(seed):
    curve = threshold_curve(*pictures(seed))
    dice = curve.scores()["dice"]
    assert per_image(curve.at(curve.best()))["dice"] == pytest.approx(dice.max().item())


def test_of_equal_thresholds_the_middle_one():
    probabilities = torch.tensor([[[0.1, 0.9], [0.1, 0.9]]])
    curve = threshold_curve(probabilities, torch.tensor([[[0, 1], [0, 1]]]))
    assert curve.best() == pytest.approx(0.5)
    assert len(curve.thresholds) == len(THRESHOLDS) == 99


def test_some_of_the_images():
    probabilities, masks = pictures()
    some = threshold_curve(probabilities, masks).take([2, 0])
    expected = threshold_curve(probabilities[[2, 0]], masks[[2, 0]])
    assert torch.equal(some.counts, expected.counts)


@pytest.mark.parametrize("thresholds", [(), (0.5, 0.4), (0.5, 0.5), (-0.1, 0.5), (0.5, 1.1)])
def test_thresholds_must_rise_within_0_and_1(thresholds):
    with pytest.raises(ValueError, match="rise within 0 to 1"):
        threshold_curve(*pictures(), thresholds)


def test_a_grey_mask_is_refused():
    probabilities, masks = pictures()
    with pytest.raises(ValueError, match="0 and 1"):
        threshold_curve(probabilities, masks * 0.5)
