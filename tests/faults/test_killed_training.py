"""A killed run goes on to the same weights; each study sees a product that does not keep that promise."""

from __future__ import annotations

import contextlib

import killed_training
import pytest
from promise import on_linux, promises_hold

from jaalnet_core.training import checkpoint, log, loop

test_the_promise_holds = promises_hold(killed_training.STUDIES)


def write_in_place() -> None:
    """Sabotage: checkpoints are written under their own name."""
    checkpoint.atomic_path = contextlib.nullcontext


def leave_undone() -> None:
    """Sabotage: a resume does not do what the kill left undone, and takes the log as it is."""

    def resume(run, folder, say):
        if (newest := checkpoint.load_newest(folder)) is not None:
            run.restore(newest[1])
            run.lines = None

    loop.resume = resume


def forget_the_log() -> None:
    """Sabotage: a resume begins with an empty log."""
    real = log.RunLog.__init__
    log.RunLog.__init__ = lambda self, folder, first_epoch, lines=None: real(self, folder, first_epoch, [])


@on_linux
@pytest.mark.parametrize("sabotage", [leave_undone, forget_the_log])
def test_a_resume_that_leaves_gaps_is_seen(tmp_path, sabotage):
    assert killed_training.inside_writing(2, tmp_path, prepare=sabotage).broken


@on_linux
def test_checkpoints_written_in_place_are_seen(tmp_path):
    assert killed_training.inside_writing(1, tmp_path, prepare=write_in_place).broken
