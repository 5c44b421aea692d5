"""A killed run goes on to the same weights; each study sees a product that does not keep that promise."""

from __future__ import annotations

import contextlib

import fault_study
import killed_training
import pytest

from jaalnet_core.training import checkpoint, log, saving


@pytest.mark.parametrize("study", killed_training.STUDIES, ids=lambda study: study.fault)
def test_the_promise_holds(study, tmp_path):
    if lacking := study.lacking():
        pytest.skip(lacking)
    fault_study.check(study, tmp_path)


def write_in_place() -> None:
    """Sabotage: checkpoints are written under their own name."""
    checkpoint.atomic_path = contextlib.nullcontext


def leave_undone() -> None:
    """Sabotage: a resume does not do what the kill left undone."""
    saving._due = lambda run, real=saving._due: [] if not run.lines or "resumed" in vars(run) else real(run)
    restore = saving.Run.restore

    def remember(run, state):
        restore(run, state)
        run.resumed = True
        run.lines = run.lines[:-1]

    saving.Run.restore = remember


def forget_the_log() -> None:
    """Sabotage: a resume begins with an empty log."""
    real = log.RunLog.__init__
    log.RunLog.__init__ = lambda self, folder, first_epoch, lines=None: real(self, folder, first_epoch, [])


@pytest.mark.parametrize("sabotage", [leave_undone, forget_the_log])
def test_a_resume_that_leaves_gaps_is_seen(tmp_path, sabotage):
    assert killed_training.inside_writing(3, tmp_path, prepare=sabotage).broken


def test_checkpoints_written_in_place_are_seen(tmp_path):
    assert killed_training.inside_writing(6, tmp_path, prepare=write_in_place).broken
