"""Two processes at one folder do each other no harm; each study sees a product that lets them."""

from __future__ import annotations

import contextlib
import os
import time

import two_at_once
from promise import on_linux, promises_hold

from jaalnet_core.data import importing
from jaalnet_core.training import loop

test_the_promise_holds = promises_hold(two_at_once.STUDIES)


def without_lock() -> None:
    """Sabotage: nobody asks whether another run trains there."""
    loop.only_run_in = lambda folder, say: contextlib.nullcontext()


def slow_renames() -> None:
    """Sabotage: a file's place is looked at, and taken a moment later."""

    def move(source, target):
        free = not target.exists()
        time.sleep(0.2)
        if not free:
            raise FileExistsError(target)
        os.replace(source, target)

    importing.move_to_new = move


@on_linux
def test_two_trainings_without_a_lock_are_seen(tmp_path):
    assert two_at_once.two_trainings(1, tmp_path, prepare=without_lock).broken


@on_linux
def test_imports_that_overwrite_are_seen(tmp_path):
    assert two_at_once.two_imports(1, tmp_path, prepare=slow_renames).broken
