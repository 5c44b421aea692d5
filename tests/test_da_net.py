"""DA-Net: its two branches, its patches, its pairs, and what it costs."""

from __future__ import annotations

import pytest
import torch
from module_cases import randomised
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from jaalnet_core.da_net import DANetSettings, build_da_net, pair
from jaalnet_core.errors import SettingsError
from jaalnet_core.lf_net import WIDTHS


def some_pairs(*size: int, batch: int = 2, seed: int = 0) -> torch.Tensor:
    return torch.rand(batch, 4, *size, generator=torch.Generator().manual_seed(seed))


def spectral_convs(network: nn.Module) -> list[nn.Conv2d]:
    return [m for m in network.modules() if isinstance(m, nn.Conv2d) and hasattr(m, "parametrizations")]


@pytest.mark.parametrize("normalisation", ["spectral", "batch"])
def test_the_forward_pass_step_by_step(normalisation):
    """Three strided convolutions, two branches, their sum, one convolution: functional calls on the weights."""
    network = randomised(build_da_net("tiny", normalisation=normalisation)).double()
    convs = [m for m in network.modules() if isinstance(m, nn.Conv2d) and m.kernel_size != (1, 1)]
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == (4 if normalisation == "batch" else 0)  # not after the first, nor the last
    assert len(convs) == 6

    def layer(features, conv, stride, norm):
        features = functional.conv2d(features, conv.weight, conv.bias, stride=stride, padding=1)
        if norm is not None:
            features = functional.batch_norm(features, norm.running_mean, norm.running_var, norm.weight, norm.bias)
        return torch.where(features > 0, features, 0.2 * features)

    second, third, position, channel = norms or [None] * 4
    pairs = some_pairs(32, 40).double()
    features = layer(pairs, convs[0], 2, None)
    features = layer(layer(features, convs[1], 2, second), convs[2], 2, third)
    placed = layer(features, convs[3], 1, position)
    chosen = layer(features, convs[4], 1, channel)

    attention = network.position_branch[-1]
    flat = placed.flatten(2)
    query, key, value = (
        torch.einsum("oc,bcn->bon", conv.weight[:, :, 0, 0], flat) + conv.bias[None, :, None]
        for conv in (attention.query, attention.key, attention.value)
    )
    matrix = torch.softmax(torch.einsum("bdi,bdj->bij", query, key), dim=2)
    placed = placed + attention.gamma * torch.einsum("bij,bcj->bci", matrix, value).reshape(placed.shape)

    flat = chosen.flatten(2)
    gram = torch.einsum("bcn,bdn->bcd", flat, flat)
    matrix = torch.softmax(-gram, dim=2)
    borrowed = torch.einsum("bcd,bdn->bcn", matrix, flat).reshape(chosen.shape)
    chosen = chosen + network.channel_branch[-1].gamma * borrowed

    expected = functional.conv2d(placed + chosen, convs[5].weight, convs[5].bias, padding=1)
    assert expected.shape == (2, 1, 4, 5)
    torch.testing.assert_close(network(pairs), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("size", "patches"), [((32, 32), (4, 4)), ((33, 47), (5, 6)), ((40, 64), (5, 8)), ((41, 39), (6, 5))]
)
def test_a_logit_for_each_patch_of_eight_rounded_up(size, patches):
    assert build_da_net("tiny").eval()(some_pairs(*size)).shape == (2, 1, *patches)


def test_without_attention_a_patch_sees_its_surroundings_and_with_it_everything():
    def reach(network):
        pairs = some_pairs(96, 96, batch=1).requires_grad_()
        network(pairs)[0, 0, 0, 0].backward()
        return pairs.grad.abs().sum(dim=1)[0] > 0

    near = reach(build_da_net("tiny").eval())  # gamma is still 0
    assert near[0, 0]
    assert not near[48:, :].any()
    assert not near[:, 48:].any()
    assert reach(randomised(build_da_net("tiny")))[90:, 90:].any()


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_explicit_attention_gives_the_same_logits(dtype, tolerance):
    fused = randomised(build_da_net("tiny")).to(dtype)
    explicit = build_da_net("tiny", explicit_attention=True).to(dtype).eval()
    explicit.load_state_dict(fused.state_dict())
    pairs = some_pairs(40, 56).to(dtype)
    torch.testing.assert_close(explicit(pairs), fused(pairs), rtol=tolerance, atol=tolerance)


def test_spectral_normalisation_bounds_every_gain():
    torch.manual_seed(0)
    network = build_da_net("tiny")
    for conv in spectral_convs(network):
        conv.parametrizations.weight.original.data.mul_(30)
    network.train()
    for _ in range(40):  # a power iteration each
        network(some_pairs(32, 32, batch=1))
    network.eval()
    convs = spectral_convs(network)
    assert len(convs) == 6
    for conv in convs:
        gain = torch.linalg.matrix_norm(conv.weight.detach().flatten(1).double(), ord=2)
        assert 0.9 < gain < 1.05


def test_batch_normalisation_is_the_classic_one():
    network = build_da_net("tiny", normalisation="batch")
    assert not spectral_convs(network)
    assert [m.num_features for m in network.modules() if isinstance(m, nn.BatchNorm2d)] == [16, 32, 32, 32]


def test_judging_changes_nothing_in_evaluation_mode():
    network = randomised(build_da_net("tiny"))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network(some_pairs(32, 32))
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("preset", WIDTHS)
def test_parameters_and_flops_are_those_counted_by_hand(preset):
    """Of one picture, 64x96, with the explicit attention, which the counter sees."""
    width = WIDTHS[preset]
    top, narrow, positions = 4 * width, width // 2, 8 * 12
    weights = [
        (16 * 4 * width, 32 * 48),
        (16 * width * 2 * width, 16 * 24),
        (16 * 2 * width * top, positions),
        (9 * top * top, positions),
        (9 * top * top, positions),
        (9 * top, positions),
        (2 * top * narrow + top * top, positions),
    ]
    biases = width + 2 * width + 3 * top + 1 + 2 * narrow + top
    attention = positions**2 * (narrow + top) + 2 * top**2 * positions
    network = build_da_net(preset, explicit_attention=True).eval()
    assert sum(p.numel() for p in network.parameters()) == sum(n for n, _ in weights) + biases + 2  # two gammas
    with FlopCounterMode(display=False) as counter:
        functional_pairs = some_pairs(64, 96, batch=1)
        network(functional_pairs)
    # spectral norm divides by u^T W v: one matrix-vector product for each of its six convolutions
    spectral = sum(n for n, _ in weights[:6])
    counted = counter.get_total_flops() - 2 * sum(n * pixels for n, pixels in weights) - 2 * attention
    assert 0 <= counted <= 2 * spectral


def test_pairs_are_stacked_on_the_channels():
    images, masks, predicted = torch.rand(2, 3, 5, 4), torch.rand(2, 1, 5, 4), torch.rand(2, 1, 5, 4)
    real = pair(images, masks)
    assert real.shape == (2, 4, 5, 4)
    assert torch.equal(real[:, :3], images)
    assert torch.equal(real[:, 3:], masks)
    second = pair(masks, predicted)  # the published second kind of fake
    assert all(torch.equal(second[:, channel], masks[:, 0]) for channel in range(3))
    assert torch.equal(second[:, 3:], predicted)


def test_pairs_that_do_not_fit_are_refused():
    network = build_da_net("tiny")
    with pytest.raises(ValueError, match=r"found shape \(1, 3, 64, 64\), expected \(B, 4, H, W\)"):
        network(torch.rand(1, 3, 64, 64))
    with pytest.raises(ValueError, match=r"found 64x24 pixels, expected at least 32"):
        network(torch.rand(1, 4, 64, 24))


def test_settings_are_checked():
    with pytest.raises(SettingsError, match=r"width: found 3, expected at least 4"):
        DANetSettings(width=3)
    with pytest.raises(SettingsError, match=r"normalisation: found 'layer', expected 'spectral' or 'batch'"):
        build_da_net("tiny", normalisation="layer")
    with pytest.raises(SettingsError, match=r"preset: found 'huge', expected one of tiny, small, base"):
        build_da_net("huge")
