"""Photographs made worse on purpose, to see what a network still makes of them."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np

from jaalnet_core.data.synthetic.artefacts import draw_hairs
from jaalnet_core.size import Size

MOST_HAIRS = 500


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


def compress(picture: np.ndarray, quality: int) -> np.ndarray:
    """Store as JPEG and read again.

    Args:
        picture: `(H, W, 3)` uint8, RGB.
        quality: 1 to 100, as in libjpeg; even 100 changes a little.
    """
    if not 1 <= quality <= 100:
        raise ValueError(f"quality: found {quality}, expected 1 to 100.")
    bgr = np.ascontiguousarray(picture[..., ::-1])
    _, file = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    return np.ascontiguousarray(cv2.imdecode(file, cv2.IMREAD_COLOR)[..., ::-1])


def grow_hair(picture: np.ndarray, hairs: int, id: str) -> np.ndarray:
    """Draw hairs over a photograph, as the synthetic set draws its own; the picture's id decides where and which.

    More hairs are the same ones and further ones, in the same colour.

    Args:
        picture: `(H, W, 3)` uint8, RGB.
        hairs: their number, 0 to 500; 0 changes nothing.
        id: of the picture, such as `ISIC_0000000`.
    """
    if not 0 <= hairs <= MOST_HAIRS:
        raise ValueError(f"hairs: found {hairs}, expected 0 to {MOST_HAIRS}.")
    if hairs == 0:
        return picture.copy()
    seed = list(hashlib.sha256(id.encode("utf-8", "surrogatepass")).digest())
    scene = np.ascontiguousarray(picture.transpose(2, 0, 1), dtype=np.float32) / 255
    place, paint = np.random.default_rng([*seed, 0]), np.random.default_rng([*seed, 1])
    draw_hairs(place, scene, Size(*picture.shape[:2]), int(hairs), paint)
    return (scene.transpose(1, 2, 0) * 255).clip(0, 255).round().astype(np.uint8)


def turn(values: np.ndarray, degrees: float) -> np.ndarray:
    """Turn about the middle, anticlockwise, at the same size; what was beyond the frame is its mirror image.

    Args:
        values: `(H, W, 3)` uint8 or `(H, W)` float32, interpolated bilinearly.
        degrees: 0 changes nothing.
    """
    return cv2.warpAffine(values, *_turning(values, degrees), borderMode=cv2.BORDER_REFLECT)


def in_view(size: Size, degrees: float) -> np.ndarray:
    """Which pixels of a picture that was turned are photograph, not its mirror image: `(H, W)` bool."""
    ones = np.ones(size, np.float32)
    return cv2.warpAffine(ones, *_turning(ones, degrees), borderMode=cv2.BORDER_CONSTANT, borderValue=0) > 0.99


def _turning(values: np.ndarray, degrees: float) -> tuple[np.ndarray, tuple[int, int]]:
    height, width = values.shape[:2]
    return cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1), (width, height)
