"""A full disk and a folder without permission end in words; each study sees a product that ends otherwise."""

from __future__ import annotations

import contextlib

import fault_study
import full_disk
import pytest

from jaalnet_core.training import checkpoint, folder, lock, log, saving


@pytest.mark.parametrize("study", full_disk.STUDIES, ids=lambda study: study.fault)
def test_the_promise_holds(study, tmp_path):
    if lacking := study.lacking():
        pytest.skip(lacking)
    fault_study.check(study, tmp_path)


def without_words() -> None:
    """Sabotage: errors of the system are left as they are."""
    for module in (checkpoint, folder, lock, log, saving):
        module.writing = lambda folder, what: contextlib.nullcontext()


@pytest.mark.skipif(full_disk.lacking_root() is not None, reason="needs root on Linux")
def test_an_error_that_does_not_say_what_to_do_is_seen(tmp_path):
    assert full_disk.filled_up(1, tmp_path, prepare=without_words).broken
