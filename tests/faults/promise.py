"""The test that every topic of faults has: the short form of its studies keeps what they promise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from fault_study import Study, needs_linux, needs_root

on_linux = pytest.mark.skipif(needs_linux() is not None, reason="needs Linux")
as_root = pytest.mark.skipif(needs_root() is not None, reason="needs root on Linux")


def promises_hold(studies: Sequence[Study]) -> Callable[[Study, Path], None]:
    """A test for pytest: every try keeps the promise, and none was left out."""

    @pytest.mark.parametrize("study", studies, ids=lambda study: study.fault)
    def test(study: Study, tmp_path: Path) -> None:
        if lacking := study.lacking():
            pytest.skip(lacking)
        tally = study.run(study.short, tmp_path)
        assert not tally.broken, "\n".join(tally.broken)
        assert tally.times >= study.short, f"{tally.times} tries, expected {study.short}"

    return test
