"""What may make a lesion hard to outline, measured from picture and mask: size, border, contrast, fine dark structures.

Simple measures, so that a failure can be put into words and scores can be compared by them. They are no labels: at a
network's size hair, a ruler's ticks and a pattern of the skin are alike, and are called fine structures here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

_RING = 0.1  # width of the skin looked at around a lesion, as a share of the shorter side
_FINE = 0.07  # a structure narrower than this share of the shorter side is fine
_LONG = 0.12  # and a dot unless it is longer than this share
_DEPTH = 18  # grey levels that it is darker than what lies beside it
_MUCH = 0.02  # share of the skin under fine dark structures from which on they are worth a word
_CORNER = 0.06  # side of a corner, as a share of the frame's
_DARK = 60  # grey level below which a corner is dark


@dataclass(frozen=True)
class Traits:
    """What picture and mask show.

    Attributes:
        share: of the frame that is lesion, 0 to 1.
        touches_border: whether the lesion reaches the frame's edge.
        contrast: distance of the lesion's median colour from that of the skin around it, in CIELAB units (CIE 1976;
            about 2 can just be seen); NaN where there is no lesion or no skin around it.
        fine: share of the skin under fine dark structures (hair, ruler, pattern of the skin), 0 to 1.
        dark_corners: how many of the frame's four corners are nearly black, as under a dermoscope's round view.
    """

    share: float
    touches_border: bool
    contrast: float
    fine: float
    dark_corners: int

    @property
    def has_fine_structures(self) -> bool:
        """Whether hair, a ruler or a pattern of the skin takes enough room to be worth a word."""
        return self.fine > _MUCH


def traits(picture: np.ndarray, mask: np.ndarray) -> Traits:
    """Measure one picture.

    Args:
        picture: `(H, W, 3)` uint8, RGB.
        mask: `(H, W)` uint8, 1 = lesion.

    Raises:
        ValueError: the two differ in size.
    """
    if picture.shape[:2] != mask.shape:
        raise ValueError(f"picture {picture.shape[:2]} and mask {mask.shape}: expected the same size.")
    mask = np.ascontiguousarray(mask, dtype=np.uint8)
    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return Traits(
        share=float(mask.mean()),
        touches_border=bool(edge.any()),
        contrast=_contrast(picture, grey, mask),
        fine=_fine(grey, mask),
        dark_corners=_dark_corners(grey),
    )


def _contrast(picture: np.ndarray, grey: np.ndarray, mask: np.ndarray) -> float:
    near, far = (_grown(mask, share) for share in (0.02, 0.02 + _RING))
    skin = (far > near) & (grey >= _DARK)  # the dermoscope's black is no skin
    lesion = mask > 0
    if not skin.any() or not lesion.any():
        return math.nan
    colours = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return float(np.linalg.norm(np.median(colours[lesion], axis=0) - np.median(colours[skin], axis=0)))


def _fine(grey: np.ndarray, mask: np.ndarray) -> float:
    """Dark and thin in at least one direction (what a closing along it fills), and long together."""
    length = max(3, round(_FINE * min(grey.shape))) | 1
    filled = np.max([cv2.morphologyEx(grey, cv2.MORPH_CLOSE, kernel) for kernel in _segments(length)], axis=0)
    broad = cv2.morphologyEx((grey < _DARK).astype(np.uint8), cv2.MORPH_OPEN, np.ones((length, length), np.uint8))
    skin = (_grown(mask, 0.02) == 0) & (_grown(broad, _FINE) == 0)  # neither lesion nor the rim of a dark corner
    thin = ((filled.astype(int) - grey > _DEPTH) & skin).astype(np.uint8)
    count, labels, found, _ = cv2.connectedComponentsWithStats(thin, connectivity=8)
    extent = np.hypot(found[:, cv2.CC_STAT_WIDTH], found[:, cv2.CC_STAT_HEIGHT])
    long = [label for label in range(1, count) if extent[label] > _LONG * min(grey.shape)]
    return float(np.isin(labels, long).sum() / max(1, skin.sum()))


def _segments(length: int) -> list[np.ndarray]:
    """Straight lines through a square kernel: across, down, and both diagonals."""
    across = np.zeros((length, length), np.uint8)
    across[length // 2] = 1
    slant = np.eye(length, dtype=np.uint8)
    return [across, across.T.copy(), slant, slant[::-1].copy()]


def _dark_corners(grey: np.ndarray) -> int:
    height, width = (max(1, round(_CORNER * side)) for side in grey.shape)
    corners = (grey[:height, :width], grey[:height, -width:], grey[-height:, :width], grey[-height:, -width:])
    return sum(float(np.median(corner)) < _DARK for corner in corners)


def _grown(mask: np.ndarray, share: float) -> np.ndarray:
    radius = max(1, round(share * min(mask.shape)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(mask, disc)
