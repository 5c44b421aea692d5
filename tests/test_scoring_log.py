"""The diary of test scorings is only ever added to."""

from __future__ import annotations

import re

import pytest

from jaalnet_core.errors import DataError
from jaalnet_core.scoring_log import Scoring, log_scoring, read_scorings, today


def a_scoring(**changes: str) -> Scoring:
    values = {
        "date": "2026-01-31",
        "command": 'jaalnet ablate --score-test "why, and what for"',
        "revision": "0123456789ab",
        "weights_sha256": "ab" * 32,
        "pictures": "ISBI2016 test, 379",
        "purpose": "a headline,\nin two lines",
    }
    return Scoring(**values | changes)


def test_lines_come_back_and_older_ones_stay_as_they_were(tmp_path):
    path = tmp_path / "new" / "diary.csv"
    assert read_scorings(path) == []
    log_scoring(a_scoring(), path)
    before = path.read_bytes()
    log_scoring(a_scoring(purpose="another"), path)
    assert path.read_bytes().startswith(before)
    assert read_scorings(path) == [a_scoring(), a_scoring(purpose="another")]


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "diary.csv"
    path.write_text("epoch,loss\n1,2\n")
    with pytest.raises(DataError, match="diary"):
        read_scorings(path)


def test_today_is_a_day():
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", today())
