"""Odd numbers have a defined outcome; each study sees a product that gets it wrong."""

from __future__ import annotations

import dataclasses

import odd_numbers
import torch
from promise import promises_hold
from safetensors.torch import save_file

from jaalnet_core import metrics
from jaalnet_core.training import loop, saving

test_the_promise_holds = promises_hold(odd_numbers.STUDIES)


def test_a_training_that_goes_on_with_nan_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "not_finite", lambda losses, networks: [])
    tally = odd_numbers.no_numbers(3, tmp_path)
    assert len(tally.broken) == 3
    assert "went on" in tally.broken[0]


def test_weights_that_are_not_finite_are_seen(tmp_path, monkeypatch):
    def spoiled(network, path, size, **metadata):
        save_file({"weight": torch.tensor([1.0, torch.nan])}, path)

    monkeypatch.setattr(saving, "save_weights", spoiled)
    assert odd_numbers.odd_batches(1, tmp_path).broken


def test_another_seed_is_seen(tmp_path):
    tally = odd_numbers.same_seed(1, tmp_path, change=lambda settings: dataclasses.replace(settings, seed=12345))
    assert tally.broken


def test_another_rule_for_empty_masks_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(metrics, "_ratio", lambda above, below: above / below.clamp(min=1))  # 0/0 counts 0
    assert odd_numbers.score_corners(36, tmp_path).broken
