"""The training loop: explicit, from the first batch to the shipped weights."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.source import LesionData, open_data
from jaalnet_core.errors import DataError, TrainingError
from jaalnet_core.files import remove_unfinished
from jaalnet_core.training.batches import Batches, open_batches
from jaalnet_core.training.checkpoint import load_newest, save_checkpoint
from jaalnet_core.training.compiling import only_compiling
from jaalnet_core.training.finite import not_finite
from jaalnet_core.training.folder import fingerprint, open_folder, run_folder
from jaalnet_core.training.interrupt import StopRequest
from jaalnet_core.training.launch import end_together, lost_processes_named, start_processes, where_it_runs
from jaalnet_core.training.lock import only_run_in
from jaalnet_core.training.log import Averages, NoLog, RunLog
from jaalnet_core.training.networks import NAMES
from jaalnet_core.training.run import Run, build_run
from jaalnet_core.training.saving import resume, save_epoch
from jaalnet_core.training.settings import TrainSettings
from jaalnet_core.training.validation import validate
from jaalnet_core.training.workers import deaths_of_workers_named

EpochReport = Callable[[dict[str, float]], None]
StepReport = Callable[[Run, int], None]


@dataclass(frozen=True)
class RunResult:
    """How a call of `train` ended.

    Attributes:
        folder: where everything of the run lies.
        finished: False after an interruption; `--resume` goes on.
        epochs: finished epochs, of this and earlier starts.
        best_epoch, best_dice: the epoch whose averaged weights did best on the validation pictures, and how well
            (per-image Dice, 0..1).
        last_dice: the same after the last finished epoch.
        seconds: training time over all starts.
        first_process: False in every process of the run but the one that writes and speaks.
    """

    folder: Path
    finished: bool
    epochs: int
    best_epoch: int
    best_dice: float
    last_dice: float
    seconds: float
    first_process: bool = True


def train(
    settings: TrainSettings,
    *,
    data: LesionData | None = None,
    on_epoch: EpochReport | None = None,
    on_step: StepReport | None = None,
    stop: StopRequest | None = None,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> RunResult:
    """Train LF-Net against DA-Net and leave checkpoints, weights and logs in the run's folder.

    Args:
        data: pictures in memory; None opens `settings.data`.
        on_epoch: called after every epoch with the line that went into `log.csv`.
        on_step: called after every step with the run, to look at and not to change, and with the number of all steps.
        stop: ask it to stop the run after the step in hand; Ctrl-C does the same.
        progress: show a bar with the time left.
        say: takes the run's few sentences.

    Raises:
        SettingsError, DataError: something given does not fit, or another run trains in the folder; nothing was lost.
        CheckpointError: a checkpoint or weights cannot be read, or the folder cannot be written; what is there stays.
        TrainingError: a loss or a weight was no longer finite, or another process that trains or prepares pictures
            ended before its time.
    """
    settings = where_it_runs(settings.resolved())
    processes = start_processes(settings)
    if not processes.first:
        progress, say = False, lambda text: None
    with lost_processes_named(processes):
        if data is None:
            data = processes.in_turn(lambda: open_data(settings.data, settings.size, progress=progress))
        lesions = _training_pictures(data, settings.limit)
        processes.agree_on("pictures", lambda: fingerprint(data), "give every machine the same --data.")
        folder = run_folder(settings, data.name)
        with processes.first_holds(only_run_in(folder, say)):
            processes.first_does(lambda: _open(folder, settings, data))
            run = build_run(settings, processes)
            if settings.resume:
                processes.first_does(lambda: resume(run, folder, say))
                run.follow_first()
            result = _train(run, data, lesions, folder, on_epoch, on_step, stop, progress, say)
        end_together(processes)
    return result


def _open(folder: Path, settings: TrainSettings, data: LesionData) -> None:
    remove_unfinished(folder)
    open_folder(folder, settings, data)


def _train(
    run: Run,
    data: LesionData,
    lesions: LesionArrays,
    folder: Path,
    on_epoch: EpochReport | None,
    on_step: StepReport | None,
    stop: StopRequest | None,
    progress: bool,
    say: Callable[[str], None],
) -> RunResult:
    """From where `run` stands to its end, or to a stop."""
    settings = run.settings
    for note in data.notes:
        say(note)
    say(_announcement(settings, len(lesions), folder))
    batches = open_batches(lesions, settings, run.processes)

    steps_per_epoch = math.ceil(len(lesions) / settings.batch_size)
    total_steps = steps_per_epoch * settings.epochs
    first = run.processes.first
    log = RunLog(folder, first_epoch=run.progress.epoch + 1, lines=run.lines) if first else NoLog()
    run.lines = log.kept
    bar = tqdm(total=total_steps, initial=run.progress.step, unit="step", disable=not progress, smoothing=0.05)
    with stop or StopRequest() as stop, bar, deaths_of_workers_named(folder):  # a death is told at any moment, not only
        try:  # where a batch is asked for
            while run.progress.epoch < settings.epochs and not run.processes.any(stop.requested):
                rate = _train_epoch(run, batches, len(lesions), total_steps, folder, on_step, stop, bar)
                if run.progress.batch < steps_per_epoch:
                    break  # stopped in mid-epoch
                line = _end_epoch(run, data.validation, rate, folder)
                log.write(line)
                bar.set_postfix(epoch=run.progress.epoch, dice=f"{run.progress.last_dice:.4f}")
                if on_epoch is not None:
                    on_epoch(line)
        finally:
            log.close()
    finished = run.progress.epoch >= settings.epochs
    if not finished:
        if first:
            save_checkpoint(folder, run.state())
        say(
            f"Stopped after step {run.progress.step} of {total_steps}, saved. Go on with the same command and --resume."
        )
    return RunResult(
        folder,
        finished,
        run.progress.epoch,
        run.progress.best_epoch,
        run.progress.best_dice,
        run.progress.last_dice,
        run.progress.seconds,
        first,
    )


def _train_epoch(
    run: Run,
    batches: Batches,
    pictures: int,
    total_steps: int,
    folder: Path,
    on_step: StepReport | None,
    stop: StopRequest,
    bar: tqdm,
) -> float:
    run.step.lf_net.train()
    if run.step.da_net is not None:
        run.step.da_net.train()
    rate = 0.0
    for images, masks in batches(run.progress.epoch, run.progress.batch):
        started = time.perf_counter()
        rate = run.set_learning_rates(total_steps)
        batch_size = min(run.settings.batch_size, pictures - run.progress.batch * run.settings.batch_size)
        run.processes.take_up(batch_size)
        images = images.contiguous(memory_format=torch.channels_last)
        with only_compiling(first=run.steps_here == 0) if run.settings.compile else nullcontext():
            losses = run.processes.means(run.step(images, masks))
        _require_finite(losses, run, folder)
        run.averaged.update_parameters(run.step.lf_net.module)
        run.averages.add(losses, batch_size)
        run.progress.step += 1
        run.steps_here += 1
        run.progress.batch += 1
        run.progress.seconds += time.perf_counter() - started
        bar.update()
        if on_step is not None:
            on_step(run, total_steps)
        if run.processes.any(stop.requested):
            break
    return rate


def _end_epoch(run: Run, validation: LesionArrays, rate: float, folder: Path) -> dict[str, float]:
    """Validate, save what is due, and return the epoch's line for the log."""
    started = time.perf_counter()
    progress = run.progress
    scores = validate(run.lf_net, validation, run.fabric.device, run.processes)
    progress.epoch += 1
    progress.batch = 0
    progress.last_dice = scores["dice"]
    means, run.averages = run.averages.means(), Averages()
    if progress.last_dice > progress.best_dice:
        progress.best_dice, progress.best_epoch = progress.last_dice, progress.epoch
    progress.seconds += time.perf_counter() - started
    line = {
        "epoch": progress.epoch,
        "seconds": progress.seconds,
        "learning_rate": rate,
        **means,
        "validation_dice": scores["dice"],
        "validation_iou": scores["iou"],
    }
    run.lines.append(line)
    if run.processes.first:
        save_epoch(run, folder)
    return line


def _require_finite(losses: dict[str, Tensor], run: Run, folder: Path) -> None:
    networks = {NAMES[run.settings.network]: run.step.lf_net, "DA-Net": run.step.da_net}
    bad = not_finite(losses, {name: network for name, network in networks.items() if network is not None})
    if bad:
        newest = load_newest(folder)
        mend = (
            f"The last good checkpoint is {newest[0]}; lower --learning-rate and go on in another folder."
            if newest
            else "No checkpoint was written yet; lower --learning-rate and start again."
        )
        raise TrainingError(
            f"No longer finite in step {run.progress.step + 1} (epoch {run.progress.epoch + 1}): "
            f"{', '.join(bad)}. {mend}"
        )


def _training_pictures(data: LesionData, limit: int | None) -> LesionArrays:
    for split in ("train", "validation"):
        if len(getattr(data, split)) == 0:
            raise DataError(f"{data.root}: found no {split} pictures, expected at least one with its mask.")
    return data.train if limit is None else data.train.take(np.arange(min(limit, len(data.train))))


def _announcement(settings: TrainSettings, pictures: int, folder: Path) -> str:
    rate = settings.learning_rate
    drawing = NAMES[settings.network]
    networks = f"{drawing} against DA-Net" if settings.adversarial_weight else f"{drawing} alone (adversarial weight 0)"
    if settings.without:
        networks += f", without {', '.join(settings.without)}"
    if settings.start_from is not None:
        networks += f" ({drawing} starts from {settings.start_from})"
    peaks = f"{drawing} peaks at {rate * settings.peak_factor:g}"
    if settings.adversarial_weight:
        peaks += f", DA-Net at {rate * settings.discriminator_factor:g}"
    return (
        f"{networks}, {settings.preset}, recipe {settings.recipe}: {settings.epochs} epochs of {pictures} pictures at "
        f"{settings.size}, batch {settings.batch_size}. Learning rate {rate:g}, {settings.schedule}: {peaks}. "
        f"Everything goes to {folder}."
    )
