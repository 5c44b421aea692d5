"""A part that is left out takes away exactly its own weights, modules and arithmetic, and nothing else changes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from module_cases import randomised
from safetensors import safe_open
from torch import nn

from jaalnet_core.attention import CBAM, ChannelAttention, PositionAttention
from jaalnet_core.blocks import ConvNormAct, DDSConv, DenseBlock
from jaalnet_core.choices import DA_NET_PARTS, LF_NET_PARTS
from jaalnet_core.contour import ContourAttention, ImageEdges
from jaalnet_core.da_net import DANet, DANetSettings, build_da_net
from jaalnet_core.export import export_onnx, onnx_probabilities
from jaalnet_core.flops import flop_counter, forward_gflop
from jaalnet_core.lf_net import LFNet, LFNetSettings, build_lf_net
from jaalnet_core.size import Size
from jaalnet_core.weights import load_da_net, load_lf_net, save_weights

SHIPPED = Path(__file__).resolve().parent.parent / "checkpoints" / "shipped"
SIDE = 64
DA_FIELDS = [part.replace("-", "_") for part in DA_NET_PARTS]
LF_FIELDS = [part.replace("-", "_") for part in LF_NET_PARTS]
EVERY = [*(("lf_net", field) for field in LF_FIELDS), *(("da_net", field) for field in DA_FIELDS)]
BUILDERS = {"lf_net": build_lf_net, "da_net": build_da_net}
LOADERS = {"lf_net": load_lf_net, "da_net": load_da_net}
every_part = pytest.mark.parametrize(("kind", "field"), EVERY, ids=[field for _, field in EVERY])


def without(kind: str, field: str) -> nn.Module:
    torch.manual_seed(0)
    return randomised(BUILDERS[kind]("tiny", **{field: False}))


def pictures(kind: str, *size: int) -> torch.Tensor:
    channels = 3 if kind == "lf_net" else 4
    return torch.rand(2, channels, *size, generator=torch.Generator().manual_seed(1))


def shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def has(network: nn.Module, *kinds: type) -> bool:
    return any(isinstance(module, kinds) for module in network.modules())


def flop_by_module(network: nn.Module) -> dict[str, int]:
    with torch.no_grad(), flop_counter() as counter:
        network.eval()(torch.zeros(1, 3, SIDE, SIDE))
    return {name: sum(counts.values()) for name, counts in counter.get_flop_counts().items()}


def flop_of(network: nn.Module) -> int:
    return flop_by_module(network)["Global"]


def test_every_word_is_a_switch_of_one_network_and_is_on() -> None:
    for settings, fields in ((LFNetSettings(), LF_FIELDS), (DANetSettings(), DA_FIELDS)):
        switches = {name for name, value in dataclasses.asdict(settings).items() if value is True}
        assert switches == set(fields)


def test_a_whole_network_is_drawn_from_the_random_numbers_as_ever() -> None:
    """The last value of each network depends on every draw before it: runs with a seed stay what they were."""
    torch.manual_seed(0)
    assert build_lf_net("tiny").head.bias.item() == pytest.approx(0.0988214, abs=1e-6)
    torch.manual_seed(0)
    assert build_da_net("tiny").head.bias.item() == pytest.approx(-0.0304607, abs=1e-6)


def test_files_from_before_there_was_a_choice_hold_whole_networks() -> None:
    for kind, settings in (("lf_net", LFNetSettings(width=16)), ("da_net", DANetSettings(width=16))):
        path = SHIPPED / "small-published" / f"{kind}.safetensors"
        with safe_open(path, framework="pt") as file:
            described = json.loads(file.metadata()["settings"])
        assert not {*described} & {*LF_FIELDS, *DA_FIELDS}, "an older file is what this test needs"
        loaded = LOADERS[kind](path).network.settings
        assert dataclasses.replace(loaded, **{k: getattr(settings, k) for k in described}) == settings


# ---- what goes ----


def test_without_contour_attention_the_stream_and_the_edges_go() -> None:
    whole, left = build_lf_net("tiny"), without("lf_net", "contour_attention")
    expected = {name: shape for name, shape in shapes(whole).items() if not name.startswith("contour")}
    expected["head.weight"] = (1, 8, 1, 1)  # it saw an outline and the edges as well
    assert shapes(left) == expected
    assert has(whole, ContourAttention, ImageEdges)
    assert not has(left, ContourAttention, ImageEdges)
    counted = flop_by_module(whole)
    names = [f"LFNet.{name}" for name in ("contour_start", "contour_head", "edges")]
    stream = sum(counted.get(name, 0) for name in names)
    stream += sum(counted[f"LFNet.contour.{level}"] for level in range(4))
    assert flop_of(left) == counted["Global"] - stream - 2 * 2 * SIDE * SIDE
    with pytest.raises(ValueError, match=r"with_contour: found True, expected False.*without contour stream"):
        left(pictures("lf_net", 32, 32), with_contour=True)


def test_without_cbam_only_the_gates_go() -> None:
    whole, left = build_lf_net("tiny"), without("lf_net", "cbam")
    assert shapes(left) == {name: s for name, s in shapes(whole).items() if ".attention." not in name}
    assert has(whole, CBAM)
    assert not has(left, CBAM)
    counted = flop_by_module(whole)
    gates = sum(counted[f"LFNet.decoder.{level}.attention"] for level in range(4))
    assert gates > 0
    assert flop_of(left) == counted["Global"] - gates


def test_plain_convolutions_stand_where_ddsconv_stood() -> None:
    whole, left = build_lf_net("tiny"), without("lf_net", "separable")
    assert has(whole, DDSConv)
    assert not has(left, DDSConv)
    outside = [name for name in shapes(whole) if ".layers." not in name]
    assert {name: shapes(left)[name] for name in outside} == {name: shapes(whole)[name] for name in outside}
    assert [name for name in shapes(left) if ".layers." not in name] == outside
    more = 0
    for level, (block, plain) in enumerate(zip(whole.encoder, left.encoder, strict=True)):
        for layer, convolution in zip(block.layers, plain.layers, strict=True):
            assert isinstance(convolution, ConvNormAct)
            came, went = layer.pointwise.weight.shape[1], layer.pointwise.weight.shape[0]
            assert convolution[0].weight.shape == (went, came, 3, 3)
            assert convolution[0].dilation == convolution[0].padding == layer.depthwise.dilation
            more += 2 * (9 * came * went - 9 * came - came * went) * (SIDE >> level) ** 2
    assert flop_of(left) == flop_of(whole) + more


def test_without_dense_each_layer_reads_the_one_before_it() -> None:
    whole, left = build_lf_net("tiny"), without("lf_net", "dense")
    assert [*shapes(left)] == [*shapes(whole)]
    outside = [name for name in shapes(whole) if not name.startswith("encoder.")]
    assert all(shapes(left)[name] == shapes(whole)[name] for name in outside)
    for block, (came, went) in zip(left.encoder, ((8, 8), (8, 16), (16, 32), (32, 64), (64, 128)), strict=True):
        reads = [tuple(layer.pointwise.weight.shape[:2]) for layer in block.layers]
        assert reads == [(went // 2, came), (went // 2, went // 2), (went // 2, went // 2)]
        assert block.transition[0].weight.shape == (went, went // 2, 1, 1)
        features = torch.rand(2, came, 6, 5)
        by_hand = features
        for layer in block.layers:
            by_hand = layer(by_hand)
        torch.testing.assert_close(block(features), block.transition(by_hand))
    assert flop_of(left) < flop_of(whole)


def test_a_plain_dense_block_still_concatenates() -> None:
    torch.manual_seed(0)
    block = randomised(DenseBlock(3, 5, growth_rate=2, dilations=(1, 2), separable=False))
    features = torch.rand(2, 3, 6, 7)
    first = block.layers[0](features)
    second = block.layers[1](torch.cat([features, first], 1))
    torch.testing.assert_close(block(features), block.transition(torch.cat([features, first, second], 1)))


@pytest.mark.parametrize(
    ("field", "module", "name"),
    [
        ("position_attention", PositionAttention, "position_branch.2."),
        ("channel_attention", ChannelAttention, "channel_branch.2."),
    ],
)
def test_without_an_attention_its_branch_keeps_the_convolution(field: str, module: type, name: str) -> None:
    torch.manual_seed(0)
    whole, left = build_da_net("tiny").eval(), without("da_net", field)
    assert shapes(left) == {known: shape for known, shape in shapes(whole).items() if not known.startswith(name)}
    assert has(whole, module)
    assert not has(left, module)
    # with gamma 0, where it begins, the attention is the identity: leaving it out changes nothing yet
    left.load_state_dict({known: tensor for known, tensor in whole.state_dict().items() if not known.startswith(name)})
    pairs = pictures("da_net", 40, 56)
    with torch.no_grad():
        torch.testing.assert_close(left(pairs), whole(pairs))
        for attention in (m for m in whole.modules() if isinstance(m, module)):
            attention.gamma.fill_(0.7)
        assert not torch.allclose(left(pairs), whole(pairs), atol=1e-4)


# ---- what stays ----


@every_part
@pytest.mark.parametrize("size", [(32, 32), (33, 47), (70, 40)])
def test_any_size(kind: str, field: str, size: tuple[int, int]) -> None:
    expected = size if kind == "lf_net" else tuple((side + 7) // 8 for side in size)
    with torch.no_grad():
        assert without(kind, field)(pictures(kind, *size)).shape == (2, 1, *expected)


@every_part
def test_gradients_reach_every_weight(kind: str, field: str) -> None:
    network = without(kind, field)
    network(pictures(kind, 32, 48)).square().sum().backward()
    assert not [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]


@every_part
def test_weights_come_back_with_what_is_missing(kind: str, field: str, tmp_path: Path) -> None:
    network = without(kind, field)
    path = save_weights(network, tmp_path / "net.safetensors", Size(32, 48))
    loaded = LOADERS[kind](path).network
    assert getattr(loaded.settings, field) is False
    assert loaded.settings == network.settings
    with torch.no_grad():
        assert torch.equal(loaded(pictures(kind, 32, 48)), network(pictures(kind, 32, 48)))


@pytest.mark.untraced
@pytest.mark.parametrize(
    ("kind", "field"),
    [pytest.param(kind, field, marks=pytest.mark.long if kind == "lf_net" else ()) for kind, field in EVERY],
    ids=[field for _, field in EVERY],
)
def test_the_onnx_file_computes_the_same(kind: str, field: str, tmp_path: Path) -> None:
    """Each export of an LF-Net takes ten seconds."""
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    network, pictures_in = without(kind, field), pictures(kind, 48, 64)
    if kind == "lf_net":  # the file that `jaalnet export` writes, any size
        path = save_weights(network, tmp_path / "net.safetensors", Size(48, 64))
        found = onnx_probabilities(export_onnx(path, tmp_path / "net.onnx").path, pictures_in)
    else:
        torch.onnx.export(
            network, (pictures_in,), tmp_path / "net.onnx", dynamo=True, external_data=False, verbose=False
        )
        session = onnxruntime.InferenceSession(tmp_path / "net.onnx", providers=["CPUExecutionProvider"])
        found = torch.from_numpy(session.run(None, {session.get_inputs()[0].name: pictures_in.numpy()})[0])
    with torch.no_grad():
        logits = network(pictures_in)
    expected = torch.sigmoid(logits) if kind == "lf_net" else logits
    assert expected.std() > 1e-4
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_all_parts_can_be_left_out_together() -> None:
    lf_net = LFNet(LFNetSettings(width=8, **dict.fromkeys(LF_FIELDS, False))).eval()
    da_net = DANet(DANetSettings(width=8, **dict.fromkeys(DA_FIELDS, False))).eval()
    with torch.no_grad():
        assert lf_net(pictures("lf_net", 33, 47)).shape == (2, 1, 33, 47)
        assert da_net(pictures("da_net", 33, 47)).shape == (2, 1, 5, 6)
    assert not has(lf_net, DDSConv, CBAM, ContourAttention, ImageEdges)
    assert not has(da_net, PositionAttention, ChannelAttention)


def test_forward_gflop_is_the_counter_s_number_and_leaves_the_network_as_it_was() -> None:
    network = build_lf_net("tiny").train()
    counted = flop_of(build_lf_net("tiny")) / 1e9
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert forward_gflop(network, Size(SIDE, SIDE)) == counted
    assert network.training
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    with torch.device("meta"):
        assert forward_gflop(build_lf_net("tiny"), Size(SIDE, SIDE)) == counted
        assert forward_gflop(build_lf_net("tiny"), Size(32, 48)) == pytest.approx(counted * 32 * 48 / SIDE**2, rel=1e-3)
