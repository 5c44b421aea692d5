"""Results of runs that never took place, and pictures on which real ones take seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from jaalnet_core.ablation.record import RunFile
from jaalnet_core.data.source import LesionData
from jaalnet_core.data.synthetic import make_arrays
from jaalnet_core.evaluation import Evaluation
from jaalnet_core.size import Size

SIDE = 32


def counts_of(dice: list[float]) -> torch.Tensor:
    """`(N, 4)` tables of 10,000 lesion pixels each whose Dice is `dice`: as many missed as marked in vain."""
    rows = []
    for value in dice:
        hit = round(10_000 * value)
        rows.append([hit, 10_000 - hit, 10_000 - hit, 20_000 + hit])
    return torch.tensor(rows)


def a_run(variant: str = "course", seed: int = 0, dice: list[float] | None = None, **changes: object) -> RunFile:
    dice = dice or [0.8, 0.9, 0.7]
    values = {
        "variant": variant,
        "says": f"what {variant} changes",
        "seed": seed,
        "settings": {"preset": "tiny", "size": "64x64", "epochs": 5, "batch_size": 16, "limit": 40, "seed": seed},
        "data": {"name": "discs", "sha256": "ab" * 32, "learnt_from": 40, "validation": len(dice)},
        "command": f"jaalnet ablate --variants {variant} --seeds {seed} --epochs 5",
        "environment": {"git_revision": "0123456789ab"},
        "weights_sha256": "cd" * 32,
        "seconds": 12.0,
        "curve": (0.4, 0.6, 0.8),
        "evaluations": {
            "validation": Evaluation(
                tuple(f"l{i}" for i in range(len(dice))), counts_of(dice), Size(200, 200), resamples=20
            )
        },
    }
    return RunFile(**values | changes)


@pytest.fixture
def make_run() -> Callable[..., RunFile]:
    return a_run


@pytest.fixture(scope="session")
def lesions() -> LesionData:
    """8 synthetic pictures to learn from, 4 to validate on, 3 to test on."""
    split = {
        name: make_arrays(count, Size(SIDE, SIDE), first=first, progress=False)
        for name, count, first in (("train", 8, 0), ("validation", 4, 100), ("test", 3, 200))
    }
    return LesionData(name="synthetic", root=Path("synthetic"), **split, test_samples=(), notes=())
