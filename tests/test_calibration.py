"""Reliability by hand, and what must hold for any probabilities."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from jaalnet_core.calibration import reliability

pixels = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=60)


def test_bins_by_hand():
    found = reliability(torch.tensor([[0.1, 0.2], [0.6, 0.9]]), torch.tensor([[0, 1], [1, 1]]), bins=2)
    assert found.edges.tolist() == [0, 0.5, 1]
    assert found.pixels.tolist() == [2, 2]
    assert found.confidence.tolist() == pytest.approx([0.15, 0.75])
    assert found.frequency.tolist() == pytest.approx([0.5, 1.0])
    assert found.gaps.tolist() == pytest.approx([-0.35, -0.25])
    assert found.expected_error == pytest.approx(0.30)


def test_bins_weigh_by_their_pixels():
    probabilities = torch.tensor([0.05] * 9 + [0.85])
    found = reliability(probabilities, torch.tensor([0.0] * 9 + [0.0]))
    assert found.expected_error == pytest.approx((9 * 0.05 + 0.85) / 10)
    assert found.undecided == pytest.approx(0.1)


def test_edges_belong_to_the_bin_above_and_one_to_the_last():
    found = reliability(torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0]), torch.zeros(5), bins=4)
    assert found.pixels.tolist() == [1, 1, 1, 2]


def test_an_empty_bin_has_no_frequency_and_costs_nothing():
    found = reliability(torch.tensor([0.0, 1.0]), torch.tensor([False, True]), bins=5)
    assert found.pixels.tolist() == [1, 0, 0, 0, 1]
    assert found.frequency[1:4].isnan().all()
    assert found.expected_error == 0


@pytest.mark.parametrize("shape", [(40,), (2, 1, 4, 5)])
def test_the_share_of_lesion_everywhere_is_calibrated_and_useless(shape):
    masks = torch.zeros(40)
    masks[:10] = 1
    found = reliability(torch.full(shape, 0.25), masks.reshape(shape))
    assert found.expected_error == pytest.approx(0)


def test_overconfidence_has_a_sign():
    found = reliability(torch.full((10,), 0.95), torch.tensor([1.0] * 6 + [0.0] * 4))
    assert found.gaps[-1].item() == pytest.approx(0.35)


@given(pixels, st.integers(1, 20))
def test_what_always_holds(cases, bins):
    probabilities, masks = map(torch.tensor, zip(*cases, strict=True))
    found = reliability(probabilities, masks, bins)
    assert found.pixels.sum() == len(cases)
    assert 0 <= found.expected_error <= 1
    lesion = torch.nansum(found.frequency * found.pixels).item()
    assert lesion == pytest.approx(masks.sum().item())
    filled = found.pixels > 0
    assert (found.confidence[filled] >= found.edges[:-1][filled] - 1e-6).all()
    assert (found.confidence[filled] <= found.edges[1:][filled] + 1e-6).all()
    # the mean of signed gaps is the difference of the two means, however the bins lie
    signed = (found.pixels * found.gaps).sum().item() / len(cases)
    assert signed == pytest.approx(probabilities.double().mean().item() - masks.double().mean().item(), abs=1e-9)
    assert found.expected_error >= abs(signed) - 1e-9


@given(pixels)
def test_finer_bins_never_hide_a_gap(cases):
    probabilities, masks = map(torch.tensor, zip(*cases, strict=True))
    errors = [reliability(probabilities, masks, bins).expected_error for bins in (1, 2, 4, 8)]
    assert all(b >= a - 1e-9 for a, b in pairwise(errors))


@pytest.mark.parametrize(
    ("probabilities", "masks", "bins", "words"),
    [
        (torch.zeros(3), torch.zeros(2), 10, "one shape"),
        (torch.zeros(0), torch.zeros(0), 10, "at least one pixel"),
        (torch.tensor([1.5]), torch.zeros(1), 10, "sigmoid"),
        (torch.tensor([float("nan")]), torch.zeros(1), 10, "sigmoid"),
        (torch.zeros(1), torch.tensor([0.5]), 10, "0 and 1"),
        (torch.zeros(1), torch.zeros(1), 0, "bins"),
    ],
)
def test_what_cannot_be_sorted_is_refused_in_words(probabilities, masks, bins, words):
    with pytest.raises(ValueError, match=words):
        reliability(probabilities, masks, bins)
