"""Checkpoints: whole or not at all, and a way back when one is damaged."""

from __future__ import annotations

import pytest
import torch

from jaalnet_core.errors import CheckpointError
from jaalnet_core.training import checkpoint as checkpoint_module
from jaalnet_core.training.checkpoint import load_newest, periodic_name, save_checkpoint


def state(value: int) -> dict:
    return {"format": "jaalnet-training", "value": value, "weights": torch.full((3,), float(value))}


def test_names_sort_like_epochs():
    names = [periodic_name(epoch) for epoch in (2, 10, 300, 9)]
    assert sorted(names) == [periodic_name(epoch) for epoch in (2, 9, 10, 300)]


def test_the_newest_is_read_back(tmp_path):
    save_checkpoint(tmp_path, state(1), "epoch-0001.pt", "best.pt")
    save_checkpoint(tmp_path, state(2))
    path, found, passed_over = load_newest(tmp_path)
    assert (path.name, found["value"], passed_over) == ("last.pt", 2, [])
    assert torch.load(tmp_path / "epoch-0001.pt", weights_only=True)["value"] == 1, (
        "a name of its own keeps its content"
    )


def test_an_empty_folder_holds_none(tmp_path):
    assert load_newest(tmp_path) is None


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint", None])
def test_a_damaged_one_is_passed_over(tmp_path, damage):
    save_checkpoint(tmp_path, state(1), "epoch-0001.pt")
    save_checkpoint(tmp_path, state(2))
    last = tmp_path / "last.pt"
    last.write_bytes(last.read_bytes()[:-200] if damage is None else damage)
    path, found, passed_over = load_newest(tmp_path)
    assert (path.name, found["value"]) == ("epoch-0001.pt", 1)
    assert len(passed_over) == 1
    assert str(last) in passed_over[0]


def test_when_all_are_damaged_it_says_so(tmp_path):
    (tmp_path / "last.pt").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"no checkpoint of this run can be read.*last\.pt"):
        load_newest(tmp_path)


def test_a_full_disk_leaves_the_checkpoint_before_it(tmp_path, monkeypatch):
    save_checkpoint(tmp_path, state(1))

    def full_disk(value, path):
        path.write_bytes(b"half")
        raise RuntimeError("PytorchStreamWriter failed writing file data/0: no space left on device")

    monkeypatch.setattr(checkpoint_module.torch, "save", full_disk)
    with pytest.raises(CheckpointError, match=r"no space left.*Free some space"):
        save_checkpoint(tmp_path, state(2))
    monkeypatch.undo()
    assert load_newest(tmp_path)[1]["value"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"], "no half file stays"


def test_without_hard_links_it_copies(tmp_path, monkeypatch):
    def refuse(source, target):
        raise OSError("links are not supported here")

    monkeypatch.setattr(checkpoint_module.os, "link", refuse)
    save_checkpoint(tmp_path, state(1), "best.pt")
    assert torch.load(tmp_path / "best.pt", weights_only=True)["value"] == 1
