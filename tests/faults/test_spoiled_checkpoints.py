"""A damaged checkpoint is noticed, named and passed over; each study sees a product that does not."""

from __future__ import annotations

import pytest
import spoiled_checkpoints
from promise import promises_hold

from jaalnet_core import weights

test_the_promise_holds = promises_hold(spoiled_checkpoints.STUDIES)


def test_checkpoints_whose_sums_nobody_looks_at_are_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "damaged_member", lambda path: None)
    assert spoiled_checkpoints.newest_flipped(12, tmp_path).broken


def test_weights_whose_sum_nobody_looks_at_are_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "is_as_sealed", lambda path: True)
    assert spoiled_checkpoints.weights_spoiled(12, tmp_path).broken


def test_a_checkpoint_before_it_that_shares_its_bytes_is_seen(tmp_path, monkeypatch):
    real = spoiled_checkpoints.whole_run

    def run_with_links(folder):
        run = real(folder)
        (run / "previous.pt").unlink()
        (run / "previous.pt").hardlink_to(run / "last.pt")
        return run

    monkeypatch.setattr(spoiled_checkpoints, "whole_run", run_with_links)
    with pytest.raises(spoiled_checkpoints.CheckpointError):
        spoiled_checkpoints.newest_cut(3, tmp_path)


def test_an_error_that_names_no_file_is_seen(tmp_path, monkeypatch):
    def nameless(run):
        raise spoiled_checkpoints.CheckpointError("something is wrong")

    monkeypatch.setattr(spoiled_checkpoints, "load_newest", nameless)
    assert spoiled_checkpoints.all_spoiled(1, tmp_path).broken
