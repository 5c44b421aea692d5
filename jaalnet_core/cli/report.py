"""Rebuild tables and figures: a run's, or, without a run, everything that the project publishes.

    jaalnet report checkpoints/isbi2016-small-course-seed0
    jaalnet report
    jaalnet report --check

Of a run: metric table in every averaging, training curves, and a contact sheet of outlines. Its best weights are scored
if the report does not hold their scores already. That report lies in reports/<run>/, which git ignores: a contact sheet
of real photographs does not belong into a repository.

Without a run: the README's results, the cards of the shipped weights, the comparisons' pages, the table of trials and
their figures, from the files in checkpoints/shipped and reports/published. With --check nothing is written, and files
that would change are named and are a failure.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tyro.conf import Positional

from jaalnet_core.errors import SettingsError

REPORTS = Path("reports")


@dataclass(frozen=True)
class Settings:
    """Settings of `jaalnet report`."""

    run: Positional[Path | None] = None
    """The training run's folder, such as checkpoints/<run>. Left out: everything published."""
    check: bool = False
    """Without a run: write nothing, and fail where a file would change."""
    root: Path = Path()
    """Without a run: the project's folder."""
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
    """Write the run's report and say where it is; or rebuild what is published and say what changed."""
    if settings.run is not None:
        if settings.check:
            raise SettingsError("--check: found a run beside it, expected none: it is about everything published.")
        return _report(settings, settings.run)
    from jaalnet_core.rebuilding import rebuild

    changed = rebuild(settings.root, check=settings.check)
    for path in changed:
        print(f"{'outdated' if settings.check else 'rewritten'}: {path.as_posix()}")
    if not changed:
        print("Every published table and figure says what its files say.")
    elif settings.check:
        print("`jaalnet report` rewrites them.")
    return int(settings.check and bool(changed))


def _report(settings: Settings, run: Path) -> int:
    from jaalnet_core.data.source import open_data
    from jaalnet_core.report import PAGE_NAME, WEIGHTS_NAME, read_run, stored_evaluations, write_report
    from jaalnet_core.scoring import places, score
    from jaalnet_core.weights import load_lf_net

    record = read_run(run)
    out = settings.out or REPORTS / record.name
    loaded = load_lf_net(run / WEIGHTS_NAME)
    data = open_data(settings.data or record.settings.data, loaded.size, splits=(settings.split,))
    for note in data.notes:
        print(note)
    ids = getattr(data, settings.split).ids
    stored = {} if settings.recompute else stored_evaluations(run, out, ids)
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
    write_report(run, evaluations, data, out, device=settings.device)
    print(f"report: {out / PAGE_NAME}")
    return 0
