"""The batches of an epoch: which pictures, in which order, and in which process."""

from __future__ import annotations

import numpy as np
import torch
from torch.utils.data import DataLoader

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.augment import AugmentedLesions, build_augmentation
from jaalnet_core.training.processes import Processes
from jaalnet_core.training.settings import TrainSettings
from jaalnet_core.training.workers import live_and_end_with_the_run


def epoch_batches(
    lesions: LesionArrays,
    settings: TrainSettings,
    epoch: int,
    skip: int = 0,
    processes: Processes | None = None,
) -> DataLoader:
    """The batches of one epoch: images `(B, 3, H, W)` and masks `(B, 1, H, W)`, in an order of that epoch's own.

    Args:
        epoch: counted from 0; with the seed it fixes order and augmentation, however many processes there are.
        skip: leave out so many batches at the start (they were learnt before an interruption).
        processes: those that divide each batch; None: this one has it whole.
    """
    processes = processes or Processes()
    order = np.random.default_rng([settings.seed, epoch]).permutation(len(lesions)).tolist()
    starts = range(skip * settings.batch_size, len(order), settings.batch_size)
    return DataLoader(
        AugmentedLesions(lesions, build_augmentation(settings.augmentation), settings.seed, epoch),
        batch_sampler=[processes.portion(order[start : start + settings.batch_size]) for start in starts],
        num_workers=settings.workers,
        worker_init_fn=live_and_end_with_the_run,
        generator=torch.Generator(),  # its own: the global one must not depend on how often loaders were made
    )
