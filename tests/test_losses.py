"""Losses by hand, against their formulas, and in the direction of their gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from array_layers import array, sigmoid
from hypothesis import given, settings
from hypothesis import strategies as st

from jaalnet_core.contour import mask_boundary
from jaalnet_core.losses import (
    REGION_LOSSES,
    contour_loss,
    course_region_loss,
    discriminator_loss,
    end_point_error,
    generator_loss,
    published_region_loss,
    soft_dice_loss,
)

few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 10**6)
KINDS = ("bce", "hinge", "least-squares")


def some(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def some_masks(seed: int, *shape: int) -> torch.Tensor:
    return (some(seed + 1, *shape) > 0.3).double()


# DA-Net's opinion

FORMULAS = {  # of one logit x: DA-Net on a real pair, on a fake pair; LF-Net on its own pair
    "bce": (lambda x: math.log1p(math.exp(-x)), lambda x: math.log1p(math.exp(x)), lambda x: math.log1p(math.exp(-x))),
    "hinge": (lambda x: max(0.0, 1 - x), lambda x: max(0.0, 1 + x), lambda x: -x),
    "least-squares": (lambda x: (x - 1) ** 2, lambda x: x**2, lambda x: (x - 1) ** 2),
}


@pytest.mark.parametrize("kind", KINDS)
@few
@given(seeds)
def test_adversarial_losses_are_their_formulas(kind, seed):
    logits = 3 * some(seed, 2, 1, 3, 4)
    on_real, on_fake, for_generator = (
        np.mean([formula(x) for x in logits.flatten().tolist()]) for formula in FORMULAS[kind]
    )
    assert float(discriminator_loss(logits, real=True, kind=kind)) == pytest.approx(on_real, rel=1e-10)
    assert float(discriminator_loss(logits, real=False, kind=kind)) == pytest.approx(on_fake, rel=1e-10)
    assert float(generator_loss(logits, kind=kind)) == pytest.approx(for_generator, rel=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_push_the_right_way(kind):
    """DA-Net raises real logits and lowers fake ones; LF-Net wants its own raised; all by the mean over patches."""
    logits = torch.tensor([-0.5, 0.0, 0.5], requires_grad=True)

    def slope(loss):
        return torch.autograd.grad(loss, logits)[0]

    assert (slope(discriminator_loss(logits, real=True, kind=kind)) < 0).all()
    assert (slope(generator_loss(logits, kind=kind)) < 0).all()
    fake = slope(discriminator_loss(logits, real=False, kind=kind))
    if kind == "least-squares":  # its target is 0, from both sides
        assert torch.equal(fake.sign(), torch.tensor([-1.0, 0.0, 1.0]))
    else:
        assert (fake > 0).all()


def test_hinge_asks_for_no_more_than_a_margin_of_one():
    assert float(discriminator_loss(torch.tensor([1.0, 7.0]), real=True, kind="hinge")) == 0
    assert float(discriminator_loss(torch.tensor([-1.0, -7.0]), real=False, kind="hinge")) == 0


def test_cross_entropy_stays_finite_at_extreme_logits():
    logits = torch.tensor([1e4, -1e4])
    assert float(discriminator_loss(logits, real=True)) == 5000
    assert float(discriminator_loss(logits, real=False)) == 5000
    assert float(generator_loss(logits)) == 5000


def test_bce_is_the_kind_left_unsaid():
    logits = some(0, 5)
    assert torch.equal(discriminator_loss(logits, real=True), discriminator_loss(logits, real=True, kind="bce"))
    assert torch.equal(generator_loss(logits), generator_loss(logits, kind="bce"))


@pytest.mark.parametrize("loss", [generator_loss, lambda x, kind: discriminator_loss(x, real=True, kind=kind)])
def test_an_unknown_kind_is_refused_in_words(loss):
    with pytest.raises(ValueError, match=r"kind: found 'wasserstein', expected 'bce', 'hinge' or 'least-squares'"):
        loss(torch.zeros(1), kind="wasserstein")


# End-point error and the published loss


def test_end_point_error_is_the_length_of_the_difference():
    prediction = torch.zeros(1, 2, 1, 2)
    mask = torch.tensor([[[[3.0, 0.0]], [[4.0, 1.0]]]])  # differences (3, 4) and (0, 1): lengths 5 and 1
    assert float(end_point_error(prediction, mask)) == 3.0


@few
@given(seeds, st.integers(1, 3), st.integers(1, 6), st.integers(1, 6))
def test_with_one_channel_end_point_error_is_l1(seed, batch, height, width):
    one, other = some(seed, batch, 1, height, width), some(seed + 9, batch, 1, height, width)
    l1 = np.abs(array(one) - array(other)).mean()
    assert float(end_point_error(one, other)) == pytest.approx(l1, rel=1e-12)


@few
@given(seeds, st.integers(1, 3), st.integers(1, 6), st.integers(1, 6))
def test_the_published_loss_is_150_l1(seed, batch, height, width):
    logits, masks = some(seed, batch, 1, height, width), some_masks(seed, batch, 1, height, width)
    l1 = np.abs(sigmoid(array(logits)) - array(masks)).mean()
    assert float(published_region_loss(logits, masks)) == pytest.approx(150 * l1, rel=1e-12)


def test_the_published_gradient_is_finite_where_the_prediction_is_exact():
    logits = torch.tensor([[[[60.0, -60.0, 0.0]]]], requires_grad=True)
    published_region_loss(logits, torch.tensor([[[[1.0, 0.0, 1.0]]]])).backward()
    assert logits.grad.isfinite().all()
    assert float(logits.grad[..., 2]) == pytest.approx(-150 * 0.25 / 3)


# Region


def test_soft_dice_by_hand():
    """Probabilities 1/2 everywhere on four pixels, two of them lesion: 2 * 1 / (2 + 2), with a pixel of smoothing."""
    logits, mask = torch.zeros(1, 1, 2, 2), torch.tensor([[[[1.0, 1.0], [0.0, 0.0]]]])
    assert float(soft_dice_loss(logits, mask)) == pytest.approx(1 - 3 / 5)
    assert float(soft_dice_loss(logits, mask, smooth=0)) == pytest.approx(1 - 1 / 2)


def test_soft_dice_of_right_wrong_and_empty():
    mask = torch.tensor([[[[1.0, 1.0], [0.0, 0.0]]]])
    right, empty = 80 * (mask - 0.5), torch.zeros_like(mask)
    assert float(soft_dice_loss(right, mask)) == pytest.approx(0, abs=1e-6)
    assert float(soft_dice_loss(-right, mask)) == pytest.approx(1 - 1 / 5)
    assert float(soft_dice_loss(torch.full_like(mask, -80), empty)) == pytest.approx(0, abs=1e-6)
    assert float(soft_dice_loss(torch.full_like(mask, 80), empty)) == pytest.approx(1 - 1 / 5)
    assert float(soft_dice_loss(torch.full_like(mask, -80), mask)) == pytest.approx(1 - 1 / 3)


def test_soft_dice_counts_each_picture_the_same():
    """The mean over pictures of each one's own loss: a small lesion weighs as much as a large one."""
    masks = torch.zeros(2, 1, 6, 6, dtype=torch.float64)
    masks[0, :, :5], masks[1, :, 0, 0] = 1, 1
    logits = some(4, 2, 1, 6, 6)
    alone = [float(soft_dice_loss(logits[i : i + 1], masks[i : i + 1])) for i in range(2)]
    assert float(soft_dice_loss(logits, masks)) == pytest.approx(np.mean(alone), rel=1e-12)
    together = float(soft_dice_loss(logits.reshape(1, 1, 12, 6), masks.reshape(1, 1, 12, 6)))
    assert abs(together - np.mean(alone)) > 0.05


@few
@given(seeds, st.integers(1, 3), st.integers(1, 6), st.integers(1, 6))
def test_course_region_loss(seed, batch, height, width):
    logits, masks = some(seed, batch, 1, height, width), some_masks(seed, batch, 1, height, width)
    p, m = sigmoid(array(logits)), array(masks)
    entropy = -(m * np.log(p) + (1 - m) * np.log(1 - p)).mean()
    dice = [(2 * (p[i] * m[i]).sum() + 1) / (p[i].sum() + m[i].sum() + 1) for i in range(batch)]
    assert float(course_region_loss(logits, masks)) == pytest.approx(entropy + 1 - np.mean(dice), rel=1e-9)


@pytest.mark.parametrize("loss", [*REGION_LOSSES.values(), soft_dice_loss])
def test_region_losses_pull_lesion_up_and_skin_down(loss):
    logits = torch.zeros(2, 1, 4, 4, requires_grad=True)
    masks = some_masks(3, 2, 1, 4, 4).float()
    loss(logits, masks).backward()
    assert 0 < masks.mean() < 1
    assert (logits.grad[masks > 0] < 0).all()
    assert (logits.grad[masks == 0] > 0).all()


# Contour


@few
@given(seeds, st.integers(4, 9), st.integers(4, 9), st.sampled_from([1, 3, 5]))
def test_contour_loss(seed, height, width, outline_width):
    """Each class weighs half: the mean over outline and the mean over the rest, halved; and soft Dice."""
    masks = torch.zeros(2, 1, height, width, dtype=torch.float64)
    masks[:, :, : height // 2, : width // 2] = 1
    logits = some(seed, 2, 1, height, width)
    outline = array(mask_boundary(masks, outline_width))
    p = sigmoid(array(logits))
    entropy = -(outline * np.log(p) + (1 - outline) * np.log(1 - p))
    share = np.clip(outline.mean(), 1e-3, 1 - 1e-3)
    weighted = (entropy * np.where(outline > 0, 0.5 / share, 0.5 / (1 - share))).mean()
    if 0 < outline.sum() < outline.size:
        halves = (entropy[outline > 0].mean() + entropy[outline == 0].mean()) / 2
        assert weighted == pytest.approx(halves, rel=1e-9)
    dice = float(soft_dice_loss(logits, torch.from_numpy(outline)))
    assert float(contour_loss(logits, masks, outline_width)) == pytest.approx(weighted + dice, rel=1e-9)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_contour_loss_without_an_outline_is_finite_and_asks_for_silence(value):
    logits = torch.zeros(1, 1, 8, 8, requires_grad=True)
    loss = contour_loss(logits, torch.full((1, 1, 8, 8), value))
    loss.backward()
    assert loss.isfinite()
    assert (logits.grad > 0).all()


@pytest.mark.parametrize(
    "loss", [*REGION_LOSSES.values(), soft_dice_loss, contour_loss], ids=["course", "published", "dice", "contour"]
)
def test_gradients_equal_finite_differences(loss):
    logits = some(1, 2, 1, 4, 5).requires_grad_()
    masks = some_masks(2, 2, 1, 4, 5)
    assert torch.autograd.gradcheck(lambda x: loss(x, masks), (logits,))
