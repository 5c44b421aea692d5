"""The gradient mix against autograd itself, at several weights, and by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from jaalnet_core.da_net import build_da_net
from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.losses import contour_loss, course_region_loss, published_region_loss
from jaalnet_core.training.gradients import GradientMix, gradient_mix


@pytest.fixture(scope="module")
def opponents():
    torch.manual_seed(0)
    return build_lf_net("tiny").eval(), build_da_net("tiny").eval()


@pytest.fixture(scope="module")
def batch():
    images = torch.rand(2, 3, 32, 32, generator=torch.manual_seed(1))
    masks = torch.zeros(2, 1, 32, 32)
    masks[:, :, 8:24, 10:26] = 1
    return images, masks


def flat(network) -> torch.Tensor:
    return torch.cat([p.grad.flatten().double() for p in network.parameters() if p.grad is not None])


@pytest.mark.parametrize("weight", [0.02, 1.0, 10.0])
def test_the_mix_is_what_backward_makes_of_the_weighted_sum(opponents, batch, weight):
    lf_net, da_net = opponents
    images, masks = batch
    mix = gradient_mix(lf_net, da_net, images, masks)
    lf_net.zero_grad()
    logits, contour = lf_net(images, with_contour=True)
    supervised = course_region_loss(logits, masks) + 0.5 * contour_loss(contour, masks)
    opinion = da_net(torch.cat([images, torch.sigmoid(logits)], 1))
    (supervised - weight * opinion.mean()).backward()
    total = flat(lf_net).norm().item()
    lf_net.zero_grad()
    da_net.zero_grad()
    expected = math.sqrt(
        mix.supervised**2 + (weight * mix.adversarial) ** 2 + 2 * weight * mix.supervised * mix.adversarial * mix.cosine
    )
    assert total == pytest.approx(expected, rel=1e-3)


def test_the_published_losses_are_an_option(opponents, batch):
    lf_net, da_net = opponents
    images, masks = batch
    mix = gradient_mix(lf_net, da_net, images, masks, kind="bce", region_loss="published", contour_weight=0.0)
    for loss, norm in (
        (lambda logits: published_region_loss(logits, masks), mix.supervised),
        (
            lambda logits: -functional.logsigmoid(da_net(torch.cat([images, torch.sigmoid(logits)], 1))).mean(),
            mix.adversarial,
        ),
    ):
        lf_net.zero_grad()
        loss(lf_net(images)).backward()
        assert flat(lf_net).norm().item() == pytest.approx(norm, rel=1e-3)
    lf_net.zero_grad()
    da_net.zero_grad()


def test_measuring_changes_nothing(opponents, batch):
    lf_net, da_net = opponents
    before = {name: tensor.clone() for name, tensor in lf_net.state_dict().items()}
    gradient_mix(lf_net, da_net, *batch)
    assert all(parameter.grad is None for network in opponents for parameter in network.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in lf_net.state_dict().items())


def test_share_and_turn_by_hand():
    mix = GradientMix(supervised=3.0, adversarial=6.0, cosine=0.0)  # at right angles
    assert mix.share(0.5) == pytest.approx(0.5)
    assert mix.turn(0.5) == pytest.approx(45)
    assert mix.share(0) == mix.turn(0) == 0
    assert mix.weight_for(0.5) == pytest.approx(0.5)
    against = GradientMix(supervised=1.0, adversarial=1.0, cosine=-1.0)
    assert against.turn(0.5) == pytest.approx(0)
    assert against.turn(2) == pytest.approx(180), "beyond its own size the opinion turns the step round"
    along = GradientMix(supervised=1.0, adversarial=1.0, cosine=1.0)
    assert along.turn(100) == pytest.approx(0)
    assert along.share(99) == pytest.approx(0.99)


def test_nothing_to_mix_is_no_division_by_zero():
    silent = GradientMix(supervised=2.0, adversarial=0.0, cosine=0.0)
    assert silent.share(10) == silent.turn(10) == 0
    assert silent.weight_for(0.5) == math.inf
    assert GradientMix(0.0, 0.0, 0.0).share(1) == 0


@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
def test_weight_for_is_the_inverse_of_share(share):
    mix = GradientMix(supervised=3.8, adversarial=12.8, cosine=-0.5)
    assert mix.share(mix.weight_for(share)) == pytest.approx(share)


@pytest.mark.parametrize("share", [-0.1, 1.0, math.nan])
def test_an_impossible_share_is_refused(share):
    with pytest.raises(ValueError, match="share: found"):
        GradientMix(1.0, 1.0, 0.0).weight_for(share)
