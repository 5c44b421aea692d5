"""Scores on the validation pictures while training."""

from __future__ import annotations

import torch
from torch import nn

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.metrics import confusion_counts, per_image

BATCH = 64


@torch.inference_mode()
def validate(network: nn.Module, arrays: LesionArrays, device: torch.device) -> dict[str, float]:
    """Per-image means of all metrics, each in 0..1, of masks thresholded at probability 0.5.

    Args:
        network: `(B, 3, H, W)` pictures to logits `(B, 1, H, W)`; put into evaluation mode for the while.
    """
    was_training = network.training
    network.eval()
    counts = []
    for start in range(0, len(arrays), BATCH):
        images, masks = arrays.tensors(start, start + BATCH)
        logits = network(images.to(device, memory_format=torch.channels_last))
        counts.append(confusion_counts(logits.cpu() > 0, masks))
    network.train(was_training)
    return per_image(torch.cat(counts))
