"""The short form of the study of edited JSON, and that it would notice."""

from __future__ import annotations

import json

from hostile_settings import STUDIES, name_it
from promise import promises_hold

test_the_promise_holds = promises_hold(STUDIES)


def test_a_reader_that_lets_errors_through_is_found_out(tmp_path):
    def hasty(read):
        return lambda path: json.loads(path.read_text())["colour"] and read(path)

    assert any("KeyError" in line for line in name_it(20, tmp_path, hasty).broken)
