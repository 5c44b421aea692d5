"""Trained networks by name, by file, and from the hub."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from jaalnet_core import pretrained
from jaalnet_core.errors import CheckpointError
from jaalnet_core.lf_net import LFNet
from jaalnet_core.pretrained import DA_NET, LF_NET, SHORT_NAMES, from_pretrained, shipped_weights
from jaalnet_core.weights import load_lf_net


@pytest.mark.parametrize("name", SHORT_NAMES)
def test_every_short_name_gives_the_shipped_network(name: str) -> None:
    network = from_pretrained(name)
    assert isinstance(network, LFNet)
    assert not network.training
    expected = load_lf_net(Path(__file__).parents[1] / "checkpoints/shipped" / SHORT_NAMES[name] / LF_NET).network
    images = torch.rand(1, 3, 32, 48)
    with torch.inference_mode():
        assert torch.equal(network(images), expected(images))


def test_every_shipped_run_has_a_short_name() -> None:
    shipped = Path(__file__).parents[1] / "checkpoints/shipped"
    assert sorted(SHORT_NAMES.values()) == sorted(path.parent.name for path in shipped.glob(f"*/{LF_NET}"))


def test_a_file_is_taken_as_it_is(tmp_path: Path) -> None:
    copy = shutil.copy(shipped_weights("small"), tmp_path / "mine.safetensors")
    assert isinstance(from_pretrained(copy), LFNet)
    with pytest.raises(CheckpointError, match=r"gone\.safetensors: found no such file"):
        from_pretrained(tmp_path / "gone.safetensors")


def test_an_unknown_name_is_answered_with_those_that_are_there() -> None:
    there = "best-isbi2016, small-192-isbi2016, small-isbi2016"
    with pytest.raises(CheckpointError, match=f"found no weights there.*{there}"):
        from_pretrained("smal")


def test_da_nets_file_is_refused_where_lf_nets_is_wanted() -> None:
    with pytest.raises(CheckpointError, match="found weights of da_net, expected lf_net"):
        from_pretrained(shipped_weights("small", DA_NET))


def test_two_words_are_a_repository_of_the_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    asked = []

    def download(repository: str, file: str, revision: str | None = None) -> str:
        asked.append((repository, file, revision))
        return str(shipped_weights("small"))

    monkeypatch.setattr(hub, "hf_hub_download", download)
    assert isinstance(from_pretrained("someone/jaalnet", revision="v1"), LFNet)
    assert asked == [("someone/jaalnet", LF_NET, "v1")]


def test_what_the_hub_says_becomes_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub")

    def fail(*_: object, **__: object) -> str:
        raise OSError("no network\nand a long trace")

    monkeypatch.setattr(hub, "hf_hub_download", fail)
    with pytest.raises(CheckpointError, match=r"someone/jaalnet: .*\(no network\)\. Check the name and the network"):
        from_pretrained("someone/jaalnet")


def test_without_the_hubs_library_the_mend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pretrained.__builtins__, "__import__", _without_hub)
    with pytest.raises(CheckpointError, match="pip install huggingface-hub"):
        from_pretrained("someone/jaalnet")


def _without_hub(name: str, *arguments: object, _real=__import__, **named: object) -> object:
    if name == "huggingface_hub":
        raise ImportError(name)
    return _real(name, *arguments, **named)
