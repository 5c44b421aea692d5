"""The training that all entries of project A go through: short, without an opponent, and the same for everyone."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import AdamW

from jaalnet_core.course.projects.entry import Entry, Protocol
from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.augment import AugmentedLesions, build_augmentation
from jaalnet_core.errors import TrainingError
from jaalnet_core.training.schedule import schedule_factor

LARGEST_GRADIENT = 1.0  # its norm, in each step


def learn(entry: Entry, protocol: Protocol, train: LesionArrays, seed: int) -> nn.Module:
    """Train a fresh network of an entry; the torch random numbers of the caller are as before.

    AdamW, the one-cycle schedule, clipped gradients; the weights of the last step are returned, in evaluation mode.

    Args:
        seed: of weights, order and augmentation.

    Raises:
        TrainingError: the loss is no finite scalar.
    """
    steps_each = -(-len(train) // protocol.batch_size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = entry.build().train()
        optimizer = AdamW(network.parameters(), lr=entry.learning_rate, weight_decay=1e-2)
        for epoch in range(protocol.epochs):
            for number, (images, masks) in enumerate(_batches(entry, protocol, train, seed, epoch)):
                step = epoch * steps_each + number
                rate = entry.learning_rate * schedule_factor("one-cycle", step, protocol.epochs * steps_each)
                for group in optimizer.param_groups:
                    group["lr"] = rate
                loss = entry.loss(network, images, masks)
                _require_finite(loss, entry.name, step)
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
                optimizer.step()
    return network.eval()


def _batches(
    entry: Entry, protocol: Protocol, train: LesionArrays, seed: int, epoch: int
) -> list[tuple[Tensor, Tensor]]:
    """One epoch in an order of its own, picture and mask moved together."""
    pictures = AugmentedLesions(train, entry.augmentation or build_augmentation("none"), seed, epoch)
    order = np.random.default_rng([seed, epoch]).permutation(len(train))
    batches = []
    for start in range(0, len(order), protocol.batch_size):
        images, masks = zip(*(pictures[i] for i in order[start : start + protocol.batch_size]), strict=True)
        batches.append((torch.stack(images), torch.stack(masks)))
    return batches


def _require_finite(loss: Tensor, name: str, step: int) -> None:
    if not isinstance(loss, Tensor) or loss.ndim or not torch.isfinite(loss):
        raise TrainingError(f"{name}: the loss of step {step + 1} is {loss!r}, expected a finite scalar.")
