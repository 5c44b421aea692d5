"""Pictures and masks in memory: what preprocessing makes and training, evaluation and figures read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from jaalnet_core.size import Size


@dataclass(frozen=True, eq=False)
class LesionArrays:
    """`N` pictures of one size with their masks.

    Attributes:
        ids: the `N` picture ids, such as `ISIC_0000000`.
        images: `(N, H, W, 3)` uint8, RGB, 0..255.
        masks: `(N, H, W)` uint8, 0 = skin, 1 = lesion.
    """

    ids: tuple[str, ...]
    images: np.ndarray
    masks: np.ndarray

    def __post_init__(self) -> None:
        expected = (len(self.ids), *self.images.shape[1:3])
        if self.images.ndim != 4 or self.images.shape[0] != len(self.ids) or self.masks.shape != expected:
            raise ValueError(
                f"ids ({len(self.ids)}), images {self.images.shape} and masks {self.masks.shape} do not belong "
                "together: expected N ids, (N, H, W, 3) images and (N, H, W) masks."
            )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def size(self) -> Size:
        """Height and width of every picture."""
        return Size(*self.images.shape[1:3])

    def take(self, indices: Sequence[int] | np.ndarray) -> LesionArrays:
        """The pictures at `indices`, in that order."""
        indices = np.asarray(indices, dtype=np.intp)
        return LesionArrays(tuple(self.ids[i] for i in indices), self.images[indices], self.masks[indices])

    def tensors(self, start: int = 0, stop: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Pictures `(B, 3, H, W)` float32 in 0..1 and masks `(B, 1, H, W)` float32 of 0 or 1."""
        images = torch.from_numpy(self.images[start:stop]).permute(0, 3, 1, 2).float().div_(255)
        masks = torch.from_numpy(self.masks[start:stop]).unsqueeze(1).float()
        return images, masks
