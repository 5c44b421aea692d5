"""What a step costs one process among several before any waiting: the others are left out of it."""

from __future__ import annotations

from collections.abc import Callable
from unittest import mock

import torch
from torch import Tensor, distributed

from jaalnet_core.size import Size
from jaalnet_core.training import shared_norm
from jaalnet_core.training.fabric import Fabric
from jaalnet_core.training.processes import Processes
from jaalnet_core.training.run import build_run
from jaalnet_core.training.settings import TrainSettings


def step_without_waiting(settings: TrainSettings, pictures: int) -> Callable[[], object]:
    """A step with batch norms that share their statistics, in which the other processes are not waited for.

    Args:
        settings: resolved.
        pictures: of the step, random ones.
    """
    run = build_run(settings, Processes(Fabric(accelerator=settings.device, devices=1)))
    for network in (run.step.lf_net, run.step.da_net):
        shared_norm.share_batch_norms(network, run.processes.share)
    images, masks = (values.to(run.fabric.device) for values in random_batch(pictures, settings.size))

    def work() -> None:
        with (
            mock.patch.object(distributed, "all_reduce"),
            mock.patch.object(shared_norm, "gather_from_processes", lambda values: values[None]),
        ):
            run.step(images, masks)

    return work


def random_batch(pictures: int, size: Size) -> tuple[Tensor, Tensor]:
    """Random pictures `(B, 3, H, W)`, channels last, and random masks `(B, 1, H, W)`."""
    images = torch.rand(pictures, 3, size.height, size.width).contiguous(memory_format=torch.channels_last)
    return images, (torch.rand(pictures, 1, size.height, size.width) > 0.5).float()
