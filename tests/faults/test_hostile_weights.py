"""The short form of the studies of weights, and that they would notice."""

from __future__ import annotations

import pickle
from types import SimpleNamespace

import pytest
import torch
from fault_study import check
from hostile_weights import STUDIES, never_run, same_or_nothing

from jaalnet_core.size import Size


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.fault[:30])
def test_the_promise_holds(study, tmp_path):
    if lacking := study.lacking():
        pytest.skip(f"needs {lacking}")
    check(study, tmp_path)


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
