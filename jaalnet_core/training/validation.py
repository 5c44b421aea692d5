"""Scores on the validation pictures while training."""

from __future__ import annotations

import torch
from torch import nn

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.metrics import confusion_counts, per_image
from jaalnet_core.training.processes import Processes

BATCH = 64


@torch.inference_mode()
def validate(
    network: nn.Module, arrays: LesionArrays, device: torch.device, processes: Processes | None = None
) -> dict[str, float]:
    """Per-image means of all metrics, each in 0..1, of masks thresholded at probability 0.5.

    Args:
        network: `(B, 3, H, W)` pictures to logits `(B, 1, H, W)`; put into evaluation mode for the while.
        processes: those that divide the pictures among them; each picture is counted once, and all get the scores.
    """
    was_training = network.training
    network.eval()
    processes = processes or Processes()
    part = arrays if processes.alone else arrays.take(range(processes.rank, len(arrays), processes.count))
    counts = []
    for start in range(0, len(part), BATCH):
        images, masks = part.tensors(start, start + BATCH)
        logits = network(images.to(device, memory_format=torch.channels_last))
        counts.append(confusion_counts(logits.cpu() > 0, masks))
    network.train(was_training)
    if processes.alone:
        return per_image(torch.cat(counts))
    every = torch.zeros(len(arrays), 4, dtype=torch.int64)  # this process's rows; all others stay 0, and are added
    if counts:
        every[processes.rank :: processes.count] = torch.cat(counts)
    return per_image(processes.total(every).cpu())
