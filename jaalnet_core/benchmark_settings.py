"""What `jaalnet benchmark` measures, and how; without torch, so that the command line explains itself at once."""

from __future__ import annotations

from dataclasses import dataclass

from jaalnet_core.choices import Preset, RecipeName
from jaalnet_core.errors import SettingsError
from jaalnet_core.size import Size

SUBJECTS = ("lfnet", "danet", "step", "baseline")


@dataclass(frozen=True)
class BenchmarkSettings:
    """Settings of `jaalnet benchmark`."""

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
    """`auto`, `cpu`, `cuda` or `mps`."""

    def __post_init__(self) -> None:
        for name in ("batch_size", "rounds"):
            if getattr(self, name) < 1:
                raise SettingsError(f"--{name.replace('_', '-')}: found {getattr(self, name)}, expected at least 1.")
