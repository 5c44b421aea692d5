"""Photographs made worse on purpose, to see what a network still makes of them."""

from __future__ import annotations

import cv2
import numpy as np


def brighten(picture: np.ndarray, factor: float) -> np.ndarray:
    """Multiply every colour by `factor` and stop at black and white, as an over- or underexposed photograph does.

    Args:
        picture: `(H, W, 3)` uint8.
        factor: 1 changes nothing, 0.5 halves, 2 doubles; 0 or more.
    """
    if factor < 0:
        raise ValueError(f"factor: found {factor}, expected 0 or more.")
    return np.clip(picture * np.float32(factor), 0, 255).round().astype(np.uint8)


def blur(picture: np.ndarray, radius: float) -> np.ndarray:
    """Blur as a lens out of focus does, by a Gaussian.

    Args:
        picture: `(H, W, 3)` uint8.
        radius: the Gaussian's standard deviation in percent of the shorter side; 0 changes nothing.
    """
    if radius < 0:
        raise ValueError(f"radius: found {radius}, expected 0 or more.")
    sigma = radius / 100 * min(picture.shape[:2])
    return cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE) if sigma > 0 else picture.copy()


def warm(picture: np.ndarray, shift: float) -> np.ndarray:
    """Shift the colours towards red (above 0) or blue (below 0), as another lamp or white balance does.

    Args:
        picture: `(H, W, 3)` uint8, RGB.
        shift: -1 to 1; red is multiplied by `1 + shift / 2`, blue by `1 - shift / 2`.
    """
    if not -1 <= shift <= 1:
        raise ValueError(f"shift: found {shift}, expected -1 to 1.")
    gains = np.array([1 + shift / 2, 1.0, 1 - shift / 2], np.float32)
    return np.clip(picture * gains, 0, 255).round().astype(np.uint8)
