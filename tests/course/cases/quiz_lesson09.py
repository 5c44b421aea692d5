"""What the quiz of lesson 09 asks, worked out."""

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import DataLoader


def _padded(images: torch.Tensor) -> torch.Size:
    while images.shape[-2] % 16:
        images = functional.pad(images, (0, 0, 0, 1))
    while images.shape[-1] % 16:
        images = functional.pad(images, (0, 1))
    return images.shape[-2:]


TRUTH = {
    1: lambda: np.mean([0.04] * 7 + [-0.12]),
    2: lambda: 5 * len(DataLoader(torch.zeros(28, 1), batch_size=4)),
    3: lambda: _padded(torch.zeros(1, 3, 150, 200)),
}
