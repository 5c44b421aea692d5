"""The same pictures turned and mirrored: a steadier score for choosing between networks when pictures are few.

A lesion has no upright, so a network that outlines a picture and fails on the same picture turned has not understood
it. With 82 pictures one such failure moves the mean by a hundredth; over eight views it counts for an eighth of that.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.errors import SettingsError
from jaalnet_core.evaluation import evaluate_network
from jaalnet_core.metrics import scores

VIEWS = tuple((turns, mirrored) for turns in range(4) for mirrored in (False, True))
"""Quarter turns and whether the picture is mirrored afterwards; the first is the picture as it is."""


def seen(arrays: LesionArrays, turns: int, mirrored: bool) -> LesionArrays:
    """Every picture with its mask, turned by so many quarters, then mirrored left to right.

    Raises:
        SettingsError: the pictures are not square; a turned one would have another size.
    """
    if arrays.size.height != arrays.size.width:
        raise SettingsError(f"views: found pictures of {arrays.size}, expected square ones, which can be turned.")

    def moved(stack: np.ndarray) -> np.ndarray:
        turned = np.rot90(stack, turns, (1, 2))
        return np.ascontiguousarray(turned[:, :, ::-1] if mirrored else turned)

    return replace(arrays, images=moved(arrays.images), masks=moved(arrays.masks))


def dice_over_views(
    network: nn.Module, arrays: LesionArrays, *, device: str | torch.device = "cpu", progress: bool = False
) -> Tensor:
    """The Dice of every picture in each of its eight views: `(8, N)` float64, 0..1; the first row is as it is."""
    rows = [evaluate_network(network, seen(arrays, *view), device=device, progress=progress).counts for view in VIEWS]
    return torch.stack([scores(row)["dice"] for row in rows])
