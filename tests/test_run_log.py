"""Reading a run's log: whole, with gaps, or no log at all."""

from __future__ import annotations

import math

import pytest

from jaalnet_core.errors import DataError
from jaalnet_core.run_log import read_epochs


def test_an_empty_cell_and_a_word_are_no_number(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,d_loss,note\n1,,good\n2,0.5,\n")
    first, second = read_epochs(path)
    assert (first["epoch"], second["epoch"], second["d_loss"]) == (1.0, 2.0, 0.5)
    assert math.isnan(first["d_loss"])
    assert math.isnan(first["note"])


def test_a_run_without_a_finished_epoch_has_no_lines(tmp_path):
    (tmp_path / "log.csv").write_text("epoch,d_loss\n")
    assert read_epochs(tmp_path / "log.csv") == []


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"name,value\na,1\n"])
def test_what_is_no_log_is_named(tmp_path, content):
    path = tmp_path / "log.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"log\.csv"):
        read_epochs(path)
