"""CBAM, position and channel attention against loops in float64; the fused attention against the explicit one."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from array_layers import array, convolve, sigmoid, softmax
from hypothesis import given, settings
from hypothesis import strategies as st
from module_cases import randomised
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from jaalnet_core.attention import (
    CBAM,
    ChannelAttention,
    ChannelGate,
    PositionAttention,
    SpatialGate,
    explicit_attention,
    fused_attention,
)

few = settings(max_examples=15, deadline=None)
EXACT = {"rtol": 1e-11, "atol": 1e-11}


def some(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def channel_gate(module: ChannelGate, features: np.ndarray) -> np.ndarray:
    """`(B, C)`: sigmoid of the shared network's answer to the averages plus its answer to the maxima."""
    first, _, second = module.mlp

    def network(pooled):
        hidden = np.maximum(np.einsum("hc,bc->bh", array(first.weight), pooled) + array(first.bias), 0)
        return np.einsum("ch,bh->bc", array(second.weight), hidden) + array(second.bias)

    count = features.shape[2] * features.shape[3]
    average = np.einsum("bchw->bc", features) / count
    maximum = np.array([[channel.max() for channel in picture] for picture in features])
    return sigmoid(network(average) + network(maximum))


def spatial_gate(module: SpatialGate, features: np.ndarray) -> np.ndarray:
    """`(B, H, W)`: sigmoid of a 7x7 convolution over the mean and the maximum of each pixel's channels."""
    pooled = np.stack([features.sum(axis=1) / features.shape[1], np.maximum.reduce(features, axis=1)], axis=1)
    return sigmoid(convolve(pooled, module.conv))[:, 0]


@few
@given(st.sampled_from([3, 8, 16, 40]), st.integers(1, 8), st.integers(1, 8))
def test_channel_gate(channels, height, width):
    module, features = randomised(ChannelGate(channels)).double(), some(2, channels, height, width)
    gate = channel_gate(module, array(features))
    np.testing.assert_allclose(array(module.gate(features))[:, :, 0, 0], gate, **EXACT)
    gated = np.einsum("bc,bchw->bchw", gate, array(features))
    np.testing.assert_allclose(array(module(features)), gated, **EXACT)


@few
@given(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9))
def test_spatial_gate(channels, height, width):
    module, features = randomised(SpatialGate()).double(), some(2, channels, height, width)
    gate = spatial_gate(module, array(features))
    np.testing.assert_allclose(array(module.gate(features))[:, 0], gate, **EXACT)
    gated = np.einsum("bhw,bchw->bchw", gate, array(features))
    np.testing.assert_allclose(array(module(features)), gated, **EXACT)


def test_cbam_is_the_channel_gate_and_then_the_spatial_gate():
    module, features = randomised(CBAM(6)).double(), some(2, 6, 5, 4)
    chosen = np.einsum("bc,bchw->bchw", channel_gate(module[0], array(features)), array(features))
    placed = np.einsum("bhw,bchw->bchw", spatial_gate(module[1], chosen), chosen)
    np.testing.assert_allclose(array(module(features)), placed, **EXACT)


@pytest.mark.parametrize(("channels", "hidden"), [(4, 4), (16, 4), (64, 8), (256, 32)])
def test_channel_gate_narrows_and_widens_again(channels, hidden):
    assert ChannelGate(channels).mlp[0].weight.shape == (hidden, channels)
    count = sum(p.numel() for p in CBAM(channels).parameters())
    assert count == 2 * channels * hidden + channels + hidden + 2 * 49 + 1


def mixed_by_loops(query: np.ndarray, key: np.ndarray, value: np.ndarray) -> np.ndarray:
    """For each picture and position: dot products with every position, softmax, weighted sum of the values."""
    out = np.zeros_like(value)
    for picture in range(len(query)):
        for here in range(query.shape[1]):
            scores = [float(np.dot(query[picture, here], there)) for there in key[picture]]
            for weight, there in zip(softmax(np.array(scores)), value[picture], strict=True):
                out[picture, here] += weight * there
    return out


@pytest.mark.parametrize("attend", [explicit_attention, fused_attention])
@few
@given(st.integers(1, 3), st.integers(1, 9), st.integers(1, 5), st.integers(1, 6))
def test_attention_is_a_weighted_mean_over_all_positions(attend, batch, positions, narrow, wide):
    query, key = some(batch, positions, narrow), some(batch, positions, narrow, seed=1)
    value = some(batch, positions, wide, seed=2)
    expected = mixed_by_loops(array(query), array(key), array(value))
    np.testing.assert_allclose(array(attend(query, key, value)), expected, **EXACT)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
@pytest.mark.parametrize(("narrow", "wide"), [(8, 64), (4, 4), (6, 3)])
def test_fused_attention_equals_the_explicit_one(dtype, tolerance, narrow, wide):
    """Values and gradients, on as many positions as a 128x128 picture has in DA-Net."""
    leaves = [some(2, 256, n, seed=n + i, dtype=dtype).requires_grad_() for i, n in enumerate((narrow, narrow, wide))]
    direction = some(2, 256, wide, seed=9, dtype=dtype)
    results = []
    for attend in (explicit_attention, fused_attention):
        mixed = attend(*leaves)
        results.append((mixed, *torch.autograd.grad((mixed * direction).sum(), leaves)))
    for explicit, fused in zip(*results, strict=True):
        torch.testing.assert_close(
            fused, explicit, rtol=tolerance, atol=tolerance * float(explicit.detach().abs().max())
        )


def test_fused_attention_stores_no_matrix():
    """The largest tensor kept for the gradient grows with N, not with N squared."""

    def largest_kept(attend, positions):
        query, key, value = (some(1, positions, n, dtype=torch.float32).requires_grad_() for n in (4, 4, 16))
        kept = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
            attend(query, key, value)
        return max(kept)

    assert largest_kept(explicit_attention, 512) == 512**2
    assert largest_kept(fused_attention, 512) <= 512 * 16


def test_position_attention():
    """Every position of a 3x4 map looks at every other: two loops, from the weights alone."""
    module, features = randomised(PositionAttention(6, reduction=3)).double(), some(2, 6, 3, 4)
    places = [(y, x) for y in range(3) for x in range(4)]  # reading order

    def seen(conv, picture, place):
        vector = array(features)[picture, :, place[0], place[1]]
        return array(conv.weight)[:, :, 0, 0] @ vector + array(conv.bias)

    maps, expected = array(module.attention_map(features)), array(features).copy()
    for picture in range(2):
        for i, here in enumerate(places):
            query = seen(module.query, picture, here)
            weights = softmax(np.array([query @ seen(module.key, picture, there) for there in places]))
            np.testing.assert_allclose(maps[picture, i], weights, **EXACT)
            borrowed = sum(weights[j] * seen(module.value, picture, there) for j, there in enumerate(places))
            expected[picture, :, here[0], here[1]] += module.gamma.item() * borrowed
    np.testing.assert_allclose(array(module(features)), expected, **EXACT)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_position_attention_is_the_same_fused_and_explicit(dtype, tolerance):
    fused = randomised(PositionAttention(16)).to(dtype)
    explicit = PositionAttention(16, explicit=True).to(dtype)
    explicit.load_state_dict(fused.state_dict())
    features = some(2, 16, 9, 11, dtype=dtype)
    torch.testing.assert_close(fused(features), explicit(features), rtol=tolerance, atol=tolerance)


def test_position_attention_knows_no_places():
    """Positions in another order come out in that order: only what is there counts, not where."""
    module, features = randomised(PositionAttention(8)).double(), some(1, 8, 3, 5)
    order = torch.randperm(15, generator=torch.Generator().manual_seed(3))

    def shuffle(maps):
        return maps.flatten(2)[:, :, order].reshape(maps.shape)

    torch.testing.assert_close(module(shuffle(features)), shuffle(module(features)))


def test_channel_attention():
    module, features = randomised(ChannelAttention()).double(), some(2, 5, 3, 4)
    maps, expected = array(module.attention_map(features)), array(features).copy()
    for picture in range(2):
        channels = array(features)[picture].reshape(5, 12)
        for i in range(5):
            alike = np.array([sum(a * b for a, b in zip(channels[i], channels[j], strict=True)) for j in range(5)])
            weights = softmax(max(alike) - alike)
            np.testing.assert_allclose(maps[picture, i], weights, **EXACT)
            borrowed = sum(weights[j] * channels[j] for j in range(5)).reshape(3, 4)
            expected[picture, i] += module.gamma.item() * borrowed
    np.testing.assert_allclose(array(module(features)), expected, **EXACT)


def test_channel_attention_looks_at_what_is_unlike_itself():
    features = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]).reshape(1, 3, 1, 2)
    maps = ChannelAttention().attention_map(features)[0]
    near, far = 1 / (2 + math.e), math.e / (2 + math.e)  # dot products 1 and 0: the maximum minus them is 0 and 1
    torch.testing.assert_close(maps[0], torch.tensor([near, near, far]))
    torch.testing.assert_close(maps[2], torch.tensor([math.e, math.e, 1.0]) / (2 * math.e + 1))


def test_channel_attention_does_not_overflow():
    """Dot products of 1e10 and more, whose exponential no float holds."""
    out = randomised(ChannelAttention())(some(1, 4, 16, 16, dtype=torch.float32) * 1e4)
    assert out.isfinite().all()


@pytest.mark.parametrize("module", [PositionAttention(8), PositionAttention(8, explicit=True), ChannelAttention()])
def test_an_untrained_attention_changes_nothing_and_can_learn(module: nn.Module):
    features = some(2, 8, 4, 5, dtype=torch.float32)
    out = module(features)
    assert torch.equal(out, features)
    out.square().sum().backward()
    assert module.gamma.grad.abs() > 1e-3


def test_position_attention_costs_the_square_of_the_positions():
    """8x8 and 16x16 positions: 2 (D + C) N^2 for the matrix, 2 (2 C D + C C) N for query, key and value."""
    module = PositionAttention(32, explicit=True)
    assert sum(p.numel() for p in module.parameters()) == 2 * (32 * 4 + 4) + 32 * 32 + 32 + 1
    for side in (8, 16):
        positions = side * side
        with FlopCounterMode(display=False) as counter:
            module(torch.randn(1, 32, side, side))
        matrix, convolutions = 2 * (4 + 32) * positions**2, 2 * (2 * 32 * 4 + 32 * 32) * positions
        assert counter.get_total_flops() == matrix + convolutions


def test_narrow_channels_keep_one_for_query_and_key():
    assert PositionAttention(4, reduction=8).query.weight.shape == (1, 4, 1, 1)
