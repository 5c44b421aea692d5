"""Averaged weights by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from jaalnet_core.training.averaging import average_weights


def feed(decay: float, values: list[float]) -> nn.Module:
    network = nn.BatchNorm1d(1)
    averaged = average_weights(network, decay)
    for value in values:
        with torch.no_grad():
            network.weight.fill_(value)
            network.running_mean.fill_(10 * value)
            network.num_batches_tracked.fill_(int(value))
        averaged.update_parameters(network)
    return averaged.module


def by_hand(decay: float, values: list[float]) -> float:
    average = values[0]  # the first update copies
    for count, value in enumerate(values[1:], start=1):
        kept = min(decay, (1 + count) / (10 + count))
        average = kept * average + (1 - kept) * value
    return average


@pytest.mark.parametrize("decay", [0.0, 0.15, 0.5, 0.998])
def test_average_of_weights_and_batch_statistics(decay):
    values = [1.0, 2.0, 4.0, -3.0, 7.0]
    module = feed(decay, values)
    assert module.weight.item() == pytest.approx(by_hand(decay, values), rel=1e-6)
    assert module.running_mean.item() == pytest.approx(10 * by_hand(decay, values), rel=1e-6)
    assert module.num_batches_tracked.item() == 7


def test_without_decay_the_average_is_the_network():
    assert feed(0.0, [1.0, 5.0]).weight.item() == 5.0
