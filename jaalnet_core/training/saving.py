"""What a run saves at the end of an epoch, and how it goes on from there, whatever moment it was killed at.

The order makes the promise: checkpoint, its further names, weights, and the epoch's line in `log.csv` last. A line in
the log says that all before it is on the disk; what a kill left undone, a resume does first.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jaalnet_core.training.checkpoint import (
    BEST,
    LAST,
    drop_old_checkpoints,
    load_newest,
    name_checkpoint,
    periodic_name,
    save_checkpoint,
)
from jaalnet_core.training.run import Run
from jaalnet_core.training.writing import writing
from jaalnet_core.weights import save_weights


def save_epoch(run: Run, folder: Path) -> None:
    """Save what is due after the epoch that has just ended: nothing, or a checkpoint and the weights.

    Raises:
        CheckpointError: the folder takes no more.
    """
    if names := _due(run):
        save_checkpoint(folder, run.state(), *names)
        _after_checkpoint(run, folder, names)


def resume(run: Run, folder: Path, say: Callable[[str], None]) -> None:
    """Go back to the newest readable checkpoint, and finish what was cut off after it; without one, start afresh.

    Raises:
        CheckpointError: there are checkpoints and not one can be read, or the folder takes no more.
    """
    newest = load_newest(folder)
    if newest is None:
        return
    path, state, passed_over = newest
    for note in passed_over:
        say(f"Passed over: {note}")
    run.restore(state)
    with writing(folder, "the checkpoint"):
        if path.name != LAST:
            name_checkpoint(path, LAST)  # a damaged one must not become `previous.pt` at the next save
        names = _due(run) if run.progress.batch == 0 else []
        for name in names:
            name_checkpoint(folder / LAST, name)
    if names:
        _after_checkpoint(run, folder, names)
    say(f"Going on from {path}: epoch {run.progress.epoch + 1}, step {run.progress.step + 1}.")


def _due(run: Run) -> list[str]:
    """The further names of a checkpoint of this moment, the end of an epoch; empty where none is due."""
    epoch, settings = run.progress.epoch, run.settings
    names = [BEST] if epoch and run.progress.best_epoch == epoch else []
    if epoch and (epoch % settings.checkpoint_every == 0 or epoch == settings.epochs):
        names.append(periodic_name(epoch))
    return names


def _after_checkpoint(run: Run, folder: Path, names: list[str]) -> None:
    drop_old_checkpoints(folder, run.settings.keep_checkpoints)
    size, metadata = run.settings.size, run.metadata()
    with writing(folder, "the weights"):
        if BEST in names:
            save_weights(run.lf_net, folder / "best.safetensors", size, **metadata)
        save_weights(run.lf_net, folder / "last.safetensors", size, **metadata)
        if run.da_net is not None:
            save_weights(run.da_net, folder / "da_net.safetensors", size, **metadata)
