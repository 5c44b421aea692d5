"""A number that is none stops a run in its own step, before it reaches a file."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from jaalnet_core.errors import TrainingError
from jaalnet_core.training import loop, train
from jaalnet_core.training.finite import not_finite
from jaalnet_core.weights import load_lf_net, read_training_checkpoint


def a_network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


def test_all_is_well():
    network = a_network()
    with torch.no_grad():
        network[0].weight.fill_(3e38)  # near the largest float32: the sum of its squares would be infinite
    assert not_finite({"region": torch.tensor(0.5)}, {"LF-Net": network}) == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", ["0.weight", "1.bias", "1.running_var"])
def test_a_weight_or_a_batch_statistic_that_is_no_number_is_found(place, value):
    network = a_network()
    network.state_dict()[place].view(-1)[-1] = value
    assert not_finite({}, {"LF-Net": a_network(), "DA-Net": network}) == ["weights of DA-Net"]


def test_losses_are_named_first():
    losses = {"region": torch.tensor(math.nan), "contour": torch.tensor(1.0), "g_loss": torch.tensor(math.inf)}
    assert not_finite(losses, {}) == ["region", "g_loss"]


def test_a_gradient_that_overflows_in_an_epochs_last_step_is_not_saved(discs, quick, monkeypatch):
    """The losses of that step are finite: no earlier check sees it, and the epoch would end with NaN in its files."""
    usual = loop.Run.set_learning_rates

    def overflow(run, total_steps):
        if run.progress.step == 5:  # the sixth step, the last of the second epoch
            run.step.lf_net.module.head.weight.register_hook(lambda gradient: gradient * math.inf)
        return usual(run, total_steps)

    monkeypatch.setattr(loop.Run, "set_learning_rates", overflow)
    with pytest.raises(TrainingError, match=r"in step 6 \(epoch 2\): weights of LF-Net\. .*last\.pt"):
        train(quick, data=discs, progress=False, say=lambda text: None)
    assert read_training_checkpoint(quick.out / "last.pt")["training"]["progress"]["epoch"] == 1
    load_lf_net(quick.out / "last.safetensors")
