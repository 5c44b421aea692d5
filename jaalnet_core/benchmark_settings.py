"""What `jaalnet benchmark` measures, and how; without torch, so that the command line explains itself at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jaalnet_core.choices import Preset, RecipeName
from jaalnet_core.errors import SettingsError
from jaalnet_core.size import Size

SUBJECTS = ("lfnet", "danet", "step", "baseline", "authors")
Measured = Literal[
    "training", "inference", "attention", "step", "epoch", "layers", "folder", "changes", "scores", "beside"
]


@dataclass(frozen=True)
class BenchmarkSettings:
    """Settings of `jaalnet benchmark`."""

    of: Measured = "training"
    """`training`: the networks and the adversarial step; `inference`: one picture on one core, by every runtime;
    `attention`: time and memory against positions; `step`: time of each part of a training step; `epoch`: whole
    epochs of a training; `layers`: arithmetic, bytes and time of each part of LF-Net; `folder`: a folder of photographs
    outlined; `changes`: each change that was made for speed, undone and done; `scores`: whether those that round
    differently change a training's score; `beside`: a training step beside other programs."""
    preset: Preset = "small"
    """Width of both networks."""
    recipe: RecipeName = "course"
    """Whose adversarial step to measure."""
    size: Size = Size(128, 128)
    """Picture size: N, or WxH."""
    batch_size: int = 16
    """Pictures a step."""
    rounds: int = 5
    """Timed rounds, after one that warms up."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda` or `mps`; only `training`, `step` and `epoch` are measured elsewhere than on the
    CPU."""
    authors: bool = False
    """Training: beside it a stand-in for the authors' networks (at batch 16 some 8 GB and minutes)."""
    pictures: int = 1000
    """Folder: so many photographs; scores: learn from so many."""
    epochs: int = 20
    """Scores: of each training; epoch: so many in one training."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Scores: a pair of trainings for each."""
    compile: bool = False
    """Epoch: both networks compiled first."""

    def __post_init__(self) -> None:
        if not self.seeds or min(self.seeds) < 0:
            raise SettingsError(f"--seeds: found {self.seeds}, expected at least one, each 0 or more.")
        for name in ("batch_size", "rounds", "pictures", "epochs"):
            if getattr(self, name) < 1:
                raise SettingsError(f"--{name.replace('_', '-')}: found {getattr(self, name)}, expected at least 1.")
