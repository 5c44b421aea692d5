"""Recording what modules return."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from jaalnet_core.activations import record
from jaalnet_core.lf_net import build_lf_net


def test_what_a_module_returned_is_there_detached() -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    x = torch.randn(4, 2)
    with record(network, "0", "1") as seen:
        y = network(x)
    assert torch.equal(seen["0"], network[0](x))
    assert torch.equal(seen["1"], y)
    assert not seen["1"].requires_grad


def test_nothing_is_left_behind() -> None:
    network = nn.Sequential(nn.Linear(2, 3))
    with pytest.raises(RuntimeError, match="stop"), record(network, "0") as seen:
        raise RuntimeError("stop")
    network(torch.zeros(1, 2))
    assert seen == {}
    assert not network[0]._forward_hooks


def test_levels_of_an_lf_net() -> None:
    network = build_lf_net("tiny").eval()
    with record(network, "encoder.0", "encoder.4", "contour.3") as seen, torch.no_grad():
        network(torch.rand(2, 3, 64, 64))
    assert {name: tuple(tensor.shape) for name, tensor in seen.items()} == {
        "encoder.0": (2, 8, 64, 64),
        "encoder.4": (2, 128, 4, 4),
        "contour.3": (2, 4, 64, 64),
    }


def test_an_unknown_name_lists_its_neighbours() -> None:
    network = build_lf_net("tiny")
    with pytest.raises(KeyError, match=r"encoder\.9.*encoder\.0"), record(network, "encoder.9"):
        pass
