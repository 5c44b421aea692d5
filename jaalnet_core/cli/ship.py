"""Turn a finished run into shipped weights: both networks, their scores from the very file, and a card.

jaalnet ship checkpoints/isbi2016-small-course-seed0 --name small-isbi2016

Scoring on ISBI2016's test pictures goes into the diary of test scorings first.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from jaalnet_core.scoring_log import TEST_SCORINGS, Scoring, log_scoring, today


@dataclass(frozen=True)
class Settings:
    """Settings of `jaalnet ship`."""

    run: Positional[Path]
    """The training run's folder."""
    name: str
    """Name of the weights' folder, such as small-isbi2016."""
    data: str | None = None
    """Data folder to score on, or `synthetic`. Left out: $JAALNET_DATA, else ./data, else the synthetic set."""
    notes: tuple[str, ...] = ()
    """Sentences for the card about the data, each in quotes."""
    out: Path = Path("checkpoints") / "shipped"
    """The folder that takes the weights' folder."""
    half: bool = False
    """Store float16: half the space, and scored as stored."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda` or `mps`."""
    test_log: Path = TEST_SCORINGS
    """The diary of test scorings."""


def run(settings: Settings) -> int:
    """Ship and say where it is."""
    from jaalnet_core.data.source import open_data
    from jaalnet_core.report import WEIGHTS_NAME, sha256
    from jaalnet_core.shipping import ship
    from jaalnet_core.training.folder import environment
    from jaalnet_core.weights import load_lf_net

    size = load_lf_net(settings.run / WEIGHTS_NAME).size
    data = open_data(settings.data, size, splits=("train", "test"))
    if data.name == "ISBI2016":
        command = f"jaalnet ship {settings.run.name} --name {settings.name}"
        revision = environment()["git_revision"] or ""
        pictures, purpose = f"{data.name} test, {len(data.test)}", f"the card of {settings.name}"
        digest = sha256(settings.run / WEIGHTS_NAME)
        log_scoring(Scoring(today(), command, revision, digest, pictures, purpose), settings.test_log)
    folder = ship(
        settings.run,
        data,
        settings.name,
        notes=settings.notes,
        out=settings.out,
        half=settings.half,
        device=settings.device,
    )
    print(f"Shipped: {folder}, with its card in README.md.")
    return 0
