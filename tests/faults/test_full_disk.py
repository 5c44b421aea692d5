"""A full disk and a folder without permission end in words; each study sees a product that ends otherwise."""

from __future__ import annotations

import contextlib

import full_disk
from promise import as_root, promises_hold

from jaalnet_core.training import checkpoint, folder, lock, log, saving

test_the_promise_holds = promises_hold(full_disk.STUDIES)


def without_words() -> None:
    """Sabotage: errors of the system are left as they are."""
    for module in (checkpoint, folder, lock, log, saving):
        module.writing = lambda folder, what: contextlib.nullcontext()


@as_root
def test_an_error_that_does_not_say_what_to_do_is_seen(tmp_path):
    assert full_disk.filled_up(1, tmp_path, prepare=without_words).broken
