"""Rebuild a run's report: metric table in every averaging, training curves, and a contact sheet of outlines.

The run's best weights are scored if the report does not hold their scores already. The report lies in
reports/<run>/, which git ignores: a contact sheet of real photographs does not belong into a repository.

    jaalnet report checkpoints/isbi2016-small-course-seed0
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tyro.conf import Positional

REPORTS = Path("reports")


@dataclass(frozen=True)
class Settings:
    """Settings of `jaalnet report`."""

    run: Positional[Path]
    """The training run's folder, such as checkpoints/<run>."""
    data: str | None = None
    """Data folder, or `synthetic`. Left out: the data of the training."""
    out: Path | None = None
    """The report's folder. Left out: reports/<run>."""
    split: Literal["test", "validation"] = "test"
    """Which pictures to score and show."""
    score_at: Literal["both", "network", "mask"] = "both"
    """Count pixels at the network's size, at the masks' own size, or both, one table each."""
    flips: bool = False
    """Average over each picture and its three mirror images."""
    recompute: bool = False
    """Score again, even if the report holds scores of these weights on these pictures."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda` or `mps`."""


def run(settings: Settings) -> int:
    """Score what is missing, write the report, and say where it is."""
    from jaalnet_core.data.source import open_data
    from jaalnet_core.report import PAGE_NAME, WEIGHTS_NAME, read_run, stored_evaluations, write_report
    from jaalnet_core.scoring import places, score
    from jaalnet_core.weights import load_lf_net

    record = read_run(settings.run)
    out = settings.out or REPORTS / record.name
    loaded = load_lf_net(settings.run / WEIGHTS_NAME)
    data = open_data(settings.data or record.settings.data, loaded.size, splits=(settings.split,))
    for note in data.notes:
        print(note)
    ids = getattr(data, settings.split).ids
    stored = {} if settings.recompute else stored_evaluations(settings.run, out, ids)
    evaluations: dict[str, dict[str, Any]] = {}
    for name, place in places(settings.split).items():
        if settings.score_at not in ("both", place):
            continue
        known = stored.get(name)
        if known is None or known.get("flips") != settings.flips:
            known = score(
                loaded, data, settings.split, score_at=place, flips=settings.flips, device=settings.device
            ).to_json()
        evaluations[name] = known
    write_report(settings.run, evaluations, data, out, device=settings.device)
    print(f"report: {out / PAGE_NAME}")
    return 0
