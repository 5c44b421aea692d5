"""A training in a process of its own, which may be killed, and what must be the same in the end, killed or not."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch
from small_run import as_data, drawn_lesions, fresh_processes, quietly, small_settings, weights_digest

from jaalnet_core.errors import JaalnetError
from jaalnet_core.run_log import COLUMNS, read_epochs
from jaalnet_core.training import TrainSettings
from jaalnet_core.training.checkpoint import load_newest
from jaalnet_core.weights import read_training_checkpoint

EPOCHS = 3  # of two steps each: the second and third have a checkpoint before them
WEIGHTS = ("best.safetensors", "last.safetensors", "da_net.safetensors")
REFUSED = 3  # exit code of a training that ended with one of the package's own errors
Prepare = Callable[[], object]


def train_here(folder: Path, prepare: Prepare = bool, **options: object) -> None:
    """Train in `folder`, or go on there; what a child does. An error is left in `FOLDER.error`.

    Args:
        prepare: called first; to sabotage the product, or to have it killed.
        options: of `train`.
    """
    torch.set_num_threads(1)
    prepare()
    data = as_data(drawn_lesions(4))
    try:
        quietly(run_settings(folder), data, **options)
    except JaalnetError as error:
        error_file(folder).write_text(str(error), encoding="utf-8")
        raise SystemExit(REFUSED) from None
    except BaseException as error:
        error_file(folder).write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
        raise


def run_settings(folder: Path) -> TrainSettings:
    """Both networks; batch normalisation in DA-Net, whose spectral one takes half the time to set up."""
    return small_settings(folder, epochs=EPOCHS, normalisation="batch", resume=True)


def error_file(folder: Path) -> Path:
    return folder.with_name(folder.name + ".error")


def said(folder: Path) -> str:
    """The last error of a training in `folder`, once; "" where there was none."""
    text = error_file(folder).read_text(encoding="utf-8") if error_file(folder).exists() else ""
    error_file(folder).unlink(missing_ok=True)
    return text


def start(folder: Path, prepare: Prepare = bool) -> BaseProcess:
    """A process that has just begun to train in `folder`."""
    process = fresh_processes().Process(target=train_here, args=(folder, prepare))
    process.start()
    return process


def to_the_end(folder: Path, prepare: Prepare = bool) -> int:
    """Train in `folder` in a process of its own; its exit code."""
    process = start(folder, prepare)
    process.join()
    return process.exitcode


def whole_run(folder: Path) -> Path:
    """A run that nothing disturbed."""
    if (code := to_the_end(folder)) != 0:
        raise RuntimeError(f"the undisturbed run ended with {code}: {said(folder)}")
    return folder


def newest_step(folder: Path) -> int:
    """Steps behind the newest checkpoint; 0 where there is none."""
    newest = load_newest(folder)
    return 0 if newest is None else newest[1]["training"]["progress"]["step"]


def difference(folder: Path, whole: Path) -> str | None:
    """What a disturbed run has otherwise than an undisturbed one: weights, optimisers, log, files; None: nothing."""
    with contextlib.suppress(FileNotFoundError):
        (folder / ".running.json").read_text()
        return "the lock's owner is still named"
    names = [{path.name for path in each.iterdir()} for each in (folder, whole)]
    if names[0] != names[1]:
        return f"files: {sorted(names[0] ^ names[1])}"
    steps = [read_training_checkpoint(each / "previous.pt")["training"]["progress"]["step"] for each in (folder, whole)]
    if not steps[1] <= steps[0] < newest_step(folder):  # a run that was asked to stop saved in mid-epoch too
        return f"previous.pt: of step {steps[0]}"
    for name in ("last.pt", "best.pt", *(["previous.pt"] if steps[0] == steps[1] else [])):
        if weights_digest(folder / name) != weights_digest(whole / name):
            return f"{name}: other weights"
    for name in WEIGHTS:
        if (folder / name).read_bytes() != (whole / name).read_bytes():
            return f"{name}: other bytes"
    logs = [[[row[name] for name in COLUMNS if name != "seconds"] for row in read_epochs(each / "log.csv")]
            for each in (folder, whole)]  # fmt: skip
    return None if logs[0] == logs[1] else f"log.csv: {[row[0] for row in logs[0]]} epochs, or other numbers"
