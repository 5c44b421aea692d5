"""Pictures and masks of noise: speed does not hang on what is drawn."""

from __future__ import annotations

import torch

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.size import Size


def random_lesions(count: int, size: Size) -> LesionArrays:
    """The same `count` pictures of noise, of `size`, at every call."""
    random = torch.Generator().manual_seed(0)
    images = torch.randint(256, (count, *size, 3), dtype=torch.uint8, generator=random)
    masks = torch.randint(2, (count, *size), dtype=torch.uint8, generator=random)
    return LesionArrays(tuple(map(str, range(count))), images.numpy(), masks.numpy())
