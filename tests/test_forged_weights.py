"""Weights that ask for what they do not hold: refused before memory is set aside, and by the field that is wrong."""

from __future__ import annotations

import json
import re

import pytest
import torch
from safetensors.torch import load_file, save_file
from weight_files import SIZE, an_lf_net, checkpoint_of, write_safetensors

from jaalnet_core import weights
from jaalnet_core.da_net import DANetSettings
from jaalnet_core.errors import CheckpointError, SettingsError
from jaalnet_core.lf_net import LFNetSettings
from jaalnet_core.size import Size
from jaalnet_core.unet import UNetSettings
from jaalnet_core.weights import LEAST_NUMBERS, NETWORKS, load_lf_net, save_weights

KNOWN = {"width": 8, "dilations": [1, 2], "canny_low": 20.0, "canny_high": 100.0}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return write_safetensors(tmp_path_factory.mktemp("weights"))


def forged(good, path, tensors=None, size="64x48", **settings):
    header = {"network": "lf_net", "settings": json.dumps(KNOWN | settings), "size": size, "metadata": "{}"}
    save_file(load_file(good) | (tensors or {}), path, metadata=header)
    return path


def refused(path, words):
    with pytest.raises(CheckpointError) as caught:
        load_lf_net(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert re.search(words, str(caught.value)), caught.value


@pytest.mark.parametrize("width", [64, 4096, 10**9, 10**30])
def test_a_huge_width_is_refused_before_it_is_built(good, tmp_path, monkeypatch, width):
    def build(_):
        raise AssertionError("memory was set aside")

    monkeypatch.setitem(weights.NETWORKS, "lf_net", (build, LFNetSettings))
    refused(forged(good, tmp_path / "wide.safetensors", width=width), rf"width: found {width}, the file holds only \d+")


@pytest.mark.parametrize(
    ("kind", "smallest"),
    [
        ("lf_net", LFNetSettings(32, (1,), contour_attention=False, dense=False, cbam=False)),
        ("da_net", DANetSettings(32, "batch")),
        ("unet", UNetSettings(68)),
    ],
)
def test_every_network_holds_more_than_the_least(kind, smallest):
    network = NETWORKS[kind][0](smallest)
    held = sum(tensor.numel() for tensor in network.state_dict().values())
    assert 2 * LEAST_NUMBERS[kind] * smallest.width**2 < held < 6 * LEAST_NUMBERS[kind] * smallest.width**2


@pytest.mark.parametrize("dilations", [[], [1] * 9, [1, 65], [0], [-1]])
def test_dilations_have_bounds(good, tmp_path, dilations):
    with pytest.raises(SettingsError, match="dilations: found"):
        LFNetSettings(dilations=dilations)
    refused(forged(good, tmp_path / "dilated.safetensors", dilations=dilations), "dilations: found .*, expected 1 to 8")


@pytest.mark.parametrize(
    ("name", "value"),
    [("cbam", "no"), ("dense", 1), ("canny_low", "20"), ("width", 8.0), ("width", True), ("dilations", ["1"])],
)
def test_a_wrong_typed_field_is_named(good, tmp_path, name, value):
    refused(forged(good, tmp_path / "odd.safetensors", **{name: value}), rf"{name} is .*, expected ")


def test_a_size_of_a_million_is_refused(good, tmp_path):
    refused(forged(good, tmp_path / "large.safetensors", size="1000000x64"), "expected sides of at most 4096 pixels")
    assert Size.parse("4096") == Size(4096, 4096)


@pytest.mark.parametrize("dtype", [torch.int32, torch.bool, torch.float8_e4m3fn, torch.complex64])
def test_a_dtype_that_is_no_weight_is_named(good, tmp_path, dtype):
    tensors = {"head.bias": load_file(good)["head.bias"].to(dtype)}
    path = forged(good, tmp_path / "dtype.safetensors", tensors)
    refused(path, rf"head\.bias holds {dtype}, expected torch\.float32")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_floating_point_of_any_width_is_read(good, tmp_path, dtype):
    tensors = {"head.bias": load_file(good)["head.bias"].to(dtype)}
    assert (
        load_lf_net(forged(good, tmp_path / "floating.safetensors", tensors)).network.head.bias.dtype is torch.float32
    )


def test_a_number_that_no_float32_holds_is_not_finite(good, tmp_path):
    tensors = {"head.bias": torch.tensor([1e300], dtype=torch.float64)}
    refused(forged(good, tmp_path / "large.safetensors", tensors), r"head\.bias holds values that are not finite")


@pytest.mark.parametrize(
    "shell",
    [lambda t: t.to("meta"), lambda t: t.to_sparse(), lambda t: torch.quantize_per_tensor(t, 0.1, 0, torch.qint8)],
    ids=["meta", "sparse", "quantized"],
)
def test_a_checkpoint_of_shells_is_refused(tmp_path, shell):
    state = checkpoint_of(an_lf_net(), None)
    state["lf_net"]["weights"]["head.bias"] = shell(state["lf_net"]["weights"]["head.bias"])
    torch.save(state, tmp_path / "shells.pt")
    refused(tmp_path / "shells.pt", "something else than plain tensors|cannot be read as a checkpoint")


def test_numbers_that_are_shown_and_not_held_make_no_wide_network(tmp_path):
    state = checkpoint_of(an_lf_net(), None)
    state["lf_net"]["weights"] = {"head.weight": torch.zeros(1).expand(10**6, 10**6)}
    state["lf_net"]["settings"]["width"] = 4096
    torch.save(state, tmp_path / "expanded.pt")
    refused(tmp_path / "expanded.pt", "width: found 4096, the file holds only 4 numbers")


def test_what_we_write_is_read(tmp_path):
    assert load_lf_net(save_weights(an_lf_net(), tmp_path / "net.safetensors", SIZE)).size == SIZE
