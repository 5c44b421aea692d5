"""The depthwise convolution and its own gradients, beside PyTorch's."""

from __future__ import annotations

import copy
import statistics
import time

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck, gradgradcheck

from jaalnet_core.blocks import DDSConv
from jaalnet_core.depthwise import DepthwiseConv, dilated_depthwise, phases
from jaalnet_core.speed.before import dilated_gradients_by_general_kernels

LAYOUTS = [torch.contiguous_format, torch.channels_last]


def plain(conv: DepthwiseConv) -> nn.Conv2d:
    """PyTorch's own, of the same weights."""
    channels, size, dilation = conv.in_channels, conv.kernel_size, conv.dilation
    made = nn.Conv2d(channels, channels, size, padding=conv.padding, dilation=dilation, groups=channels, bias=False)
    made.load_state_dict(conv.state_dict())
    return made.to(conv.weight.dtype)


def gradients(conv: nn.Conv2d, features: torch.Tensor, outer: torch.Tensor) -> list[torch.Tensor]:
    features = features.clone(memory_format=torch.preserve_format).requires_grad_()
    conv.zero_grad()
    out = conv(features)
    out.backward(outer)
    return [out.detach(), features.grad, conv.weight.grad]


@pytest.mark.parametrize("layout", LAYOUTS, ids=["channels first", "channels last"])
@pytest.mark.parametrize("size", [(12, 12), (7, 13), (2, 5)])  # multiples of the dilation, others, and smaller
@pytest.mark.parametrize(("kernel_size", "dilation"), [(3, 1), (3, 2), (3, 3), (5, 2), (3, 6)])
def test_values_and_gradients_are_those_of_the_plain_convolution(kernel_size, dilation, size, layout):
    torch.manual_seed(0)
    conv = DepthwiseConv(5, kernel_size, dilation).double()
    features, outer = (torch.randn(2, 5, *size).double().contiguous(memory_format=layout) for _ in range(2))
    assert conv(features).shape == features.shape
    for found, expected in zip(gradients(conv, features, outer), gradients(plain(conv), features, outer), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dilation", [2, 3])
def test_gradients_have_gradients(dilation):
    torch.manual_seed(0)
    features, weight = torch.randn(1, 2, 4, 5).double(), torch.randn(2, 1, 3, 3).double()
    arguments = (features.requires_grad_(), weight.requires_grad_())
    assert gradcheck(lambda x, w: dilated_depthwise(x, w, dilation), arguments)
    assert gradgradcheck(lambda x, w: dilated_depthwise(x, w, dilation), arguments)


def test_only_the_gradient_that_is_asked_for_is_computed():
    conv, features = DepthwiseConv(3, dilation=2), torch.randn(1, 3, 8, 8)
    conv(features).sum().backward()
    assert conv.weight.grad is not None
    frozen = DepthwiseConv(3, dilation=2).requires_grad_(False)
    frozen(features.requires_grad_()).sum().backward()
    assert features.grad is not None
    assert frozen.weight.grad is None


def test_single_precision_rounds_no_more_than_without_dilation():
    """Against float64, on as many pixels as LF-Net's first level has."""
    torch.manual_seed(0)
    features, outer = (torch.randn(8, 16, 96, 96) for _ in range(2))
    worst = {}
    for dilation in (1, 3):
        conv = DepthwiseConv(16, dilation=dilation)
        found = gradients(conv, features, outer)
        exact = gradients(plain(copy.deepcopy(conv).double()), features.double(), outer.double())
        pairs = zip(found, exact, strict=True)
        worst[dilation] = max(float((one - two).abs().max() / two.abs().max()) for one, two in pairs)
    assert worst[3] < max(2 * worst[1], 5e-6)


def test_phases_are_every_second_row_and_column():
    """By hand: 3 rows and 4 columns; the missing fourth row is 0."""
    rows = [[0, 1, 2, 3], [10, 11, 12, 13], [20, 21, 22, 23]]
    found = phases(torch.tensor(rows)[None, None], 2)
    assert found.tolist() == [[[[0, 2], [20, 22]]], [[[1, 3], [21, 23]]], [[[10, 12], [0, 0]]], [[[11, 13], [0, 0]]]]


def test_a_trained_layer_takes_the_fast_way_and_a_predicting_one_the_plain():
    features = torch.randn(1, 4, 9, 9)
    assert "DilatedDepthwise" in DepthwiseConv(4, dilation=2)(features).grad_fn.name()
    assert "Convolution" in DepthwiseConv(4, dilation=1)(features).grad_fn.name()
    with dilated_gradients_by_general_kernels():
        assert "Convolution" in DepthwiseConv(4, dilation=2)(features).grad_fn.name()
    with torch.no_grad():
        conv = DepthwiseConv(4, dilation=2)
        assert torch.equal(conv(features), plain(conv)(features))  # bit for bit


def test_it_can_be_compiled():
    torch.manual_seed(0)
    layer, features = DDSConv(6, 4, dilation=3), torch.randn(2, 6, 10, 11)
    twin = copy.deepcopy(layer)
    twin.compile(backend="aot_eager", fullgraph=True)
    for one in (layer, twin):
        one(features).square().sum().backward()
    torch.testing.assert_close(twin.depthwise.weight.grad, layer.depthwise.weight.grad)


def test_an_even_filter_is_refused():
    with pytest.raises(ValueError, match="kernel_size: found 4, expected an odd number"):
        DepthwiseConv(3, kernel_size=4)


def test_gradients_take_less_time_than_by_the_general_kernels():
    """5 to 8 times less where it was measured; any gain will do on a busy machine."""
    conv = DepthwiseConv(24, dilation=2).to(memory_format=torch.channels_last)
    features = torch.randn(8, 24, 64, 64).contiguous(memory_format=torch.channels_last)
    outer = torch.randn_like(features)

    def seconds() -> float:
        started = time.perf_counter()
        gradients(conv, features, outer)
        return time.perf_counter() - started

    ratios = []
    for _ in range(7):
        with dilated_gradients_by_general_kernels():
            before = seconds()
        ratios.append(before / seconds())
    assert statistics.median(ratios) > 1.2
