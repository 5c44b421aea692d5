"""Transforms that put something between the lens and the skin; the mask stays as it is: the lesion is still there."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from jaalnet_core.data.synthetic.artefacts import draw_hairs
from jaalnet_core.size import Size


class DrawnHair(v2.Transform):
    """Hairs drawn over a picture as the synthetic set draws them: `(3, H, W)` uint8 to the same; masks pass.

    Args:
        most: largest number of hairs; each picture gets from 1 to so many.

    Raises:
        ValueError: `most` is below 1.
    """

    _transformed_types = (tv_tensors.Image,)

    def __init__(self, most: int = 30) -> None:
        super().__init__()
        if most < 1:
            raise ValueError(f"most: found {most}, expected at least 1 hair.")
        self.most = most

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """One draw for all that is transformed together, from torch's generator as every transform of v2."""
        return {"seed": int(torch.randint(2**31, (1,)))}

    def transform(self, inpt: tv_tensors.Image, params: dict[str, Any]) -> tv_tensors.Image:
        """Paint on a copy."""
        rng = np.random.default_rng(params["seed"])
        scene = inpt.numpy().astype(np.float32) / 255
        draw_hairs(rng, scene, Size(*inpt.shape[-2:]), int(rng.integers(1, self.most + 1)))
        return tv_tensors.wrap(torch.from_numpy((scene * 255).round().astype(np.uint8)), like=inpt)


class CutOut(v2.RandomErasing):
    """torchvision's random erasing of a rectangle, of the picture alone: the lesion goes on behind it."""

    _transformed_types = (tv_tensors.Image,)
