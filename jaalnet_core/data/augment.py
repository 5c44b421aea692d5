"""Augmentation: torchvision's transforms on tv_tensors, so that a picture and its mask always move together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode, v2

from jaalnet_core.choices import Augmentation
from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.obstacles import CutOut, DrawnHair


@dataclass(frozen=True)
class Ranges:
    """How far an augmentation goes.

    Attributes:
        shift: largest, either way, as a share of the side.
        scale: smallest and largest factor of the zoom.
        shear: largest, either way, along each axis, in degrees.
        brightness, contrast, saturation: largest relative change.
        hue: largest change, as a share of the colour circle, 0..0.5.
        share: of the pictures that are moved at all, and of those whose colours change, 0..1.
    """

    shift: float
    scale: tuple[float, float]
    shear: float
    brightness: float
    contrast: float
    saturation: float
    hue: float
    share: float = 0.9


COURSE = Ranges(shift=0.1, scale=(0.8, 1.25), shear=8, brightness=0.25, contrast=0.25, saturation=0.25, hue=0.03)
STRONG = Ranges(shift=0.15, scale=(0.7, 1.4), shear=12, brightness=0.4, contrast=0.4, saturation=0.5, hue=0.06)


def build_augmentation(kind: Augmentation) -> v2.Transform:
    """The transform by name, for a pair of `tv_tensors.Image` and `tv_tensors.Mask` (uint8).

    `none` changes nothing (the published recipe); `flips` mirrors; `course` mirrors, rotates by any angle (a lesion has
    no upright), zooms, shifts, shears a little, and varies brightness, contrast, saturation and hue. `strong` does all
    of it further, bends the picture, and now and then greys it, blurs it, draws hair over it or cuts a patch out.
    """
    if kind == "none":
        return v2.Identity()
    flips = [v2.RandomHorizontalFlip(), v2.RandomVerticalFlip()]
    if kind == "flips":
        return v2.Compose(flips)
    if kind == "course":
        moved, recoloured = _moved_and_recoloured(COURSE)
        return v2.Compose([*flips, moved, recoloured])
    if kind == "strong":
        moved, recoloured = _moved_and_recoloured(STRONG)
        return v2.Compose(
            [
                *flips,
                v2.RandomApply([Bend(alpha=60, sigma=8)], p=0.25),
                moved,
                v2.RandomApply([DrawnHair()], p=0.2),
                recoloured,
                v2.RandomGrayscale(p=0.05),
                v2.RandomApply([v2.GaussianBlur(5, sigma=(0.3, 1.5))], p=0.15),
                CutOut(p=0.25, scale=(0.02, 0.1)),
            ]
        )
    raise ValueError(f"augmentation: found {kind!r}, expected 'none', 'flips', 'course' or 'strong'.")


class Bend(v2.ElasticTransform):
    """An elastic transform for pictures of any side: its smoothing, a blur that mirrors the border, fits into them."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The shift of every pixel, as torchvision draws it; smoothed less where the picture is too small for it."""
        side = min(v2.functional.get_size(flat_inputs[0]))
        if 4 * max(self.sigma) < side:  # the blur reaches four sigma
            return super().make_params(flat_inputs)
        return v2.ElasticTransform(alpha=self.alpha, sigma=(side - 1) / 4).make_params(flat_inputs)


def _moved_and_recoloured(ranges: Ranges) -> tuple[v2.Transform, v2.Transform]:
    """Turn by any angle, shift, zoom and shear, and vary the colours, each of it in `ranges.share` of the draws.

    Beyond the frame lies black, as around a dermoscope's round view.
    """
    move = v2.RandomAffine(
        degrees=180,
        translate=(ranges.shift, ranges.shift),
        scale=ranges.scale,
        shear=(-ranges.shear, ranges.shear, -ranges.shear, ranges.shear),
        interpolation=InterpolationMode.BILINEAR,
    )
    colour = v2.ColorJitter(ranges.brightness, ranges.contrast, ranges.saturation, ranges.hue)
    return v2.RandomApply([move], p=ranges.share), v2.RandomApply([colour], p=ranges.share)


def augmentation_of_strength(*, rotation: float, zoom: float, colour: float, flips: bool) -> v2.Transform:
    """An augmentation by its strengths, to try out; all at their least change nothing.

    Args:
        rotation: largest angle in degrees, 0..180, either way.
        zoom: largest factor, from 1; as often reduced by it as enlarged.
        colour: largest relative change of brightness, contrast and saturation, 0..1, and a tenth of it in hue.
        flips: mirror in half of the draws, along each axis.

    Raises:
        ValueError: a strength outside its range.
    """
    if not (0 <= rotation <= 180 and zoom >= 1 and 0 <= colour <= 1):
        raise ValueError(
            f"rotation {rotation}, zoom {zoom}, colour {colour}: expected 0 to 180 degrees, 1 or more, and 0 to 1."
        )
    parts: list[v2.Transform] = [v2.RandomHorizontalFlip(), v2.RandomVerticalFlip()] if flips else []
    if rotation or zoom > 1:
        scale = (1 / zoom, zoom)
        parts.append(v2.RandomAffine(degrees=rotation, scale=scale, interpolation=InterpolationMode.BILINEAR))
    if colour:
        parts.append(v2.ColorJitter(brightness=colour, contrast=colour, saturation=colour, hue=colour / 10))
    return v2.Compose(parts) if parts else v2.Identity()


def augment_pair(transform: v2.Transform, image: np.ndarray, mask: np.ndarray, seed: int) -> tuple[Tensor, Tensor]:
    """Transform one picture with its mask; the same `seed` gives the same result, whatever was drawn before.

    Args:
        image: `(H, W, 3)` uint8. mask: `(H, W)` uint8, 0 or 1.

    Returns:
        Image `(3, H, W)` float32 in 0..1 and mask `(1, H, W)` float32 of 0 or 1.
    """
    pair = (
        tv_tensors.Image(torch.from_numpy(image).permute(2, 0, 1)),
        tv_tensors.Mask(torch.from_numpy(mask).unsqueeze(0)),
    )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed seeds GPUs too, and takes a traceback
        moved_image, moved_mask = transform(*pair)
    return moved_image.as_subclass(Tensor).float() / 255, moved_mask.as_subclass(Tensor).float()


class AugmentedLesions(Dataset):
    """One epoch of augmented pictures: item `i` is image `(3, H, W)` and mask `(1, H, W)`, float32.

    Every item draws from a generator of its own, seeded by (seed, epoch, i): the order of reading, the number of
    workers and a resume in mid-epoch change nothing.
    """

    def __init__(self, arrays: LesionArrays, transform: v2.Transform, seed: int, epoch: int) -> None:
        self.arrays, self.transform, self.seed, self.epoch = arrays, transform, seed, epoch

    def __len__(self) -> int:
        return len(self.arrays)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        seed = int(np.random.SeedSequence([self.seed, self.epoch, index]).generate_state(1)[0])
        return augment_pair(self.transform, self.arrays.images[index], self.arrays.masks[index], seed)
