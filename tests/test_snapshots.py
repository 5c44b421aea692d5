"""Snapshots of a training: what is kept, what is drawn and said of it, and that taking one disturbs nothing."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from torch import nn

from jaalnet_core.da_net import DANet, DANetSettings
from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.figures.patches import patch_maps
from jaalnet_core.figures.snapshots import (
    judged,
    outlined,
    outlines_over_epochs,
    snapshot_html,
    snapshot_in_words,
)
from jaalnet_core.snapshots import Snapshot, spread_over, take_snapshot


class Red(nn.Module):
    """Draws what is redder than half."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(20.0))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.scale * (images[:, :1] - 0.5)


@pytest.fixture
def pictures() -> LesionArrays:
    images, masks = np.zeros((2, 32, 48, 3), np.uint8), np.zeros((2, 32, 48), np.uint8)
    images[0, 8:24, 8:24, 0] = masks[0, 8:24, 8:24] = 255
    images[1, :, :24, 0] = 255  # drawn twice as wide as the expert says
    masks[1, :, :12] = 1
    return LesionArrays(("a", "b"), images, (masks > 0).astype(np.uint8))


@pytest.fixture
def da_net() -> DANet:
    torch.manual_seed(0)
    return DANet(DANetSettings(width=4))


def test_it_keeps_masks_scores_and_opinions(pictures, da_net):
    one = take_snapshot(3, Red(), da_net, pictures)
    assert one.epoch == 3
    np.testing.assert_array_equal(one.masks[0], pictures.masks[0].astype(bool))
    assert one.dice == pytest.approx([1, 2 / 3])
    assert one.real.shape == one.fake.shape == (2, 4, 6)
    images, masks = pictures.tensors()
    drawn = torch.sigmoid(Red()(images)).detach()
    np.testing.assert_allclose(one.fake, patch_maps(da_net, images, drawn).numpy(), atol=1e-6)
    np.testing.assert_allclose(one.real, patch_maps(da_net, images, masks).numpy(), atol=1e-6)
    assert one.opinions[1] == pytest.approx((one.real[1].mean(), one.fake[1].mean()))


def test_taking_one_leaves_modes_gradients_and_weights(pictures, da_net):
    lf_net = Red().train()
    before = {name: value.clone() for name, value in da_net.train().state_dict().items()}
    take_snapshot(1, lf_net, da_net, pictures)
    assert lf_net.training
    assert da_net.training
    assert lf_net.scale.grad is None
    assert all(torch.equal(value, before[name]) for name, value in da_net.state_dict().items())


def test_words_and_pictures_of_one_moment(pictures, da_net):
    one = take_snapshot(3, Red(), da_net, pictures)
    shown = snapshot_html(pictures, one)
    alts = re.findall(r'alt="([^"]*)"', shown)
    assert len(alts) == 4
    assert all(len(alt) > 20 for alt in alts)
    assert "Picture 2 after epoch 3" in alts[2]
    assert "Dice 0.67" in shown
    assert snapshot_in_words(one).startswith("After epoch 3: Dice 1.00, 0.67; DA-Net finds the experts' masks 0.")
    assert outlined(pictures, one, 0).shape == judged(pictures, one, 0).shape == (240, 360, 3)


def test_without_da_net_nothing_is_said_of_it(pictures):
    one = take_snapshot(1, Red(), None, pictures)
    assert one.opinions == []
    assert judged(pictures, one, 0) is None
    assert "DA-Net" not in snapshot_html(pictures, one) + snapshot_in_words(one)


def test_a_brighter_patch_is_more_an_expert_s(pictures):
    fake = np.zeros((2, 4, 6), np.float32)
    fake[0, 0, 5] = 1.0
    one = Snapshot(1, np.zeros((2, 32, 48), bool), np.zeros(2), fake, fake)
    drawn = judged(pictures, one, 0).mean(axis=2)
    assert drawn[:40, -40:].mean() > drawn[-40:, :40].mean() + 50


def test_moments_are_spread_from_first_to_last(pictures):
    many = [Snapshot(epoch, np.zeros((2, 32, 48), bool), np.zeros(2)) for epoch in range(1, 13)]
    assert [one.epoch for one in spread_over(many, 4)] == [1, 5, 8, 12]
    assert spread_over(many[:2], 4) == many[:2]
    figure = outlines_over_epochs(pictures, many, columns=3)
    assert [axes.get_title() for axes in figure.axes[:3]] == [f"epoch {epoch}, Dice 0.00" for epoch in (1, 7, 12)]
    assert "After epoch 12" in figure.alt


def test_snapshots_of_other_pictures_are_refused(pictures):
    with pytest.raises(ValueError, match="found 0 snapshots"):
        outlines_over_epochs(pictures, [])
    other = Snapshot(1, np.zeros((2, 16, 16), bool), np.zeros(2))
    with pytest.raises(ValueError, match=r"\(2, 16, 16\).*\(2, 32, 48\)"):
        outlines_over_epochs(pictures, [other])
