"""The same augmentation for a whole batch at once, on the device where it is learnt from.

`augment.py` moves one picture after another on the CPU, by torchvision's transforms; these draw one number for all that
they are given. Here every picture of a batch has its own draws, and a batch takes a few operations on tensors. Each
operation is torchvision's of the same name, which the tests compare it with; pictures are not rounded to bytes between
them.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torchvision.transforms.v2.functional import rgb_to_grayscale

from jaalnet_core.choices import Augmentation
from jaalnet_core.data.augment import COURSE, Ranges

BatchAugmentation = Literal["none", "flips", "course"]
ON_DEVICE: tuple[str, ...] = get_args(BatchAugmentation)  # `strong` draws hair, and does so on the CPU
_COLOURS = ("brightness", "contrast", "saturation", "hue")


@dataclass(frozen=True)
class Draws:
    """What chance decided for `N` pictures; every tensor has `N` rows, so that a batch takes its own.

    Attributes:
        flip_x, flip_y: whether to mirror, bool `(N,)`.
        pose: `(N, 2, 3)`, where an output position looks into the input, both in -1..1; None moves nothing.
        colours: `(N, 4)`, factors of brightness, contrast and saturation, and the turn of the hue; None changes none.
        order: in which the four are applied, one order for all.
    """

    flip_x: Tensor
    flip_y: Tensor
    pose: Tensor | None = None
    colours: Tensor | None = None
    order: tuple[int, ...] = (0, 1, 2, 3)

    def take(self, rows: Tensor) -> Draws:
        """Those of the pictures `rows`, int64 `(B,)`."""
        return dataclasses.replace(self, **{name: value[rows] for name, value in self._tensors().items()})

    def to(self, device: torch.device) -> Draws:
        """The same on another device."""
        return dataclasses.replace(self, **{name: value.to(device) for name, value in self._tensors().items()})

    def _tensors(self) -> dict[str, Tensor]:
        values = {name: getattr(self, name) for name in ("flip_x", "flip_y", "pose", "colours")}
        return {name: value for name, value in values.items() if value is not None}


def draw(kind: Augmentation, count: int, size: tuple[int, int], seed: int, epoch: int) -> Draws | None:
    """The draws of one epoch for `count` pictures of `size` (height, width); None where nothing is to be changed.

    They hang on seed, epoch and a picture's number alone: batches, processes and a resume in mid-epoch change nothing,
    and every device gets the same.

    Raises:
        ValueError: a kind that is not made for batches.
    """
    if kind not in ON_DEVICE:
        raise ValueError(f"augmentation: found {kind!r}, expected one of {', '.join(ON_DEVICE)}.")
    if kind == "none":
        return None
    words = np.random.SeedSequence([seed, epoch]).generate_state(2, np.uint32)
    chance = torch.Generator().manual_seed(int(words[0]) << 32 | int(words[1]))
    flip_x, flip_y = torch.rand(2, count, generator=chance) < 0.5
    if kind == "flips":
        return Draws(flip_x, flip_y)
    pose, colours = _draw_pose(COURSE, count, size, chance), _draw_colours(COURSE, count, chance)
    return Draws(flip_x, flip_y, pose, colours, tuple(torch.randperm(len(_COLOURS), generator=chance).tolist()))


def augment_batch(images: Tensor, masks: Tensor, draws: Draws | None) -> tuple[Tensor, Tensor]:
    """Pictures with their masks, changed as `draws` say.

    Args:
        images: `(B, 3, H, W)` uint8. masks: `(B, 1, H, W)` uint8, 0 or 1.
        draws: of these pictures, on their device; None changes nothing.

    Returns:
        Images float32 in 0..1 and masks float32 of 0 or 1, of the same shapes.
    """
    images, masks = images.float() / 255, masks.float()
    if draws is None:
        return images, masks
    for flips, axis in ((draws.flip_x, -1), (draws.flip_y, -2)):
        flips = _per_picture(flips, images)
        images = torch.where(flips, images.flip(axis), images)
        masks = torch.where(flips, masks.flip(axis), masks)
    if draws.pose is not None:
        images, masks = move(images, masks, draws.pose)
    if draws.colours is not None:
        images = recolour(images, draws.colours, draws.order)
    return images, masks


def inverse_poses(angles: Tensor, shifts: Tensor, scales: Tensor, shears: Tensor, size: tuple[int, int]) -> Tensor:
    """Where each output position looks into the input, for pictures that are turned, zoomed, sheared and shifted.

    Args:
        angles: `(N,)` in degrees, clockwise. shifts: `(N, 2)` in pixels, x and y. scales: `(N,)`.
        shears: `(N, 2)` in degrees, along x and y. size: height and width of the pictures.

    Returns:
        `(N, 2, 3)`, for `torch.nn.functional.affine_grid`.
    """
    turn, (lean_x, lean_y) = torch.deg2rad(angles), torch.tan(torch.deg2rad(shears)).unbind(1)
    one, none = torch.ones_like(turn), torch.zeros_like(turn)
    rotation = _matrices(turn.cos(), -turn.sin(), turn.sin(), turn.cos())
    lean = _matrices(one, none, -lean_y, one) @ _matrices(one, -lean_x, none, one)
    back = torch.linalg.inv(scales[:, None, None] * rotation @ lean)
    half = torch.tensor([size[1] / 2, size[0] / 2], dtype=back.dtype)  # of pixels, to -1..1
    offset = -(back @ shifts[:, :, None]) / half[:, None]
    return torch.cat([back * half / half[:, None], offset], dim=2)


def move(images: Tensor, masks: Tensor, pose: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures between pixels, masks at the nearest; beyond the frame lies black, and no lesion."""
    grid = functional.affine_grid(pose.to(images.dtype), list(images.shape), align_corners=False)
    moved = functional.grid_sample(images, grid, mode="bilinear", align_corners=False)
    return moved, functional.grid_sample(masks, grid, mode="nearest", align_corners=False)


def recolour(images: Tensor, colours: Tensor, order: tuple[int, ...] = (0, 1, 2, 3)) -> Tensor:
    """Change brightness, contrast, saturation (by factors) and hue (by a turn), columns of `colours` `(B, 4)`.

    Args:
        images: `(B, 3, H, W)` float in 0..1; the result, too, is kept in 0..1.
    """
    for number in order:
        amount = _per_picture(colours[:, number], images)
        if _COLOURS[number] == "brightness":
            images = (images * amount).clamp(0, 1)
        elif _COLOURS[number] == "contrast":
            images = _blend(images, rgb_to_grayscale(images).mean(dim=(1, 2, 3), keepdim=True), amount)
        elif _COLOURS[number] == "saturation":
            images = _blend(images, rgb_to_grayscale(images), amount)
        else:
            images = turn_hue(images, amount)
    return images


def turn_hue(images: Tensor, turn: Tensor) -> Tensor:
    """Turn every colour of `(B, 3, H, W)` in 0..1 on the colour circle by `turn`, 1 a whole round."""
    value, least = images.amax(dim=1), images.amin(dim=1)
    chroma = value - least
    red, green, blue = images.unbind(1)
    nonzero = torch.where(chroma > 0, chroma, 1)  # a grey has no hue: any will do
    hue = torch.where(
        value == red,
        (green - blue) / nonzero,
        torch.where(value == green, 2 + (blue - red) / nonzero, 4 + (red - green) / nonzero),
    )
    hue = hue + 6 * turn.squeeze(1)
    # each channel keeps the value in a third of the circle, falls by the chroma, and stays below in another third
    channels = [(hue + start) % 6 for start in (5, 3, 1)]
    return torch.stack([value - chroma * torch.minimum(place, 4 - place).clamp(0, 1) for place in channels], dim=1)


def _draw_pose(ranges: Ranges, count: int, size: tuple[int, int], chance: torch.Generator) -> Tensor:
    def spread(low: float, high: float, *columns: int) -> Tensor:
        return low + (high - low) * torch.rand(count, *columns, generator=chance, dtype=torch.float64)

    reach = ranges.shift * torch.tensor([size[1], size[0]])
    angles, shifts, scales = spread(-180, 180), spread(-1, 1, 2) * reach, spread(*ranges.scale)
    pose = inverse_poses(angles, shifts, scales, spread(-ranges.shear, ranges.shear, 2), size)
    moved = torch.rand(count, generator=chance) < ranges.share
    return torch.where(_per_picture(moved, pose), pose, torch.eye(2, 3, dtype=pose.dtype)).float()


def _draw_colours(ranges: Ranges, count: int, chance: torch.Generator) -> Tensor:
    reach = torch.tensor([getattr(ranges, name) for name in _COLOURS])
    still = torch.tensor([1.0, 1.0, 1.0, 0.0])
    drawn = still + reach * (2 * torch.rand(count, len(_COLOURS), generator=chance) - 1)
    return torch.where(_per_picture(torch.rand(count, generator=chance) < ranges.share, drawn), drawn, still)


def _matrices(*entries: Tensor) -> Tensor:
    return torch.stack(entries, dim=-1).unflatten(-1, (2, 2))


def _blend(images: Tensor, others: Tensor, amount: Tensor) -> Tensor:
    return (amount * images + (1 - amount) * others).clamp(0, 1)


def _per_picture(values: Tensor, like: Tensor) -> Tensor:
    """`(B,)` as one value for each picture of `like` `(B, ...)`."""
    return values.reshape(-1, *[1] * (like.ndim - 1))
