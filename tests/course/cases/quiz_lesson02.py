"""The answers of lesson 2's quiz, worked out."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from jaalnet_core.contour import ContourAttention, mask_boundary


def kept_by_hysteresis() -> int:
    magnitudes = np.array([[8, 40, 120, 60, 9, 30]])
    _, pieces = cv2.connectedComponents((magnitudes > 10).astype(np.uint8))
    strong = np.unique(pieces[magnitudes > 100])
    return int(np.isin(pieces, strong).sum())


def outline_pixels() -> int:
    mask = torch.zeros(1, 1, 10, 12)
    mask[..., :6] = 1
    return int(mask_boundary(mask, 3).sum())


def level_shape() -> tuple[int, ...]:
    return tuple(ContourAttention(16, 8, 24)(torch.zeros(2, 16, 32, 32), torch.zeros(2, 24, 64, 64)).shape)


TRUTH = {
    1: lambda: float(4 * (1 + torch.sigmoid(torch.tensor(0.0)))),
    2: kept_by_hysteresis,
    3: lambda: len(np.unique(np.linspace(-0.999, 0.999, 500).astype("uint8"))),
    4: outline_pixels,
    5: level_shape,
}
