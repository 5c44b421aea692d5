"""Full checkpoints: everything a stopped run needs to go on as if it had never been stopped."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import torch

from jaalnet_core.errors import CheckpointError
from jaalnet_core.files import atomic_path
from jaalnet_core.weights import read_training_checkpoint

LAST = "last.pt"
BEST = "best.pt"


def periodic_name(epoch: int) -> str:
    """The file name of the checkpoint after `epoch`."""
    return f"epoch-{epoch:04d}.pt"


def save_checkpoint(folder: Path, state: dict[str, Any], *also: str) -> Path:
    """Write `state` to `last.pt`, all or nothing, and give it the names `also` as well (hard links where possible).

    Raises:
        CheckpointError: the disk is full or the folder cannot be written; older checkpoints stay as they were.
    """
    path = folder / LAST
    try:
        with atomic_path(path) as temporary:
            torch.save(state, temporary)
        for name in also:
            with atomic_path(folder / name) as temporary:
                _link_or_copy(path, temporary)
    except (OSError, RuntimeError) as error:  # torch.save reports a full disk as a RuntimeError
        raise CheckpointError(
            f"{folder}: the checkpoint could not be written ({error}). Free some space or choose another --out; the "
            "checkpoints before it are untouched, and --resume goes on from the newest."
        ) from error
    return path


def load_newest(folder: Path) -> tuple[Path, dict[str, Any], list[str]] | None:
    """The newest readable checkpoint of a run with notes on those passed over; None where there is none at all.

    Raises:
        CheckpointError: there are checkpoints, and not one can be read.
    """
    candidates = [folder / LAST, *sorted(folder.glob("epoch-*.pt"), reverse=True), folder / BEST]
    present = [path for path in candidates if path.is_file()]
    passed_over = []
    for path in present:
        try:
            return path, read_training_checkpoint(path), passed_over
        except CheckpointError as error:
            passed_over.append(str(error))
    if passed_over:
        raise CheckpointError(f"{folder}: no checkpoint of this run can be read. " + " ".join(passed_over))
    return None


def drop_old_checkpoints(folder: Path, keep: int) -> None:
    """Remove all but the newest `keep` periodic checkpoints; 0 keeps all."""
    if keep:
        for path in sorted(folder.glob("epoch-*.pt"))[:-keep]:
            path.unlink()


def _link_or_copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)
