"""Small lesions on which a tiny network learns in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest
from dark_discs import dark_discs

from jaalnet_core.data.source import LesionData
from jaalnet_core.size import Size
from jaalnet_core.training import TrainSettings


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
