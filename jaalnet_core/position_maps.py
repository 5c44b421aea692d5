"""Where DA-Net's position attention looks from one pixel of a picture: the map, its counts, and words."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from jaalnet_core.attention import PositionAttention
from jaalnet_core.da_net import STRIDE, DANet, pair

Pixel = tuple[int, int]  # row, column
RING = 24  # pixels: how far around the lesion counts as near it; three positions


@dataclass(frozen=True, eq=False)
class PositionMaps:
    """The position attention of one pair, ready to be looked at from any pixel.

    Attributes:
        weights: `(N, N)` float32; row `i` holds the weights of position `i` over all positions and sums to 1.
        grid: rows and columns of positions, `N` in all; one position stands for 8x8 pixels.
        picture: `(H, W, 3)` uint8.
        mask: `(H, W)` float32 in 0..1, the mask that DA-Net was shown with it.
    """

    weights: np.ndarray
    grid: tuple[int, int]
    picture: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True, eq=False)
class Look:
    """What one position looks at.

    Attributes:
        position: its index in reading order.
        map: `(h, w)`, its weights; they sum to 1.
        difference: `(h, w)`, the map minus the average map of all positions; sums to 0.
        on_lesion: whether the pixel lies on the mask.
        lesion_weight: share of the weights inside the mask, 0..1.
        lesion_area: share of the picture inside the mask, 0..1.
        ring_weight, ring_area: the same for the skin within 24 pixels of the mask.
        half_on: smallest number of positions that hold half of the weights.
        moved: share of the weights that would have to move to turn the average map into this one, 0..1.
    """

    position: int
    map: np.ndarray
    difference: np.ndarray
    on_lesion: bool
    lesion_weight: float
    lesion_area: float
    ring_weight: float
    ring_area: float
    half_on: int
    moved: float


def position_maps(da_net: DANet, picture: np.ndarray, mask: np.ndarray) -> PositionMaps:
    """Show DA-Net one pair and keep the weights of its position attention.

    Args:
        picture: `(H, W, 3)` uint8, RGB.
        mask: `(H, W)`, an expert's of 0 and 1, or predicted probabilities.
    """
    image = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255
    shown = torch.from_numpy(np.ascontiguousarray(mask, dtype=np.float32))[None, None]
    kept: list[torch.Tensor] = []
    attention: PositionAttention = da_net.position_branch[-1]
    handle = attention.register_forward_pre_hook(lambda _module, inputs: kept.append(inputs[0].detach()))
    try:
        with torch.no_grad():
            da_net(pair(image, shown))
            weights = attention.attention_map(kept[0])[0]
    finally:
        handle.remove()
    return PositionMaps(weights.numpy(), tuple(kept[0].shape[-2:]), picture, shown[0, 0].numpy())


def position_of_pixel(pixel: Pixel, grid: tuple[int, int]) -> int:
    """The index, in reading order, of the position that a pixel (row, column) belongs to.

    Raises:
        ValueError: the pixel lies outside the picture.
    """
    row, column = (int(part) // STRIDE for part in pixel)
    if not (0 <= row < grid[0] and 0 <= column < grid[1]):
        raise ValueError(
            f"pixel: found row {pixel[0]}, column {pixel[1]}, expected 0 to {grid[0] * STRIDE - 1} "
            f"and 0 to {grid[1] * STRIDE - 1}."
        )
    return row * grid[1] + column


def look_from(maps: PositionMaps, pixel: Pixel) -> Look:
    """The map of the position under a pixel (row, column), and what can be counted on it."""
    position = position_of_pixel(pixel, maps.grid)
    row = maps.weights[position].astype(np.float64)
    difference = row - maps.weights.mean(axis=0, dtype=np.float64)
    lesion = maps.mask > 0.5
    ring = _ring(lesion)
    descending = np.sort(row)[::-1].cumsum()
    height, width = maps.mask.shape
    return Look(
        position=position,
        map=row.reshape(maps.grid),
        difference=difference.reshape(maps.grid),
        on_lesion=bool(lesion[min(pixel[0], height - 1), min(pixel[1], width - 1)]),
        lesion_weight=float((row * _share_of(lesion, maps.grid)).sum()),
        lesion_area=float(lesion.mean()),
        ring_weight=float((row * _share_of(ring, maps.grid)).sum()),
        ring_area=float(ring.mean()),
        half_on=int((descending < 0.5 * row.sum()).sum()) + 1,
        moved=float(np.abs(difference).sum() / 2),
    )


def in_words(look: Look) -> str:
    """What the map shows, for whoever cannot see it, and for whoever can."""
    place = "on the lesion" if look.on_lesion else "on the skin"
    return (
        f"From position {look.position}, {place}: the lesion gets {_percent(look.lesion_weight)} of the attention and "
        f"covers {_percent(look.lesion_area)} of the picture; the skin within {RING} pixels of it gets "
        f"{_percent(look.ring_weight)} and covers {_percent(look.ring_area)}. Half of the attention lies on "
        f"{look.half_on} of {look.map.size} positions; {_percent(look.moved)} of it would have to move to give the "
        "average map."
    )


def telling_pixels(mask: np.ndarray) -> tuple[Pixel, Pixel, Pixel]:
    """Three pixels worth a click: deepest inside the lesion, on its border, and farthest from it.

    Args:
        mask: `(H, W)`, above 0.5 is lesion; one that is empty or full is taken for its upper half.
    """
    lesion = np.asarray(mask) > 0.5
    if lesion.all() or not lesion.any():
        lesion = np.zeros_like(lesion)
        lesion[: len(lesion) // 2] = True
    # the frame counts as the other kind: neither the deepest nor the farthest pixel hides in a corner
    depth, distance = (
        cv2.distanceTransform(np.pad(kind.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
        for kind in (lesion, ~lesion)
    )
    inside, outside = (np.unravel_index(values.argmax(), values.shape) for values in (depth, distance))
    rows, columns = np.nonzero(lesion & (cv2.erode(lesion.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0))
    if not len(rows):
        rows, columns = np.nonzero(lesion)
    nearest = np.hypot(rows - outside[0], columns - outside[1]).argmin()
    return tuple((int(r), int(c)) for r, c in (inside, (rows[nearest], columns[nearest]), outside))


def _share_of(region: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """`(N,)`: how much of each position's 8x8 pixels lies inside a region `(H, W)`, 0..1."""
    rows, columns = (STRIDE * count for count in grid)
    height, width = region.shape
    padded = np.pad(region.astype(np.float64), ((0, rows - height), (0, columns - width)), mode="edge")
    return padded.reshape(grid[0], STRIDE, grid[1], STRIDE).mean(axis=(1, 3)).ravel()


def _ring(lesion: np.ndarray) -> np.ndarray:
    """The skin within `RING` pixels of the lesion."""
    if not lesion.any():
        return np.zeros_like(lesion)
    distance = cv2.distanceTransform((~lesion).astype(np.uint8), cv2.DIST_L2, 5)
    return (distance > 0) & (distance <= RING)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"
