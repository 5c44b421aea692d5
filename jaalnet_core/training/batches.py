"""The batches of an epoch: which pictures, in which order, in which process, and where they are augmented."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.augment import AugmentedLesions, build_augmentation
from jaalnet_core.data.augment_batch import ON_DEVICE, augment_batch, draw
from jaalnet_core.errors import SettingsError
from jaalnet_core.training.processes import Processes
from jaalnet_core.training.settings import TrainSettings
from jaalnet_core.training.workers import live_and_end_with_the_run, started_deaf

Batch = tuple[Tensor, Tensor]
Batches = Callable[[int, int], Iterable[Batch]]


def open_batches(lesions: LesionArrays, settings: TrainSettings, processes: Processes) -> Batches:
    """What gives the batches of an epoch, on the run's device: call it with the epoch and the batches to leave out.

    Args:
        settings: resolved.

    Raises:
        SettingsError: the pictures do not fit into the device's memory.
    """
    fabric = processes.fabric
    if augments_on_device(settings, fabric.device):
        return DeviceBatches(lesions, settings, processes)

    def loaded(epoch: int, skip: int) -> Iterable[Batch]:
        loader = epoch_batches(lesions, settings, epoch, skip, processes)
        batches = fabric.setup_dataloaders(loader, use_distributed_sampler=False)
        return started_deaf(batches) if settings.workers else batches

    return loaded


def augments_on_device(settings: TrainSettings, device: torch.device) -> bool:
    """Whether a run augments whole batches on its device, and not picture by picture in a loader."""
    if settings.augment_on == "auto":
        return device.type == "cuda" and settings.workers == 0 and settings.augmentation in ON_DEVICE
    return settings.augment_on == "device"


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
    return DataLoader(
        AugmentedLesions(lesions, build_augmentation(settings.augmentation), settings.seed, epoch),
        batch_sampler=_portions(len(lesions), settings, epoch, skip, processes or Processes()),
        num_workers=settings.workers,
        worker_init_fn=live_and_end_with_the_run,
        generator=torch.Generator(),  # its own: the global one must not depend on how often loaders were made
    )


class DeviceBatches:
    """All pictures as bytes on the device that trains, and batches of them, augmented there at once.

    The same pictures in the same order as `epoch_batches`, moved and recoloured by other draws of the same ranges.

    Raises:
        SettingsError: they do not fit into the device's memory.
    """

    def __init__(self, lesions: LesionArrays, settings: TrainSettings, processes: Processes) -> None:
        device = processes.fabric.device
        try:
            self.images = torch.from_numpy(lesions.images).to(device).permute(0, 3, 1, 2)
            self.masks = torch.from_numpy(lesions.masks).to(device).unsqueeze(1)
        except torch.OutOfMemoryError as error:
            raise SettingsError(
                f"--augment-on device: {len(lesions)} pictures of {lesions.size} take "
                f"{(lesions.images.nbytes + lesions.masks.nbytes) / 1e9:.1f} GB, more than {device} has left; "
                "--augment-on loader keeps them beside it."
            ) from error
        self.settings, self.processes, self.device = settings, processes, device

    def __call__(self, epoch: int, skip: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, counted from 0, but for the first `skip`."""
        settings, count = self.settings, len(self.images)
        draws = draw(settings.augmentation, count, self.images.shape[2:], settings.seed, epoch)
        draws = None if draws is None else draws.to(self.device)
        for portion in _portions(count, settings, epoch, skip, self.processes):
            rows = torch.tensor(portion).to(self.device, non_blocking=True)
            yield augment_batch(self.images[rows], self.masks[rows], None if draws is None else draws.take(rows))


def _portions(count: int, settings: TrainSettings, epoch: int, skip: int, processes: Processes) -> list[list[int]]:
    """The numbers of this process's pictures, batch by batch."""
    order = np.random.default_rng([settings.seed, epoch]).permutation(count).tolist()
    starts = range(skip * settings.batch_size, count, settings.batch_size)
    return [processes.portion(order[start : start + settings.batch_size]) for start in starts]
