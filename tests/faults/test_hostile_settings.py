"""The short form of the study of edited JSON, and that it would notice."""

from __future__ import annotations

import json

import pytest
from fault_study import check
from hostile_settings import STUDIES, name_it


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.fault[:30])
def test_the_promise_holds(study, tmp_path):
    if lacking := study.lacking():
        pytest.skip(f"needs {lacking}")
    check(study, tmp_path)


def test_a_reader_that_lets_errors_through_is_found_out(tmp_path):
    def hasty(read):
        return lambda path: json.loads(path.read_text())["colour"] and read(path)

    assert any("KeyError" in line for line in name_it(20, tmp_path, hasty).broken)
