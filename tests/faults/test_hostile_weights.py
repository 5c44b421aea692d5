"""The short form of the studies of weights, and that they would notice."""

from __future__ import annotations

import pickle
from types import SimpleNamespace

import torch
from hostile_weights import STUDIES, never_run, same_or_nothing
from promise import promises_hold

from jaalnet_core.size import Size

test_the_promise_holds = promises_hold(STUDIES)


def test_a_trusting_loader_is_found_out(tmp_path):
    def trusting(path):
        try:
            return pickle.loads(path.read_bytes())
        except pickle.UnpicklingError:
            return torch.load(path, weights_only=False)

    assert any("code ran" in line for line in never_run(40, tmp_path, (trusting,)).broken)


def test_a_loader_that_takes_anything_is_found_out(tmp_path):
    network = SimpleNamespace(settings=SimpleNamespace(width=8), state_dict=dict)
    lines = same_or_nothing(12, tmp_path, lambda _: SimpleNamespace(network=network, size=Size(48, 64))).broken
    assert any("another network was loaded" in line for line in lines)
