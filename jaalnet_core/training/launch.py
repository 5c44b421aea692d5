"""How a run's processes come to be: one alone, `--devices` and `--nodes`, `torchrun`, or a cluster's own starter."""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from jaalnet_core.errors import SettingsError, TrainingError
from jaalnet_core.training.fabric import DDPStrategy, Fabric, MisconfigurationException
from jaalnet_core.training.processes import Processes
from jaalnet_core.training.settings import TrainSettings

PATIENCE = timedelta(minutes=10)  # for an answer of a process that is still connected; a dead one is noticed at once
_LOST = ("gloo", "nccl", "connection", "timed out", "timeout", "broken pipe", "socket", "store")


def where_it_runs(settings: TrainSettings) -> TrainSettings:
    """The settings with the `devices` and `nodes` that are really there: `torchrun` says them in the environment.

    Raises:
        SettingsError: `--devices` or `--nodes` contradict `torchrun`, the batch has fewer pictures than there are
            processes, or this is a notebook, which cannot be started several times.
    """
    if distributed.is_available() and distributed.is_torchelastic_launched():
        world, here = int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_WORLD_SIZE"])
        there = {"devices": here, "nodes": world // here}
        for name, found in there.items():
            if getattr(settings, name) not in (1, found):
                raise SettingsError(
                    f"--{name}: found {getattr(settings, name)}, but torchrun started {found}: leave --{name} out."
                )
        settings = dataclasses.replace(settings, **there)
    count = settings.devices * settings.nodes
    if count > settings.batch_size:
        raise SettingsError(
            f"--batch-size: found {settings.batch_size} for {count} processes, expected at least {count}: the batch "
            "is divided among them."
        )
    if count > 1 and hasattr(sys, "ps1"):
        raise SettingsError(
            f"--devices: found {count} processes in a notebook or an interactive Python, expected 1: start them in a "
            "terminal, by jaalnet train --devices or torchrun."
        )
    return settings


def start_processes(settings: TrainSettings) -> Processes:
    """Start the processes that `settings` ask for, or join those that are being started; alone, just a device.

    Args:
        settings: as `where_it_runs` returns them.

    Raises:
        SettingsError: precision and device do not go together, there are fewer devices than asked for, or the other
            machines do not answer.
    """
    count, precision = settings.devices * settings.nodes, _precision(settings)
    if count == 1:
        return Processes(Fabric(accelerator=settings.device, devices=1, precision=precision))
    strategy = DDPStrategy(timeout=PATIENCE, **{_SYNC_BUFFERS: False})
    try:
        fabric = Fabric(
            accelerator=settings.device,
            devices=settings.devices,
            num_nodes=settings.nodes,
            strategy=strategy,
            precision=precision,
        )
        fabric.launch()
    except (MisconfigurationException, RuntimeError, TypeError, ValueError) as error:  # not there, or do not meet
        raise SettingsError(
            f"--devices {settings.devices} --nodes {settings.nodes} with --device {settings.device}: {error}"
        ) from error
    return Processes(fabric, fabric.global_rank, fabric.world_size)


# statistics are the same in every process; PyTorch 2.15 renamed the option that would send them round before each step
_SYNC_BUFFERS = (
    "forward_sync_buffers"
    if "forward_sync_buffers" in inspect.signature(DistributedDataParallel).parameters
    else "broadcast_buffers"
)


@contextmanager
def lost_processes_named(processes: Processes) -> Iterator[None]:
    """Turn what a collective raises when another process has ended into words and a mend.

    Raises:
        TrainingError: another process ended, or did not answer for `PATIENCE`. What is on the disk stays good.
    """
    try:
        yield
    except RuntimeError as error:
        told = isinstance(error, distributed.DistError) or any(word in str(error).lower() for word in _LOST)
        if processes.alone or not told:
            raise
        reason = re.sub(r"^\[\S+\] ", "", str(error)).split("\n")[0].split(". ")[0].strip().removesuffix(".")
        raise TrainingError(
            f"{processes}: another process of this run ended, or no longer answers ({reason}). What the "
            "run has saved stays good: go on with the same command and --resume, with as many processes as you like."
        ) from error


def end_together(processes: Processes) -> None:
    """Wait for the others at a run's good end, and take leave."""
    if not processes.alone:
        processes.fabric.barrier()
        distributed.destroy_process_group()


def _precision(settings: TrainSettings) -> str:
    has_gpu = settings.device not in ("auto", "cpu") or (settings.device == "auto" and torch.cuda.is_available())
    if settings.precision == "auto":
        return "bf16-mixed" if has_gpu and settings.device != "mps" else "32-true"
    if settings.precision != "32-true" and not has_gpu:
        # seen with torch 2.15: one batch twice gives other gradients of dilated depthwise weights, now and then NaN
        raise SettingsError(
            f"--precision: found {settings.precision} on a CPU, where half-precision gradients of depthwise "
            "convolutions are not reliable; expected 32-true (or auto)."
        )
    return settings.precision
