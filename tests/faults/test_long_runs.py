"""Nothing is gathered in a long run; a leak would be seen."""

from __future__ import annotations

import mmap

import pytest
from long_runs import STUDIES
from promise import promises_hold

test_the_promise_holds = promises_hold(STUDIES)


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.fault)
def test_memory_that_grows_is_seen(study, tmp_path):
    kept = []

    def leak() -> None:
        """32 MB more from the system itself: the allocator may still hold freed memory from earlier tests."""
        kept.append(mmap.mmap(-1, 32 << 20))
        kept[-1].write(bytes(32 << 20))

    tally = study.run(8, tmp_path, leak=leak)
    assert any("memory grew" in line for line in tally.broken)


def test_files_that_stay_open_are_seen(tmp_path):
    kept = []
    tally = STUDIES[-1].run(8, tmp_path, leak=lambda: kept.append((tmp_path / "open").open("w")))
    assert any("more open files" in line for line in tally.broken)
    for file in kept:
        file.close()
