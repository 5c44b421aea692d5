"""Small lesions on which a tiny network learns in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.source import LesionData
from jaalnet_core.size import Size
from jaalnet_core.training import TrainSettings


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


@pytest.fixture(scope="session")
def discs() -> LesionData:
    """10 pictures to train on, 4 to validate on."""
    return LesionData(
        name="discs",
        root=Path("discs"),
        train=dark_discs(10),
        validation=dark_discs(4, seed=1),
        test=dark_discs(4, seed=2),
        test_samples=(),
        notes=("Discs drawn for the tests.",),
    )


@pytest.fixture
def quick(tmp_path: Path) -> TrainSettings:
    """A run of seconds: 3 steps an epoch."""
    return TrainSettings(
        preset="tiny",
        epochs=3,
        batch_size=4,
        checkpoint_every=1,
        size=Size(32, 32),
        out=tmp_path / "run",
        device="cpu",
        learning_rate=1e-3,
        peak_factor=1.0,
    )
