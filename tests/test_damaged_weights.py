"""Files that are damaged, hostile or another network's: each is refused in one line that names it."""

from __future__ import annotations

import contextlib
import json
import pickle
import re
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from weight_files import SIZE, a_da_net, an_lf_net, checkpoint_of, write_checkpoint, write_safetensors

from jaalnet_core.errors import CheckpointError
from jaalnet_core.weights import load_da_net, load_lf_net, save_weights

damaged = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    """LF-Net's weights as safetensors."""
    return write_safetensors(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def full(tmp_path_factory) -> Path:
    """Both networks in a training checkpoint."""
    return write_checkpoint(tmp_path_factory.mktemp("weights"))


def refused(path: Path, *words: str, load=load_lf_net) -> str:
    """Loading fails with a CheckpointError of one line that begins with the file's name and holds `words`."""
    with pytest.raises(CheckpointError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    for word in words:
        assert re.search(word, message), message
    return message


@pytest.mark.parametrize("name", ["missing.safetensors", "missing.pt"])
def test_a_missing_file(tmp_path, name):
    refused(tmp_path / name, "no such file", r"expected weights \(\*\.safetensors\) or a checkpoint")
    (tmp_path / name).mkdir()
    refused(tmp_path / name, "found a folder")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_file(good, full, tmp_path, share):
    for source in (good, full):
        content = source.read_bytes()
        cut = tmp_path / f"cut{source.suffix}"
        cut.write_bytes(content[: int(share * len(content))])
        refused(cut, "cannot be read as (safetensors|a checkpoint)")


@damaged
@given(st.data())
def test_a_damaged_file_loads_or_is_refused_but_nothing_else(good, full, tmp_path, data):
    """A few bytes overwritten anywhere, headers above all."""
    source = data.draw(st.sampled_from([good, full]))
    content = bytearray(source.read_bytes())
    reach = data.draw(st.sampled_from([16, 400, 4000, len(content)]))
    end = data.draw(st.booleans()) and source is full  # a checkpoint's directory is at its end
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, reach - 1))
        content[-1 - place if end else place] = data.draw(st.integers(0, 255))
    path = tmp_path / f"damaged{source.suffix}"
    path.write_bytes(content)
    with contextlib.suppress(CheckpointError):
        load_lf_net(path)


@damaged
@given(st.binary(max_size=300), st.sampled_from([".safetensors", ".pt"]))
def test_rubbish_is_refused(tmp_path, content, suffix):
    path = tmp_path / f"rubbish{suffix}"
    path.write_bytes(content)
    refused(path, "cannot be read|without JAAL-Net's mark")


class Trap:
    """Unpickling this makes a file: the proof that code ran."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self):
        return Path.touch, (self.proof,)


def test_code_in_a_checkpoint_does_not_run(tmp_path):
    proof, path = tmp_path / "proof", tmp_path / "trap.pt"
    torch.save(checkpoint_of(an_lf_net(), None) | {"metadata": Trap(proof)}, path)
    refused(path, "cannot be read as a checkpoint")
    assert not proof.exists()
    torch.load(path, weights_only=False)
    assert proof.exists()  # the trap was set


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_a_pickle_does_not_run(tmp_path, suffix):
    proof, path = tmp_path / "proof", tmp_path / f"pickle{suffix}"
    path.write_bytes(pickle.dumps(Trap(proof)))
    refused(path, "cannot be read")
    assert not proof.exists()


def test_a_checkpoint_under_the_other_name(good, full, tmp_path):
    (tmp_path / "a.safetensors").write_bytes(full.read_bytes())
    (tmp_path / "b.pt").write_bytes(good.read_bytes())
    refused(tmp_path / "a.safetensors", "cannot be read as safetensors")
    refused(tmp_path / "b.pt", "cannot be read as a checkpoint")


def test_the_other_network(good, tmp_path):
    judge = save_weights(a_da_net(), tmp_path / "da.safetensors", SIZE)
    refused(judge, "found weights of da_net, expected lf_net")
    refused(good, "found weights of lf_net, expected da_net", load=load_da_net)
    torch.save(checkpoint_of(an_lf_net(), None), tmp_path / "alone.pt")
    refused(tmp_path / "alone.pt", "holds no da_net; the run trained without one", load=load_da_net)


def test_safetensors_of_something_else(tmp_path):
    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    refused(tmp_path / "other.safetensors", "found weights of an unknown network, expected lf_net")


@pytest.mark.parametrize("content", [{"epoch": 3}, [1, 2], torch.zeros(2), {"format": "another"}])
def test_a_checkpoint_of_something_else(tmp_path, content):
    torch.save(content, tmp_path / "other.pt")
    refused(tmp_path / "other.pt", "without JAAL-Net's mark, expected one written by `jaalnet train`")


def rewritten(good: Path, path: Path, tensors: dict | None = None, **header: str | None) -> Path:
    """The good file again, with other tensors or header entries; None takes an entry out."""
    known = {
        "format": "jaalnet",
        "network": "lf_net",
        "settings": json.dumps({"width": 8, "dilations": [1, 2], "canny_low": 20.0, "canny_high": 100.0}),
        "size": "64x48",
        "metadata": "{}",
    }
    values = {name: value for name, value in (known | header).items() if value is not None}
    save_file(load_file(good) | (tensors or {}), path, metadata=values)
    return path


def test_a_rewritten_file_is_still_good(good, tmp_path):
    assert load_lf_net(rewritten(good, tmp_path / "same.safetensors")).size == SIZE


@pytest.mark.parametrize(
    "header",
    [
        {"settings": None},
        {"size": None},
        {"metadata": None},
        {"settings": "{not json"},
        {"settings": "[1]"},
        {"settings": '{"width": 8, "colour": "red"}'},
        {"settings": '{"width": "eight"}'},
        {"settings": '{"width": 9}'},
        {"settings": '{"width": 8, "dilations": 3}'},
        {"settings": '{"width": 8, "dilations": ["a"]}'},
        {"settings": '{"width": 8, "canny_low": 9, "canny_high": 3}'},
        {"metadata": "nonsense"},
        {"metadata": "[]"},
        {"size": "large"},
        {"size": "4x4"},
    ],
    ids=str,
)
def test_a_header_that_makes_no_sense(good, tmp_path, header):
    refused(rewritten(good, tmp_path / "odd.safetensors", **header))


@pytest.mark.parametrize(
    "change",
    [
        {"size": None},
        {"size": "large"},
        {"size": 128},
        {"metadata": None},
        {"metadata": [1]},
        {"lf_net": 3},
        {"lf_net": {}},
        {"lf_net": {"settings": {"width": 8}}},
        {"lf_net": {"settings": {"width": 8}, "weights": [1]}},
        {"lf_net": {"settings": {"width": 8}, "weights": {"stem.0.weight": "text"}}},
        {"lf_net": {"settings": None, "weights": {}}},
    ],
    ids=str,
)
def test_a_checkpoint_that_makes_no_sense(tmp_path, change):
    state = checkpoint_of(an_lf_net(), None) | change
    torch.save({name: value for name, value in state.items() if value is not None}, tmp_path / "odd.pt")
    refused(tmp_path / "odd.pt")


def test_tensors_of_another_shape_or_name(good, tmp_path):
    tensors = load_file(good)
    message = refused(
        rewritten(good, tmp_path / "shape.safetensors", {"head.weight": torch.zeros(1, 3, 1, 1)}),
        r"the weights do not fit .*head\.weight is \(1, 3, 1, 1\), expected \(1, 10, 1, 1\)",
    )
    assert "more" not in message
    refused(rewritten(good, tmp_path / "name.safetensors", {"tail": torch.zeros(1)}), "unknown tail")
    header = {"network": "lf_net", "settings": '{"width": 8, "dilations": [1, 2]}', "size": "64x48", "metadata": "{}"}
    for count in (1, 5):
        fewer = dict(list(tensors.items())[count:])
        save_file(fewer, tmp_path / "fewer.safetensors", metadata=header)
        message = refused(tmp_path / "fewer.safetensors", "missing ")
        assert ("and 2 more" in message) == (count == 5)


def test_another_width_than_its_settings_say(good, tmp_path):
    path = rewritten(good, tmp_path / "wide.safetensors", settings='{"width": 16, "dilations": [1, 2]}')
    refused(path, r"the weights do not fit the network its settings describe: .* and \d+ more")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite(good, tmp_path, value):
    bias = torch.zeros(1).fill_(value)
    refused(
        rewritten(good, tmp_path / "bad.safetensors", {"head.bias": bias}), r"head\.bias holds values .* not finite"
    )
