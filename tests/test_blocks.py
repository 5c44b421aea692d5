"""LF-Net's bricks against NumPy loops in float64, and what they cost."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from array_layers import array, batch_norm, convolve, paint_patches, relu
from hypothesis import given, settings
from hypothesis import strategies as st
from module_cases import randomised
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from jaalnet_core.blocks import ConvNormAct, DDSConv, DeConv, DenseBlock, ResidualBlock

few = settings(max_examples=12, deadline=None)
sides = st.integers(1, 9)
counts = st.integers(1, 4)
EXACT = {"rtol": 1e-11, "atol": 1e-11}


def agree(module: nn.Module, expected, *shape: int, seed: int = 0) -> None:
    """Hold a module against `expected(module, features)` on random weights and features, float64."""
    module = randomised(module, seed).double()
    features = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    np.testing.assert_allclose(array(module(features)), expected(module, array(features)), **EXACT)


def conv_norm_act(module: ConvNormAct, features: np.ndarray) -> np.ndarray:
    conv, norm, _ = module
    return relu(batch_norm(convolve(features, conv), norm))


def dds_conv(module: DDSConv, features: np.ndarray) -> np.ndarray:
    """Each channel is filtered on its own, by hand; then each pixel's channels are mixed."""
    weight, dilation = array(module.depthwise.weight), module.depthwise.dilation[0]
    assert weight.shape == (features.shape[1], 1, 3, 3)
    _, _, height, width = features.shape
    filtered = np.zeros_like(features)
    for channel in range(features.shape[1]):
        for y in range(height):
            for x in range(width):
                for row in (-1, 0, 1):
                    for column in (-1, 0, 1):
                        there = y + row * dilation, x + column * dilation
                        if 0 <= there[0] < height and 0 <= there[1] < width:
                            tap = weight[channel, 0, row + 1, column + 1]
                            filtered[:, channel, y, x] += tap * features[:, channel, there[0], there[1]]
    filtered = batch_norm(filtered, module.depthwise_norm)
    mixed = np.einsum("oc,bchw->bohw", array(module.pointwise.weight)[:, :, 0, 0], filtered)
    return relu(batch_norm(mixed, module.pointwise_norm))


def de_conv(module: DeConv, features: np.ndarray) -> np.ndarray:
    return relu(batch_norm(paint_patches(features, module.deconv), module.norm))


def dense_block(module: DenseBlock, features: np.ndarray) -> np.ndarray:
    """All features so far, first the input, then what each layer added, go into the next layer."""
    known = [features]
    for layer in module.layers:
        known.append(dds_conv(layer, np.concatenate(known, axis=1)))
    return conv_norm_act(module.transition, np.concatenate(known, axis=1))


def residual_block(module: ResidualBlock, features: np.ndarray) -> np.ndarray:
    residual = relu(batch_norm(convolve(features, module.conv1), module.norm1))
    residual = batch_norm(convolve(residual, module.conv2), module.norm2)
    if module.conv1.in_channels == module.conv1.out_channels:
        return relu(features + residual)
    projection, norm = module.shortcut
    return relu(batch_norm(convolve(features, projection), norm) + residual)


@few
@given(counts, counts, sides, sides, st.sampled_from([1, 3, 5]), st.integers(1, 3))
def test_conv_norm_act(source, target, height, width, kernel, dilation):
    agree(ConvNormAct(source, target, kernel, dilation), conv_norm_act, 2, source, height, width)


@few
@given(counts, counts, sides, sides, st.integers(1, 4))
def test_dds_conv(source, target, height, width, dilation):
    agree(DDSConv(source, target, dilation), dds_conv, 2, source, height, width)


@few
@given(counts, counts, sides, sides, st.sampled_from([2, 4]))
def test_de_conv(source, target, height, width, kernel):
    agree(DeConv(source, target, kernel), de_conv, 2, source, height, width)


@pytest.mark.parametrize("dilations", [(1,), (1, 2, 3), (3, 1)])
def test_dense_block(dilations):
    agree(DenseBlock(2, 3, growth_rate=2, dilations=dilations), dense_block, 2, 2, 6, 7)


@pytest.mark.parametrize("channels", [(3, 3), (2, 4), (4, 2)])
def test_residual_block(channels):
    agree(ResidualBlock(*channels), residual_block, 2, channels[0], 5, 6)


def test_residual_block_puts_the_attention_on_the_residual_branch_alone():
    class Halve(nn.Module):
        def forward(self, features):
            return features / 2

    plain = randomised(ResidualBlock(3, 3)).double()
    attended = ResidualBlock(3, 3, Halve()).double().eval()
    attended.load_state_dict(plain.state_dict())
    features = torch.randn(1, 3, 4, 5, dtype=torch.float64)
    inner = plain.norm2(plain.conv2(plain.activation(plain.norm1(plain.conv1(features)))))
    torch.testing.assert_close(attended(features), torch.relu(inner / 2 + features))


def test_batch_statistics_are_used_while_training():
    """In training mode each pointwise channel leaves the norm with mean 0 and variance 1: before the ReLU."""
    layer = DDSConv(3, 4).double()
    seen = []
    layer.pointwise_norm.register_forward_hook(lambda _module, _inputs, out: seen.append(out.detach().clone()))
    layer.train()(torch.randn(4, 3, 8, 8, dtype=torch.float64))
    torch.testing.assert_close(seen[0].mean(dim=(0, 2, 3)), torch.zeros(4, dtype=torch.float64), rtol=0, atol=1e-9)
    spread = seen[0].var(dim=(0, 2, 3), correction=0)
    torch.testing.assert_close(spread, torch.ones(4, dtype=torch.float64), rtol=0, atol=1e-2)


@pytest.mark.parametrize("dilation", [1, 2, 3, 5])
def test_dds_conv_sees_exactly_its_dilated_neighbourhood(dilation):
    """The gradient of one output pixel is not zero at nine places, `dilation` apart, and nowhere else."""
    layer = randomised(DDSConv(1, 1, dilation)).double()
    layer.activation = nn.Identity()
    features = torch.randn(1, 1, 13, 13, dtype=torch.float64, requires_grad=True)
    layer(features)[0, 0, 6, 6].backward()
    seen = {tuple(place) for place in features.grad[0, 0].nonzero().tolist()}
    steps = (-dilation, 0, dilation)
    assert seen == {(6 + row, 6 + column) for row in steps for column in steps}


@few
@given(st.integers(2, 6), st.integers(2, 6), st.integers(4, 9), st.integers(4, 9))
def test_dds_conv_costs_what_the_lesson_derives(source, target, height, width):
    layer = DDSConv(source, target, dilation=2)
    weights = layer.depthwise.weight.numel() + layer.pointwise.weight.numel()
    assert weights == 9 * source + source * target
    assert sum(p.numel() for p in layer.parameters()) == weights + 2 * source + 2 * target  # two norms
    with FlopCounterMode(display=False) as counter:
        layer(torch.randn(2, source, height, width))
    assert counter.get_total_flops() == 2 * 2 * height * width * (9 * source + source * target)


def test_dds_conv_is_cheaper_than_a_plain_convolution():
    def flops(layer):
        with FlopCounterMode(display=False) as counter:
            layer(torch.randn(1, 32, 8, 8))
        return counter.get_total_flops()

    ratio = flops(DDSConv(32, 32)) / flops(nn.Conv2d(32, 32, 3, padding=1))
    assert ratio == pytest.approx(1 / 32 + 1 / 9)


def test_dense_block_bookkeeping():
    block = DenseBlock(5, 7, growth_rate=3, dilations=(1, 2, 4))
    assert [layer.depthwise.in_channels for layer in block.layers] == [5, 8, 11]
    assert [layer.pointwise.out_channels for layer in block.layers] == [3, 3, 3]
    assert [layer.depthwise.dilation for layer in block.layers] == [(1, 1), (2, 2), (4, 4)]
    assert block.transition[0].weight.shape == (7, 14, 1, 1)
    layers = sum(9 * n + 3 * n + 2 * n + 2 * 3 for n in (5, 8, 11))  # two convolutions and their norms
    assert sum(p.numel() for p in block.parameters()) == layers + 14 * 7 + 2 * 7


def test_residual_block_projects_only_where_channels_change():
    assert sum(p.numel() for p in ResidualBlock(6, 6).parameters()) == 2 * 9 * 36 + 4 * 6
    assert sum(p.numel() for p in ResidualBlock(4, 6).parameters()) == 9 * 24 + 9 * 36 + 24 + 6 * 6


@pytest.mark.parametrize("kernel", [2, 4])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 5)])
def test_de_conv_doubles_exactly(kernel, size):
    out = DeConv(2, 3, kernel).eval()(torch.randn(1, 2, *size))
    assert out.shape == (1, 3, 2 * size[0], 2 * size[1])


def test_kernels_that_would_change_the_size_are_refused():
    with pytest.raises(ValueError, match=r"kernel_size: found 4, expected an odd number"):
        ConvNormAct(2, 2, kernel_size=4)
    with pytest.raises(ValueError, match=r"kernel_size: found 3, expected 2 or 4"):
        DeConv(2, 2, kernel_size=3)
