"""Parts switched off by hooks: held against networks built without them, or with the same weights set to zero."""

from __future__ import annotations

import copy

import pytest
import torch
from module_cases import randomised
from torch import nn

from jaalnet_core.blocks import DenseBlock, ResidualBlock
from jaalnet_core.da_net import build_da_net
from jaalnet_core.gating import run_with_gates
from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.switched_off import PARTS, parts_of, switched_off

OF_LF_NET = ("CBAM", "contour gates", "outline", "edges", "dense connections", "skip connections", "shortcuts")
OF_DA_NET = ("position attention", "channel attention")


@pytest.fixture(scope="module")
def lf_net() -> nn.Module:
    return randomised(build_lf_net("tiny"))


@pytest.fixture(scope="module")
def da_net() -> nn.Module:
    return randomised(build_da_net("tiny"))


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(2, 3, 48, 40, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def pairs() -> torch.Tensor:
    return torch.rand(2, 4, 48, 40, generator=torch.Generator().manual_seed(2))


@torch.no_grad()
def without(network: nn.Module, inputs: torch.Tensor, *parts: str) -> torch.Tensor:
    with switched_off(network, *parts):
        return network(inputs)


def test_each_network_names_its_own_parts(lf_net, da_net) -> None:
    assert parts_of(lf_net) == OF_LF_NET
    assert parts_of(da_net) == OF_DA_NET
    assert set(PARTS) == {*OF_LF_NET, *OF_DA_NET}
    assert parts_of(build_lf_net("tiny", cbam=False, contour_attention=False, dense=False)) == (
        "skip connections",
        "shortcuts",
    )
    assert parts_of(build_da_net("tiny", position_attention=False)) == ("channel attention",)
    assert parts_of(nn.Conv2d(3, 1, 1)) == ()


@pytest.mark.parametrize("part", OF_LF_NET)
def test_each_part_changes_the_mask_and_comes_back(part, lf_net, images) -> None:
    before = lf_net(images).detach()
    weights = {name: tensor.clone() for name, tensor in lf_net.state_dict().items()}
    changed = without(lf_net, images, part)
    assert changed.shape == before.shape
    assert (changed - before).abs().max() > 1e-3
    assert torch.equal(lf_net(images), before)
    assert all(torch.equal(tensor, weights[name]) for name, tensor in lf_net.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in lf_net.modules())


def test_an_error_inside_leaves_no_hook(lf_net) -> None:
    with pytest.raises(ValueError, match="images: found shape"), switched_off(lf_net, *OF_LF_NET):
        lf_net(torch.zeros(1, 1, 48, 40))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in lf_net.modules())


def test_without_cbam_it_is_the_network_built_without(lf_net, images) -> None:
    other = build_lf_net("tiny", cbam=False).eval()
    other.load_state_dict({name: t for name, t in lf_net.state_dict().items() if ".attention." not in name})
    torch.testing.assert_close(without(lf_net, images, "CBAM"), other(images))


@pytest.mark.parametrize("part", OF_DA_NET)
def test_without_an_attention_it_is_the_network_built_without(part, da_net, pairs) -> None:
    kind = part.split()[0]
    other = build_da_net("tiny", **{f"{kind}_attention": False}).eval()
    attention = f"{kind}_branch.{len(getattr(da_net, f'{kind}_branch')) - 1}."
    other.load_state_dict({name: t for name, t in da_net.state_dict().items() if not name.startswith(attention)})
    found = without(da_net, pairs, part)
    torch.testing.assert_close(found, other(pairs))
    assert not torch.allclose(found, da_net(pairs))


def test_shut_gates_are_gates_forced_shut(lf_net, images) -> None:
    torch.testing.assert_close(
        without(lf_net, images, "contour gates"), run_with_gates(lf_net, images, forced=0.0).logits
    )


@pytest.mark.parametrize(("part", "channel"), [("outline", -2), ("edges", -1)])
def test_what_does_not_reach_the_mask_might_as_well_weigh_nothing(part, channel, lf_net, images) -> None:
    other = copy.deepcopy(lf_net)
    with torch.no_grad():
        other.head.weight[:, channel] = 0
    torch.testing.assert_close(without(lf_net, images, part), other(images))


def test_without_skips_the_encoder_reaches_the_decoder_from_below_alone(lf_net, images) -> None:
    other = copy.deepcopy(lf_net)
    with torch.no_grad():
        for block in other.decoder:
            half = block.conv1.in_channels // 2
            block.conv1.weight[:, half:] = 0
            block.shortcut[0].weight[:, half:] = 0
    torch.testing.assert_close(without(lf_net, images, "skip connections"), other(images))


@pytest.mark.parametrize("separable", [True, False])
def test_without_dense_connections_a_layer_reads_the_one_before_it(separable) -> None:
    block = randomised(DenseBlock(6, 8, growth_rate=4, dilations=(1, 2, 3), separable=separable))
    features = torch.rand(1, 6, 12, 12)
    with torch.no_grad():
        first = block.layers[0](features)
        second = block.layers[1](torch.cat([torch.zeros(1, 6, 12, 12), first], dim=1))
        third = block.layers[2](torch.cat([torch.zeros(1, 10, 12, 12), second], dim=1))
        expected = block.transition(torch.cat([torch.zeros(1, 14, 12, 12), third], dim=1))
    torch.testing.assert_close(without(block, features, "dense connections"), expected)
    assert "dense connections" not in parts_of(DenseBlock(6, 8, 4, dense=False))


@pytest.mark.parametrize("out_channels", [6, 8], ids=["identity", "projection"])
def test_without_shortcuts_a_block_is_its_convolutions(out_channels) -> None:
    block = randomised(ResidualBlock(6, out_channels))
    features = torch.randn(1, 6, 12, 12)
    with torch.no_grad():
        expected = torch.relu(block.norm2(block.conv2(torch.relu(block.norm1(block.conv1(features))))))
    torch.testing.assert_close(without(block, features, "shortcuts"), expected)


def test_parts_may_be_off_together(lf_net, images) -> None:
    both = without(lf_net, images, "CBAM", "edges")
    with switched_off(lf_net, "CBAM"):
        nested = without(lf_net, images, "edges")
    assert torch.equal(both, nested)
    assert not torch.allclose(both, without(lf_net, images, "CBAM"))


def test_an_unknown_part_is_named_with_those_there(lf_net, da_net) -> None:
    with pytest.raises(ValueError, match=r"found 'cbam', expected a LFNet's: CBAM, contour gates"):
        switched_off(lf_net, "cbam").__enter__()
    with pytest.raises(ValueError, match=r"found 'CBAM', expected a DANet's: position attention, channel"):
        switched_off(da_net, "CBAM").__enter__()
