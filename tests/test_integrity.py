"""A bit that flips in a file of weights or in a checkpoint is noticed, wherever it is; older files still load."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import torch
from weight_files import SIZE, an_lf_net, write_checkpoint, write_safetensors

from jaalnet_core.errors import CheckpointError
from jaalnet_core.integrity import damaged_member, is_as_sealed
from jaalnet_core.weights import load_lf_net, read_training_checkpoint, save_weights

SHIPPED = Path(__file__).resolve().parent.parent / "checkpoints" / "shipped"


def flip(path: Path, place: int, bit: int = 3) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


def unsealed(path: Path) -> None:
    """Take the SHA-256 out, as in a file of an older version."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    del header["__metadata__"]["sha256"]
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[start:])


def test_a_flipped_bit_in_a_weight_is_noticed(tmp_path):
    path = write_safetensors(tmp_path)
    assert is_as_sealed(path)
    flip(path, -5)  # in the last tensor
    assert not is_as_sealed(path)
    with pytest.raises(CheckpointError, match=r"good\.safetensors: .*not what its own SHA-256 says: .*damaged"):
        load_lf_net(path)


def test_a_flipped_bit_in_what_is_said_about_the_weights_is_noticed(tmp_path):
    path = write_safetensors(tmp_path)
    content = path.read_bytes()
    assert b'\\"epoch\\": 7' in content
    path.write_bytes(content.replace(b'\\"epoch\\": 7', b'\\"epoch\\": 6'))
    with pytest.raises(CheckpointError, match="SHA-256"):
        load_lf_net(path)


def test_weights_of_an_older_version_have_no_sum_and_load(tmp_path):
    path = write_safetensors(tmp_path)
    expected = load_lf_net(path).network.state_dict()
    unsealed(path)
    found = load_lf_net(path).network.state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert is_as_sealed(path)
    for shipped in SHIPPED.glob("*/lf_net.safetensors"):
        assert is_as_sealed(shipped)
        load_lf_net(shipped)


def test_sealing_twice_is_sealing_once(tmp_path):
    first = save_weights(an_lf_net(), tmp_path / "a.safetensors", SIZE)
    again = load_lf_net(first)
    assert save_weights(again.network, tmp_path / "b.safetensors", SIZE).read_bytes() == first.read_bytes()


def test_a_flipped_bit_in_a_checkpoint_is_noticed(tmp_path):
    path = write_checkpoint(tmp_path)
    assert damaged_member(path) is None
    with zipfile.ZipFile(path) as archive:
        largest = max(archive.infolist(), key=lambda member: member.file_size)
    flip(path, largest.header_offset + 2000)
    assert damaged_member(path) == largest.filename
    torch.load(path, weights_only=True)  # does not notice
    with pytest.raises(CheckpointError, match=r"full\.pt: .*not what was written"):
        read_training_checkpoint(path)


def test_a_compressed_checkpoint_is_refused(tmp_path):
    path, bomb = write_checkpoint(tmp_path), tmp_path / "bomb.pt"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    with pytest.raises(CheckpointError, match="compressed parts"):
        read_training_checkpoint(bomb)
