"""The protocol's table of trials and the picture of their validation curves, made from the trials' own files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jaalnet_core.ablation.record import read_run_file
from jaalnet_core.derived_files import Derived, DerivedFigure, between_markers
from jaalnet_core.errors import DataError
from jaalnet_core.figures.validation_curves import validation_curves
from jaalnet_core.report_page import markdown_table
from jaalnet_core.trials import Trial, read_trials

BEGIN, END = "<!-- trials -->", "<!-- /trials -->"
PROTOCOL, CURVES = "protocol.md", "curves.png"
SEEDS = "ablation-tiny-64/course-seed*.json"  # equal runs but for the seed
HEADING = ["trial", "what changes", "predicted validation Dice", "reached (epoch)", "off by", "verdict"]


@dataclass(frozen=True)
class SeedSpread:
    """How far runs lie apart that differ in the seed alone.

    Attributes:
        best: the best validation Dice of each, in percent to two decimals, the highest first.
    """

    best: tuple[float, ...]

    @property
    def points(self) -> float:
        """From the highest to the lowest."""
        return max(self.best) - min(self.best)


def seed_spread(published: Path) -> SeedSpread:
    """The spread of the seeds, from the runs of the comparison in `published`.

    Raises:
        DataError: there are fewer than two, or one is damaged.
    """
    best = [round(100 * max(read_run_file(path).curve), 2) for path in sorted(published.glob(SEEDS))]
    if len(best) < 2:
        raise DataError(f"{published / SEEDS}: found {len(best)} runs, expected at least two.")
    return SeedSpread(tuple(sorted(best, reverse=True)))


def trials_block(published: Path) -> str:
    """The table as Markdown, the picture below it, and how to read the verdict; without the markers.

    Args:
        published: `reports/published`, with `trials/` and the runs that differ in the seed.

    Raises:
        DataError: there is no trial, or a file is damaged.
    """
    trials, spread = read_trials(published / "trials"), seed_spread(published)
    if not trials:
        raise DataError(f"{published / 'trials'}: found no trial, expected those of `jaalnet trial`.")
    rows = [_row(trial, _compared_with(trial, trials), spread) for trial in trials]
    parts = [markdown_table(HEADING, rows)]
    if names := [str(trial.number) for trial in trials if trial.outcome is not None]:
        parts.append(f"![Validation Dice, epoch by epoch: trial {', '.join(names)}](trials/{CURVES})")
    parts.append(
        f"Dice in percent, per image, of the best epoch. Off by: reached less predicted. Verdict: against the trial it "
        f"was meant to beat, beyond {spread.points:.2f} points, by which {len(spread.best)} runs lie apart that "
        f"differ in the seed alone ({', '.join(f'{dice:.2f}' for dice in spread.best)}); less is undecided. Each "
        "trial's folder holds the command, the prediction with its day, settings, log and the weights' SHA-256."
    )
    return "\n\n".join(parts)


def trials_files(published: Path) -> list[Derived]:
    """The protocol with its table, and the picture of the curves.

    Raises:
        DataError: as in `trials_block`, or the protocol has no place for the table.
    """
    files: list[Derived] = [between_markers(published / PROTOCOL, BEGIN, END, trials_block(published))]
    if runs := _curves(read_trials(published / "trials")):
        title = "Trials: validation Dice of every epoch"
        files.append(DerivedFigure(published / "trials" / CURVES, runs, lambda: validation_curves(runs, title=title)))
    return files


def verdict(trial: Trial, base: Trial | None, spread: SeedSpread) -> str:
    """What a trial with one seed has shown: `better` and `worse` only beyond the seeds' spread."""
    if trial.outcome is None:
        return "not run"
    if trial.outcome.is_partial:
        return "not finished"
    if base is None:
        return "base"
    if base.outcome is None or base.outcome.is_partial:
        return f"undecided: trial {base.number} is not finished"
    gain = trial.outcome.validation_dice - base.outcome.validation_dice
    if abs(gain) <= spread.points:
        return f"undecided ({gain:+.2f} to trial {base.number})"
    return f"{'better' if gain > 0 else 'worse'} ({gain:+.2f} to trial {base.number})"


def _row(trial: Trial, base: Trial | None, spread: SeedSpread) -> list[str]:
    link = f"[{trial.number}](trials/{trial.folder.name}/trial.json)"
    expected, outcome = trial.predicted, trial.outcome
    predicted = "none written" if expected is None else f"{expected.validation_dice:g}: {expected.because}"
    if outcome is None:
        return [link, trial.changes, predicted, "", "", verdict(trial, base, spread)]
    reached = f"{outcome.validation_dice:.2f} ({outcome.epoch})"
    if outcome.is_partial:
        reached += f" in the first {outcome.epochs_run} of {outcome.epochs} epochs"
    off = "" if expected is None else f"{outcome.validation_dice - expected.validation_dice:+.2f}"
    return [link, trial.changes, predicted, reached, off, verdict(trial, base, spread)]


def _compared_with(trial: Trial, trials: Sequence[Trial]) -> Trial | None:
    if trial.against is None:
        return None
    found = [other for other in trials if other.number == trial.against]
    if not found:
        raise DataError(f"{trial.folder}: is compared with trial {trial.against}, which is not there.")
    return found[0]


def _curves(trials: Sequence[Trial]) -> dict[str, tuple[list[int], list[float]]]:
    return {f"{trial.number} {trial.changes}": trial.curve() for trial in trials if trial.outcome is not None}
