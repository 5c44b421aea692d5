"""--compile: the same run, its networks translated; here by a fast translator, in the long test by the real one."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn
from torch._dynamo.utils import counters

from jaalnet_core.errors import SettingsError
from jaalnet_core.run_log import read_epochs
from jaalnet_core.training import train
from jaalnet_core.weights import load_lf_net


def run(settings, data):
    return train(settings, data=data, progress=False, say=lambda text: None)


@pytest.fixture
def fresh():
    """No translation left from another test, and none left behind."""
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()


def translated_by(backend):
    real = nn.Module.compile
    return lambda network, **options: real(network, backend=backend, **options)


def assert_same_run(compiled, plain):
    for ours, theirs in zip(*(read_epochs(result.folder / "log.csv") for result in (compiled, plain)), strict=True):
        losses = {name: value for name, value in theirs.items() if name not in ("seconds", "validation_iou")}
        assert {name: ours[name] for name in losses} == pytest.approx(losses, rel=5e-3, abs=5e-3)
    weights = [load_lf_net(result.folder / "last.pt").network.state_dict() for result in (compiled, plain)]
    assert weights[0].keys() == weights[1].keys()  # no prefix of the translator's
    torch.testing.assert_close(*weights, rtol=0.05, atol=5e-3)


@pytest.mark.untraced
def test_a_compiled_run_is_the_same_run_and_is_translated_once(discs, quick, fresh, monkeypatch):
    """Of whole batches LF-Net, DA-Net that learns and DA-Net that advises; not the smaller one that ends an epoch."""
    quick = dataclasses.replace(quick, epochs=2)
    plain = run(dataclasses.replace(quick, out=quick.out.with_name("plain")), discs)
    monkeypatch.setattr(nn.Module, "compile", translated_by("aot_eager"))
    compiled = run(dataclasses.replace(quick, compile=True), discs)
    assert counters["stats"]["unique_graphs"] == 3
    assert not counters["graph_break"]
    assert_same_run(compiled, plain)
    resumed = run(dataclasses.replace(quick, epochs=3, resume=True), discs)  # and goes on without
    assert (resumed.finished, resumed.epochs) == (True, 3)


def test_what_cannot_be_translated_is_told_with_the_mend(discs, quick, fresh, monkeypatch):
    def broken(graph, inputs):
        raise RuntimeError("No working C++ compiler found.\nmore")

    monkeypatch.setattr(nn.Module, "compile", translated_by(broken))
    with pytest.raises(SettingsError, match=r"--compile: .*No working C\+\+ compiler found.*without --compile") as told:
        run(dataclasses.replace(quick, compile=True), discs)
    assert "more" not in str(told.value)


@pytest.mark.long
def test_the_real_translator_gives_the_same_run(discs, quick, fresh):
    plain = run(dataclasses.replace(quick, epochs=2, out=quick.out.with_name("plain")), discs)
    compiled = run(dataclasses.replace(quick, epochs=2, compile=True), discs)
    assert_same_run(compiled, plain)
