"""What `jaalnet reproduce` is asked for; without torch, so that the command line explains itself at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jaalnet_core.profile import ProfileName


@dataclass(frozen=True)
class ReproduceSettings:
    """Settings of `jaalnet reproduce`."""

    profile: ProfileName | None = None
    """`fast` or `full`. Left out: $JAALNET_PROFILE, else fast."""
    data: str | None = None
    """Data folder, or `synthetic`. Left out: $JAALNET_DATA, else data/, else the synthetic set."""
    seed: int = 0
    """Start of every random number of the training."""
    runs: Path = Path("checkpoints")
    """Folder that takes the run's folder."""
    reports: Path = Path("reports")
    """Folder that takes the report's folder."""
    device: str = "auto"
    """`auto` (a GPU where there is one), `cpu`, `cuda`, ..."""
