"""Turn a finished run into shipped weights: both networks, their scores from the very file, and a card.

    jaalnet ship checkpoints/isbi2016-small-course-seed0 --name small-isbi2016
    jaalnet ship --refresh small-isbi2016

The second measures anew what a card says beyond scores (by diagnosis, failures in words), and leaves the scores alone;
what needs no pictures is `jaalnet report`. Scoring on ISBI2016's test pictures goes into the diary of test scorings
first.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from jaalnet_core.errors import SettingsError
from jaalnet_core.scoring_log import TEST_SCORINGS, Scoring, log_scoring, today

if TYPE_CHECKING:
    from jaalnet_core.data.source import LesionData


@dataclass(frozen=True)
class Settings:
    """Settings of `jaalnet ship`."""

    run: Positional[Path | None] = None
    """The training run's folder."""
    name: str | None = None
    """Name of the weights' folder, such as small-isbi2016."""
    refresh: str | None = None
    """Instead of a run: the name of shipped weights whose card is to be measured and written anew."""
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
    """Ship, or refresh a card, and say where it is."""
    from jaalnet_core.cards import LF_NET
    from jaalnet_core.data.source import open_data
    from jaalnet_core.report import WEIGHTS_NAME
    from jaalnet_core.shipping import look_closer, ship
    from jaalnet_core.weights import load_lf_net

    if settings.refresh is not None:
        if settings.run is not None or settings.name is not None or settings.notes or settings.half:
            raise SettingsError(
                "--refresh: expected no run, --name, --notes or --half beside it; ship a run for those."
            )
        folder = settings.out / settings.refresh
        data = open_data(settings.data, load_lf_net(folder / LF_NET).size, splits=("test",))
        command = f"jaalnet ship --refresh {settings.refresh}"
        _log(settings, data, folder / LF_NET, command, f"the card of {settings.refresh}: failures in words")
        look_closer(folder, data, device=settings.device)
        print(f"Refreshed: {folder / 'README.md'}.")
        return 0
    if settings.run is None or settings.name is None:
        raise SettingsError("ship: expected a run's folder with --name, or --refresh NAME.")
    weights = settings.run / WEIGHTS_NAME
    data = open_data(settings.data, load_lf_net(weights).size, splits=("train", "test"))
    command = f"jaalnet ship {settings.run.name} --name {settings.name}"
    _log(settings, data, weights, command, f"the card of {settings.name}")
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


def _log(settings: Settings, data: LesionData, weights: Path, command: str, purpose: str) -> None:
    """Enter the scoring in the diary, where the official test pictures are going to be looked at."""
    from jaalnet_core.report import sha256
    from jaalnet_core.training.folder import environment

    if data.name == "ISBI2016":
        revision = environment()["git_revision"] or ""
        pictures = f"{data.name} test, {len(data.test)}"
        log_scoring(Scoring(today(), command, revision, sha256(weights), pictures, purpose), settings.test_log)
