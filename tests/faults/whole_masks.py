"""Masks as people and programs save them, and what each of them means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from odd_files import OddFile
from PIL import Image
from whole_pictures import exif, saved, stored


def outline(rng: np.random.Generator) -> np.ndarray:
    """`(H, W)` uint8 of 0 and 1: an ellipse somewhere in a frame of 20 to 64 pixels a side, never the whole of it."""
    height, width = (int(side) for side in rng.integers(20, 65, 2))
    mask = np.zeros((height, width), np.uint8)
    middle = int(rng.integers(width // 3, width - width // 3)), int(rng.integers(height // 3, height - height // 3))
    axes = int(rng.integers(3, width // 3)), int(rng.integers(3, height // 3))
    return cv2.ellipse(mask, middle, axes, float(rng.integers(0, 180)), 0, 360, 1, -1)


def whole_mask(rng: np.random.Generator, kind: str) -> OddFile:
    return KINDS[kind](kind, rng)


def _of(values: Callable[[np.ndarray], Any], suffix: str, name: str, **options: Any) -> Callable[..., OddFile]:
    """A file made from the mask by `values`, which must be read as that mask."""

    def make(kind: str, rng: np.random.Generator) -> OddFile:
        mask = outline(rng)
        return OddFile(kind, suffix, saved(values(mask), name, **options), "read", mask)

    return make


def _bytes(mask: np.ndarray) -> np.ndarray:
    return mask * np.uint8(255)


def _jpeg(kind: str, rng: np.random.Generator) -> OddFile:
    content = saved(_bytes(outline(rng)), "JPEG", quality=80)
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    return OddFile(kind, ".jpg", content, "read", (decoded > 127).astype(np.uint8), 0.01)


def _soft(kind: str, rng: np.random.Generator) -> OddFile:
    soft = cv2.GaussianBlur(_bytes(outline(rng)), (0, 0), 2)
    soft[0, 0] = 255  # at its brightest somewhere, as a soft mask is
    return OddFile(kind, ".png", saved(soft, "PNG"), "read", (soft > 127).astype(np.uint8))


def _three_valued(kind: str, rng: np.random.Generator) -> OddFile:
    inner = outline(rng)
    values = _bytes(inner)
    values[: len(values) // 2][inner[: len(values) // 2] > 0] = int(rng.integers(1, 255))
    return OddFile(kind, ".png", saved(values, "PNG"), "read", (values > 127).astype(np.uint8))


def _inverted(kind: str, rng: np.random.Generator) -> OddFile:
    mask = 1 - outline(rng)
    return OddFile(kind, ".png", saved(_bytes(mask), "PNG"), "read", mask)


def _plain(value: int, meaning: int) -> Callable[..., OddFile]:
    def make(kind: str, rng: np.random.Generator) -> OddFile:
        mask = outline(rng)
        return OddFile(kind, ".png", saved(np.full_like(mask, value), "PNG"), "read", np.full_like(mask, meaning))

    return make


def _dim(kind: str, rng: np.random.Generator) -> OddFile:
    """Nothing above 127 and something above 1: nobody can know what is lesion."""
    return OddFile(kind, ".png", saved(outline(rng) * np.uint8(rng.integers(2, 128)), "PNG"), "refused")


def _turned(kind: str, rng: np.random.Generator) -> OddFile:
    mask = outline(rng)
    orientation = int(rng.integers(1, 9))
    content = saved(stored(_bytes(mask), orientation), "PNG", exif=exif(orientation))
    return OddFile(kind, ".png", content, "read", mask)


def _holes(mask: np.ndarray) -> np.ndarray:
    """Fractions with NaN where nothing was drawn."""
    return np.where(mask > 0, np.float32(1), np.float32(np.nan))


def _palette(mask: np.ndarray) -> Image.Image:
    """Label 1 is painted white, or red, as annotation programs do."""
    image = Image.fromarray(mask, "P")
    image.putpalette([0, 0, 0, 255, 0, 0])
    return image


def _on_clear(mask: np.ndarray) -> np.ndarray:
    return np.dstack([np.full((*mask.shape, 3), 255, np.uint8), _bytes(mask)])


def _in_one_channel(mask: np.ndarray) -> np.ndarray:
    return np.dstack([_bytes(mask), mask * 0, mask * 0])


KINDS: dict[str, Callable[[str, np.random.Generator], OddFile]] = {
    "0 and 255": _of(_bytes, ".png", "PNG"),
    "0 and 1": _of(lambda mask: mask, ".png", "PNG"),
    "1 bit": _of(lambda mask: mask.astype(bool), ".png", "PNG"),
    "1 bit, TIFF": _of(lambda mask: mask.astype(bool), ".tif", "TIFF"),
    "BMP": _of(_bytes, ".bmp", "BMP"),
    "16 bits": _of(lambda mask: mask.astype(np.uint16) * np.uint16(65535), ".png", "PNG"),
    "16 bits, 0 and 1": _of(lambda mask: mask.astype(np.uint16), ".tif", "TIFF"),
    "32 bits": _of(lambda mask: mask.astype(np.int32) * 2_000_000_000, ".tif", "TIFF"),
    "fractions": _of(lambda mask: mask.astype(np.float32), ".tif", "TIFF"),
    "NaN where it is empty": _of(_holes, ".tif", "TIFF"),
    "colour": _of(lambda mask: np.dstack([_bytes(mask)] * 3), ".png", "PNG"),
    "pure red": _of(_in_one_channel, ".png", "PNG"),
    "palette": _of(_palette, ".png", "PNG"),
    "drawn in the alpha channel": _of(_on_clear, ".png", "PNG"),
    "several pages": _of(_bytes, ".tif", "TIFF", save_all=True, append_images=[Image.new("L", (30, 30), 255)]),
    "JPEG": _jpeg,
    "soft": _soft,
    "three-valued": _three_valued,
    "inverted": _inverted,
    "empty": _plain(0, 0),
    "full": _plain(255, 1),
    "dim": _dim,
    "turned by EXIF": _turned,
}
