"""Random fields drawn on a coarse lattice and stretched: cheap, and alike at every picture size."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from jaalnet_core.size import Size

FRAME_ASPECT = 4 / 3  # dermoscopes photograph 4:3; a network's square input squashes that frame


def stream(seed: int, index: int, part: int) -> np.random.Generator:
    """The random numbers of one part (skin, lesion, …) of one picture, independent of every other part."""
    return np.random.default_rng((seed, index, part))


@lru_cache(maxsize=8)
def plane(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """x and y of every pixel, `(H, W)` float32; unit: the photograph's height; 0 at its centre."""
    x = ((np.arange(size.width, dtype=np.float32) + 0.5) / size.width - 0.5) * FRAME_ASPECT
    y = (np.arange(size.height, dtype=np.float32) + 0.5) / size.height - 0.5
    grids = np.meshgrid(x, y)
    for grid in grids:
        grid.flags.writeable = False
    return grids[0], grids[1]


def smooth_noise(rng: np.random.Generator, size: Size, cells: float) -> np.ndarray:
    """Noise with about `cells` bumps over the frame's height: `(H, W)` float32, mean 0, deviation about 1."""
    rows = max(2, round(cells) + 1)
    columns = max(2, round(cells * FRAME_ASPECT) + 1)
    lattice = rng.standard_normal((rows, columns), dtype=np.float32)
    shrink = rows > size.height or columns > size.width
    field = cv2.resize(lattice, (size.width, size.height), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_CUBIC)
    return field * np.float32(1.0 if shrink else 1.25)  # interpolation between lattice points takes a fifth


def fractal_noise(
    rng: np.random.Generator, size: Size, cells: float, octaves: int = 3, gain: float = 0.55
) -> np.ndarray:
    """Noise of several scales, each twice as fine and `gain` times as strong: `(H, W)`, deviation about 1."""
    rows = max(2, round(cells) + 1)
    columns = max(2, round(cells * FRAME_ASPECT) + 1)
    field = rng.standard_normal((rows, columns), dtype=np.float32)
    power = 1.0
    for octave in range(1, octaves):
        rows, columns = rows * 2, columns * 2
        field = cv2.resize(field, (columns, rows), interpolation=cv2.INTER_CUBIC)
        field += np.float32(gain**octave) * rng.standard_normal((rows, columns), dtype=np.float32)
        power += gain ** (2 * octave)
    shrink = rows > size.height or columns > size.width
    field = cv2.resize(field, (size.width, size.height), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_CUBIC)
    return field * np.float32(1.3 / power**0.5)


def oriented_noise(rng: np.random.Generator, size: Size, cells: tuple[float, float], angle: float) -> np.ndarray:
    """Streaks: `cells` bumps a frame height along and across the direction `angle` (radians). `(H, W)`."""
    lattice = rng.standard_normal((64, 64), dtype=np.float32)
    shift = rng.uniform(0, 64, size=2)
    pixel_x, pixel_y = FRAME_ASPECT / size.width, 1 / size.height
    cosine, sine = np.cos(angle), np.sin(angle)
    pixel_to_lattice = np.array(
        [
            [cosine * pixel_x * cells[0], sine * pixel_y * cells[0], shift[0]],
            [-sine * pixel_x * cells[1], cosine * pixel_y * cells[1], shift[1]],
        ]
    )
    return cv2.warpAffine(
        lattice,
        pixel_to_lattice,
        (size.width, size.height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_WRAP,
    ) * np.float32(1.5)


def ridges(field: np.ndarray, width: float) -> np.ndarray:
    """Thin lines where a field crosses zero, as in vessels and pigment networks: 1 on the line, 0 off it."""
    line = 1 - np.abs(field) / np.float32(width)
    return np.maximum(line, 0, out=line)


def smooth_step(values: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, and a soft S between."""
    clipped = np.clip(values, 0, 1)
    return clipped * clipped * (3 - 2 * clipped)
