"""What both networks must do at every width: any size, files, half-precision files, compilation, export, gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from module_cases import randomised
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from jaalnet_core.da_net import build_da_net
from jaalnet_core.lf_net import WIDTHS, build_lf_net
from jaalnet_core.size import Size
from jaalnet_core.training.fabric import Fabric
from jaalnet_core.training.settings import TrainSettings
from jaalnet_core.training.step import AdversarialStep
from jaalnet_core.weights import load_da_net, load_lf_net, save_weights

BUILDERS = {"lf_net": build_lf_net, "da_net": build_da_net}
LOADERS = {"lf_net": load_lf_net, "da_net": load_da_net}
CHANNELS = {"lf_net": 3, "da_net": 4}
long = pytest.mark.long
both = pytest.mark.parametrize("kind", BUILDERS)
every_width = pytest.mark.parametrize("preset", WIDTHS)
slow_beyond_tiny = pytest.mark.parametrize(
    "preset", ["tiny", pytest.param("small", marks=long), pytest.param("base", marks=long)]
)


def network_of(kind: str, preset: str, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return randomised(BUILDERS[kind](preset), seed)


def inputs(kind: str, *size: int, batch: int = 2, seed: int = 1) -> torch.Tensor:
    return torch.rand(batch, CHANNELS[kind], *size, generator=torch.Generator().manual_seed(seed))


def out_size(kind: str, height: int, width: int) -> tuple[int, int]:
    """LF-Net answers for every pixel, DA-Net for every patch of eight, rounded up."""
    return (height, width) if kind == "lf_net" else ((height + 7) // 8, (width + 7) // 8)


@both
@every_width
@pytest.mark.parametrize("size", [(32, 32), (33, 47)])
def test_shape(kind, preset, size):
    with torch.no_grad():
        logits = network_of(kind, preset)(inputs(kind, *size))
    assert logits.shape == (2, 1, *out_size(kind, *size))
    assert logits.dtype == torch.float32
    assert logits.isfinite().all()


@pytest.fixture(scope="module")
def shadows() -> dict[str, nn.Module]:
    """Tiny networks on the meta device, where only shapes are computed."""
    with torch.device("meta"):
        return {kind: builder("tiny").eval() for kind, builder in BUILDERS.items()}


@both
@settings(max_examples=12, deadline=None)
@given(st.integers(32, 300), st.integers(32, 300))
def test_any_size_from_32_up(shadows, kind, height, width):
    images = torch.empty(1, CHANNELS[kind], height, width, device="meta")
    assert shadows[kind](images).shape == (1, 1, *out_size(kind, height, width))


@both
@every_width
def test_saved_weights_give_the_same_logits(kind, preset, tmp_path):
    network, images = network_of(kind, preset), inputs(kind, 33, 47)
    save_weights(network, tmp_path / "net.safetensors", Size(33, 47))
    loaded = LOADERS[kind](tmp_path / "net.safetensors").network
    assert loaded.settings == network.settings
    with torch.no_grad():
        assert torch.equal(loaded(images), network(images))


@both
@every_width
def test_half_precision_weights_give_nearly_the_same_logits(kind, preset, tmp_path):
    network, images = network_of(kind, preset), inputs(kind, 32, 40)
    whole = save_weights(network, tmp_path / "whole.safetensors", Size(32, 40))
    half = save_weights(network, tmp_path / "half.safetensors", Size(32, 40), half=True)
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    loaded = LOADERS[kind](half).network
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    with torch.no_grad():
        logits, exact = loaded(images), network(images)
    assert not torch.equal(logits, exact)
    torch.testing.assert_close(logits, exact, rtol=0.02, atol=0.02 * float(exact.abs().max()))


@both
@every_width
def test_evaluation_is_deterministic_and_pictures_do_not_mix(kind, preset):
    network, images = network_of(kind, preset), inputs(kind, 32, 33, batch=3)
    with torch.no_grad():
        first = network(images)
        assert torch.equal(network(images), first)
        alone = torch.cat([network(picture[None]) for picture in images])
    torch.testing.assert_close(alone, first, rtol=1e-3, atol=1e-4)


@both
@every_width
def test_one_seed_one_network(kind, preset):
    states = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        states.append(BUILDERS[kind](preset).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert any(not torch.equal(states[0][name], states[2][name]) for name in states[0])


@both
@every_width
def test_gradients_reach_every_parameter(kind, preset):
    network, images = network_of(kind, preset), inputs(kind, 32, 48)
    out = network(images, with_contour=True) if kind == "lf_net" else (network(images),)
    sum(logits.square().sum() for logits in out).backward()
    silent = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert not silent
    # the mask alone teaches the contour stream too, all but nothing
    if kind == "lf_net":
        network.zero_grad()
        network(images).square().sum().backward()
        assert not [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]


@both
def test_gradients_equal_finite_differences(kind):
    """Along one random direction through all weights, float64; edges of the picture are no function of them."""
    network, images = network_of(kind, "tiny").double(), inputs(kind, 32, 32, batch=1).double()
    parameters = list(network.parameters())
    generator = torch.Generator().manual_seed(3)
    direction = [torch.randn(p.shape, generator=generator, dtype=torch.float64) for p in parameters]
    gradients = torch.autograd.grad(network(images).square().sum(), parameters)
    slope = sum((gradient * step).sum() for gradient, step in zip(gradients, direction, strict=True))

    def moved(by: float) -> float:
        with torch.no_grad():
            for parameter, step in zip(parameters, direction, strict=True):
                parameter += by * step
            value = float(network(images).square().sum())
            for parameter, step in zip(parameters, direction, strict=True):
                parameter -= by * step
        return value

    small = 1e-8
    assert float(slope) == pytest.approx((moved(small) - moved(-small)) / (2 * small), rel=1e-4)


@pytest.mark.untraced
@both
@slow_beyond_tiny
def test_export_to_onnx_agrees_on_another_batch(kind, preset, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    network, images = network_of(kind, preset), inputs(kind, 33, 47)
    torch.onnx.export(
        network,
        (images,),
        tmp_path / "net.onnx",
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        external_data=False,
        verbose=False,
    )
    assert [file.name for file in tmp_path.iterdir()] == ["net.onnx"]  # one file holds all
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    for batch in (1, 5):
        others = inputs(kind, 33, 47, batch=batch, seed=8)
        found = torch.from_numpy(session.run(None, {session.get_inputs()[0].name: others.numpy()})[0])
        with torch.no_grad():
            expected = network(others)
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


@both
@every_width
@long
def test_compiles_to_code(kind, preset):
    """With the code generator, in one graph; minutes, for the edges' loop is unrolled."""
    network, images = network_of(kind, preset), inputs(kind, 32, 48)
    torch.compiler.reset()
    compiled = torch.compile(network, fullgraph=True)
    with torch.no_grad():
        torch.testing.assert_close(compiled(images), network(images), rtol=1e-3, atol=1e-4)


@pytest.mark.untraced
@both
def test_compiles_to_one_graph(kind):
    network, images = network_of(kind, "tiny"), inputs(kind, 32, 48)
    torch.compiler.reset()
    graphs = []

    def keep(graph, _examples):
        graphs.append(graph)
        return graph.forward

    compiled = torch.compile(network, fullgraph=True, backend=keep)
    with torch.no_grad():
        torch.testing.assert_close(compiled(images), network(images), rtol=1e-5, atol=1e-5)
    assert len(graphs) == 1


@both
@pytest.mark.parametrize("shape", [(32, 32), (1, 2, 32, 32), (1, 5, 64, 64), (1, 1, 1, 32, 32)])
def test_another_shape_is_refused_in_words(kind, shape):
    with pytest.raises(ValueError, match=rf"images: found shape \(.*\), expected \(B, {CHANNELS[kind]}, H, W\)\."):
        BUILDERS[kind]("tiny")(torch.zeros(shape))


@both
@pytest.mark.parametrize("size", [(31, 64), (64, 31), (8, 8)])
def test_a_picture_too_small_is_refused_in_words(kind, size):
    with pytest.raises(ValueError, match=rf"found {size[0]}x{size[1]} pixels, expected at least 32 a side; enlarge"):
        BUILDERS[kind]("tiny")(inputs(kind, *size))


# The whole adversarial step


def step_flops(preset: str, recipe: str, device: str, side: int, batch: int) -> float:
    """GFLOP an image of one step of both networks, forwards and backwards, as torch's counter sees them."""
    settings = TrainSettings(preset=preset, recipe=recipe).resolved()
    with torch.device(device):
        lf_net = build_lf_net(preset).train()
        da_net = build_da_net(preset, normalisation=settings.normalisation, explicit_attention=True).train()
        step = AdversarialStep(
            Fabric(accelerator="cpu", devices=1),
            settings,
            lf_net,
            torch.optim.Adam(lf_net.parameters()),
            da_net,
            torch.optim.Adam(da_net.parameters()),
        )
        images, masks = torch.rand(batch, 3, side, side), torch.ones(batch, 1, side, side)
        with FlopCounterMode(display=False) as counter:
            step(images, masks)
    return counter.get_total_flops() / batch / 1e9


@pytest.mark.parametrize(("preset", "recipe", "at_most"), [("small", "published", 10), ("base", "course", 30)])
def test_the_adversarial_step_stays_within_its_budget(preset, recipe, at_most):
    """128x128, batches of 16, the second fake kind included; on the meta device, which counts and computes nothing."""
    gflop = step_flops(preset, recipe, "meta", side=128, batch=16)
    print(f"{preset}, {recipe}: {gflop:.2f} GFLOP an image")
    assert at_most / 20 < gflop <= at_most


def test_the_count_on_the_meta_device_is_that_of_a_real_step():
    real = step_flops("tiny", "course", "cpu", side=32, batch=2)
    assert real == step_flops("tiny", "course", "meta", side=32, batch=2)
    assert real > 0
