"""Weights in files: what goes in comes out."""

from __future__ import annotations

import copy
import gc
import tracemalloc
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from weight_files import SIZE, a_da_net, an_lf_net, checkpoint_of, write_checkpoint, write_safetensors

from jaalnet_core.da_net import DANetSettings
from jaalnet_core.lf_net import LFNetSettings, build_lf_net
from jaalnet_core.weights import load_da_net, load_lf_net, read_training_checkpoint, save_weights


@pytest.fixture(scope="module")
def lf_net():
    return an_lf_net()


@pytest.fixture(scope="module")
def da_net():
    return a_da_net()


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    """LF-Net's weights as safetensors."""
    return write_safetensors(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def full(tmp_path_factory) -> Path:
    """Both networks in a training checkpoint."""
    return write_checkpoint(tmp_path_factory.mktemp("weights"))


def same_weights(one, other) -> bool:
    mine, theirs = one.state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_safetensors_hold_the_network_its_settings_and_what_is_known(lf_net, good):
    loaded = load_lf_net(str(good))
    assert same_weights(loaded.network, lf_net)
    assert loaded.network.settings == LFNetSettings(width=8, dilations=(1, 2), canny_low=20.0)
    assert not loaded.network.training
    assert loaded.size == SIZE
    assert loaded.metadata == {"epoch": 7, "validation_dice": 0.875}
    assert loaded.path == good


def test_da_net_too(da_net, tmp_path):
    loaded = load_da_net(save_weights(da_net, tmp_path / "da.safetensors", SIZE))
    assert same_weights(loaded.network, da_net)
    assert loaded.network.settings == DANetSettings(width=8, normalisation="batch")
    assert loaded.metadata == {}


def test_a_training_checkpoint_gives_either_network(lf_net, da_net, full):
    assert same_weights(load_lf_net(full).network, lf_net)
    assert same_weights(load_da_net(full).network, da_net)
    assert load_lf_net(full).size == SIZE
    assert load_lf_net(full).metadata == {"epoch": 7}
    assert read_training_checkpoint(full)["format"] == "jaalnet-training"


def test_weights_in_another_memory_layout_are_saved_as_they_mean(lf_net, tmp_path):
    turned = build_lf_net("tiny", dilations=(1, 2)).to(memory_format=torch.channels_last)
    turned.load_state_dict(lf_net.state_dict())
    loaded = load_lf_net(save_weights(turned, tmp_path / "turned.safetensors", SIZE))
    assert same_weights(loaded.network, lf_net)


def test_half_precision_is_half_the_file_and_float32_again(lf_net, good, tmp_path):
    half = save_weights(lf_net, tmp_path / "half.safetensors", SIZE, half=True)
    stored = load_file(half)
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16, torch.int64}  # int64: batch counters
    loaded = load_lf_net(half).network
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    for name, tensor in lf_net.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], tensor, rtol=1e-3, atol=1e-6)


def test_saving_changes_neither_the_network_nor_leaves_anything_behind(lf_net, tmp_path):
    before = {name: tensor.clone() for name, tensor in lf_net.state_dict().items()}
    save_weights(lf_net, tmp_path / "new" / "net.safetensors", SIZE, half=True)
    assert all(torch.equal(before[name], tensor) for name, tensor in lf_net.state_dict().items())
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["net.safetensors"]


def test_a_failed_save_leaves_the_older_file(lf_net, tmp_path):
    path = save_weights(lf_net, tmp_path / "net.safetensors", SIZE, epoch=1)
    kept = path.read_bytes()
    with pytest.raises(TypeError):
        save_weights(lf_net, path, SIZE, epoch=object())  # no JSON
    assert path.read_bytes() == kept
    assert len(list(tmp_path.iterdir())) == 1


def test_a_run_without_da_net_has_an_lf_net(lf_net, tmp_path):
    torch.save(checkpoint_of(lf_net, None), tmp_path / "alone.pt")
    assert same_weights(load_lf_net(tmp_path / "alone.pt").network, lf_net)


def test_equal_weights_are_equal_files(lf_net, tmp_path):
    """Else a SHA-256 could not say whether a training was repeated."""
    files = [
        save_weights(lf_net, tmp_path / f"{i}.safetensors", SIZE, epoch=7, note="Größe", dice=0.5) for i in range(6)
    ]
    assert len({file.read_bytes() for file in files}) == 1
    assert (8 + int.from_bytes(files[0].read_bytes()[:8], "little")) % 8 == 0
    assert load_lf_net(files[0]).metadata == {"epoch": 7, "note": "Größe", "dice": 0.5}
    other = copy.deepcopy(lf_net)
    with torch.no_grad():
        next(other.parameters()).view(-1)[0] += 1e-3
    changed = save_weights(other, tmp_path / "b.safetensors", SIZE, epoch=7, note="Größe", dice=0.5)
    assert changed.read_bytes() != files[0].read_bytes()


def test_weights_read_again_and_again_leave_nothing_behind(tmp_path: Path) -> None:
    path = save_weights(build_lf_net("tiny"), tmp_path / "weights.safetensors", SIZE)
    by_the_reader = [tracemalloc.Filter(True, file) for file in ("*/jaalnet_core/weights.py", "*/safetensors/*")]

    def held() -> int:
        gc.collect()
        found = tracemalloc.take_snapshot().filter_traces(by_the_reader)
        return sum(entry.size for entry in found.statistics("filename"))

    tracemalloc.start()
    try:
        load_lf_net(path)
        before = held()
        for _ in range(20):
            load_lf_net(path)
        grown = held() - before
    finally:
        tracemalloc.stop()
    assert grown < 50_000  # bytes; with `safe_open(...).get_tensor` it is above 500,000
