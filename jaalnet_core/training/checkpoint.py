"""Full checkpoints: everything a stopped run needs to go on as if it had never been stopped."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import torch

from jaalnet_core.errors import CheckpointError
from jaalnet_core.files import atomic_path
from jaalnet_core.training.writing import writing
from jaalnet_core.weights import read_training_checkpoint

LAST = "last.pt"
PREVIOUS = "previous.pt"
BEST = "best.pt"


def periodic_name(epoch: int) -> str:
    """The file name of the checkpoint after `epoch`."""
    return f"epoch-{epoch:04d}.pt"


def save_checkpoint(folder: Path, state: dict[str, Any], *also: str) -> Path:
    """Write `state` to `last.pt`, all or nothing, and give it the names `also` as well (hard links where possible).

    The `last.pt` before it becomes `previous.pt`: names that are hard links share their bytes, and a bad sector under
    one spoils them all.

    Raises:
        CheckpointError: the disk is full or the folder cannot be written; older checkpoints stay as they were.
    """
    path = folder / LAST
    with writing(folder, "the checkpoint"):
        with atomic_path(path) as temporary:
            torch.save(state, temporary)
            if path.exists():
                name_checkpoint(path, PREVIOUS)
        for name in also:
            name_checkpoint(path, name)
    return path


def name_checkpoint(path: Path, name: str) -> None:
    """Give a checkpoint a further name in its folder: a hard link where possible, else a copy."""
    with atomic_path(path.with_name(name)) as temporary:
        _link_or_copy(path, temporary)


def load_newest(folder: Path) -> tuple[Path, dict[str, Any], list[str]] | None:
    """The newest readable checkpoint of a run with notes on those passed over; None where there is none at all.

    That is `last.pt`, or where it is damaged, whichever of the others has come furthest.

    Raises:
        CheckpointError: there are checkpoints, and not one can be read.
    """
    periodic = sorted(folder.glob("epoch-*.pt"), reverse=True)
    newest, passed_over = None, []
    for path in (folder / LAST, *periodic, folder / PREVIOUS, folder / BEST):
        if not path.is_file():
            continue
        try:
            state = read_training_checkpoint(path)
        except CheckpointError as error:
            passed_over.append(str(error))
            continue
        if newest is None or _steps(state) > _steps(newest[1]):
            newest = (path, state)
        if path.name == LAST:
            break
    if newest is None and passed_over:
        raise CheckpointError(f"{folder}: no checkpoint of this run can be read. " + " ".join(passed_over))
    return None if newest is None else (*newest, passed_over)


def _steps(state: dict[str, Any]) -> int:
    """How many steps a checkpoint has behind it; -1 where it does not say."""
    try:
        return int(state["training"]["progress"]["step"])
    except (KeyError, TypeError, ValueError):
        return -1


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
