"""Small lesions on which a tiny network learns in seconds."""

from __future__ import annotations

import numpy as np

from jaalnet_core.data.arrays import LesionArrays


def dark_discs(count: int, side: int = 32, seed: int = 0) -> LesionArrays:
    """`count` pictures of a dark disc on light, noisy skin."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side]
    centres = random.uniform(0.35 * side, 0.65 * side, (count, 2))
    radii = random.uniform(0.15 * side, 0.35 * side, count)
    masks = np.stack(
        [(rows - y) ** 2 + (columns - x) ** 2 <= r**2 for (y, x), r in zip(centres, radii, strict=True)]
    ).astype(np.uint8)
    images = np.array([220, 180, 160]) - 110 * masks[..., None] + random.normal(0, 8, (count, side, side, 3))
    ids = tuple(f"disc_{seed}_{i:03d}" for i in range(count))
    return LesionArrays(ids, images.clip(0, 255).astype(np.uint8), masks)
