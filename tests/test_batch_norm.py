"""The batch norm that is quick with few channels, beside PyTorch's."""

from __future__ import annotations

import copy
import statistics
import time

import pytest
import torch
from torch import nn

from jaalnet_core import batch_norm
from jaalnet_core.batch_norm import BatchNorm2d, channel_statistics
from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.speed.before import norms_of_few_channels_by_general_kernels

LAST = torch.channels_last


@pytest.fixture
def small_maps_too(monkeypatch):
    """Folds whatever can be folded, to keep these tests quick."""
    monkeypatch.setattr(batch_norm, "LARGE", 1)


def twins(channels: int) -> tuple[nn.BatchNorm2d, BatchNorm2d]:
    """PyTorch's own and ours, of the same random weights and running statistics."""
    plain, ours = nn.BatchNorm2d(channels), BatchNorm2d(channels)
    for values in (plain.weight, plain.bias, plain.running_mean):
        nn.init.normal_(values)
    nn.init.uniform_(plain.running_var, 0.5, 2)
    ours.load_state_dict(plain.state_dict())
    return plain, ours


def results(norm: nn.BatchNorm2d, features: torch.Tensor, outer: torch.Tensor) -> dict[str, torch.Tensor]:
    features = features.clone(memory_format=torch.preserve_format).requires_grad_()
    norm.zero_grad()
    out = norm(features)
    out.backward(outer)
    return {
        "out": out.detach(),
        "to features": features.grad,
        "to weight": norm.weight.grad.clone(),
        "to bias": norm.bias.grad.clone(),
        **{name: values.clone() for name, values in norm.named_buffers()},
    }


def is_folded(norm: nn.BatchNorm2d, features: torch.Tensor) -> bool:
    return "_Normalise" in norm(features).grad_fn.name()


@pytest.mark.parametrize("layout", [torch.contiguous_format, LAST], ids=["channels first", "channels last"])
@pytest.mark.parametrize("size", [(8, 8), (7, 13), (32, 2)])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 8, 9, 12, 16, 17, 24, 33])
@pytest.mark.usefixtures("small_maps_too")
def test_values_gradients_and_running_statistics_are_those_of_the_plain_norm(channels, size, layout):
    torch.manual_seed(0)
    plain, ours = (norm.double() for norm in twins(channels))
    scale = torch.rand(channels, 1, 1).double() + 0.5
    features = (scale * torch.randn(4, channels, *size).double() + 3).contiguous(memory_format=layout)
    outer = torch.randn(4, channels, *size).double()
    for _ in range(2):  # the running statistics move on
        found, expected = results(ours, features, outer), results(plain, features, outer)
    for name, values in expected.items():
        torch.testing.assert_close(found[name], values, rtol=1e-11, atol=1e-11, msg=lambda text, name=name: name + text)
    assert found["out"].stride() == expected["out"].stride()
    with torch.no_grad():
        assert torch.equal(ours.eval()(features), plain.load_state_dict(ours.state_dict()) and plain.eval()(features))


@pytest.mark.usefixtures("small_maps_too")
def test_few_channels_are_folded_and_whole_cache_lines_are_not():
    def folded(channels: int, side: int = 16, layout: torch.memory_format = LAST, dtype=torch.float32) -> bool:
        features = torch.randn(2, channels, side, side, dtype=dtype).contiguous(memory_format=layout)
        return is_folded(BatchNorm2d(channels), features)

    assert [channels for channels in range(2, 65) if not folded(channels)] == [16, 32, 48, 64]
    assert not folded(8, layout=torch.contiguous_format)
    assert not folded(5, side=15)  # 450 pixels cannot be divided among groups of 16
    assert not folded(8, dtype=torch.bfloat16)  # mixed precision, beside weights of single precision
    features = torch.randn(2, 8, 16, 16).contiguous(memory_format=LAST).requires_grad_()
    for settings in ({"affine": False}, {"track_running_stats": False}, {"momentum": None}):
        assert not is_folded(BatchNorm2d(8, **settings), features)
    half = BatchNorm2d(8).to(torch.bfloat16)
    assert not is_folded(half, features.to(torch.bfloat16))


@pytest.mark.usefixtures("small_maps_too")
def test_a_gradient_of_its_gradient_is_refused_and_not_wrong():
    features = torch.randn(2, 4, 16, 16).contiguous(memory_format=LAST).requires_grad_()
    (gradient,) = torch.autograd.grad(BatchNorm2d(4)(features).square().sum(), features, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def test_small_maps_stay_with_the_plain_kernels():
    norm = BatchNorm2d(8)
    for side, expected in ((128, True), (32, False)):
        features = torch.randn(2, 8, side, side).contiguous(memory_format=LAST)
        assert is_folded(norm, features) == expected
    with norms_of_few_channels_by_general_kernels():
        assert not is_folded(norm, torch.randn(2, 8, 128, 128).contiguous(memory_format=LAST))


@pytest.mark.usefixtures("small_maps_too")
def test_the_activation_after_it_may_work_in_place():
    torch.manual_seed(0)
    features, outer = (torch.randn(2, 4, 16, 16).contiguous(memory_format=LAST) for _ in range(2))
    plain, ours = twins(4)
    found = []
    for layers in (nn.Sequential(plain, nn.ReLU()), nn.Sequential(ours, nn.ReLU(inplace=True))):
        given = features.clone(memory_format=torch.preserve_format).requires_grad_()
        out = layers(given)
        out.backward(outer)
        found.append((out.detach(), given.grad, layers[0].weight.grad))
    for expected, values in zip(*found, strict=True):
        torch.testing.assert_close(values, expected)


def test_single_precision_rounds_less_than_the_plain_norm():
    """More sums of fewer numbers each; against float64, on as many pixels as LF-Net's first level has."""
    torch.manual_seed(0)
    features = (5 + torch.randn(8, 8, 96, 96)).contiguous(memory_format=LAST)
    outer, (plain, ours) = torch.randn_like(features), twins(8)
    exact = results(copy.deepcopy(plain).double(), features.double(), outer.double())
    worst = {}
    for norm in (plain, ours):
        found = results(norm, features, outer)
        worst[norm] = max(float((found[name] - exact[name]).abs().max() / exact[name].abs().max()) for name in exact)
    assert worst[ours] < worst[plain]


def test_statistics_of_channels_far_from_zero_do_not_cancel():
    features = (1000 + torch.randn(4, 4, 64, 64)).contiguous(memory_format=LAST)
    mean, variance = channel_statistics(features)
    exact = features.double()
    torch.testing.assert_close(mean, exact.mean((0, 2, 3)), rtol=1e-6, atol=0)
    torch.testing.assert_close(variance, exact.var((0, 2, 3), correction=0), rtol=1e-4, atol=0)


@pytest.mark.usefixtures("small_maps_too")
def test_frozen_weights_and_features_without_gradient():
    norm = BatchNorm2d(4).requires_grad_(False)
    features = torch.randn(2, 4, 16, 16).contiguous(memory_format=LAST)
    assert norm(features).grad_fn is None
    norm(features.requires_grad_()).square().sum().backward()
    assert features.grad is not None
    assert norm.weight.grad is None
    assert int(norm.num_batches_tracked) == 2


@pytest.mark.usefixtures("small_maps_too")
def test_it_can_be_compiled():
    torch.manual_seed(0)
    norm, features = BatchNorm2d(4), torch.randn(2, 4, 16, 16).contiguous(memory_format=LAST)
    twin = copy.deepcopy(norm)
    twin.compile(backend="aot_eager", fullgraph=True)
    for one in (norm, twin):
        one(features).square().sum().backward()
    torch.testing.assert_close(twin.weight.grad, norm.weight.grad)
    torch.testing.assert_close(twin.running_var, norm.running_var)


def test_every_norm_of_the_networks_is_of_this_kind():
    norms = [module for module in build_lf_net("tiny").modules() if isinstance(module, nn.BatchNorm2d)]
    assert len(norms) > 40
    assert all(type(norm) is BatchNorm2d for norm in norms)


def test_it_takes_less_time_than_the_general_kernels():
    """Two to seven times less where it was measured; any gain will do on a busy machine."""
    plain, ours = twins(5)
    features = torch.randn(8, 5, 128, 128).contiguous(memory_format=LAST)
    outer = torch.randn_like(features)

    def seconds(norm: nn.BatchNorm2d) -> float:
        started = time.perf_counter()
        results(norm, features, outer)
        return time.perf_counter() - started

    ratios = [seconds(plain) / seconds(ours) for _ in range(7)]
    assert statistics.median(ratios) > 1.2
