"""The diary of test scorings: every time a network met the test pictures, with what for. Only ever added to.

A test set measures once. Whoever scores on it again and again, and keeps what did best, has chosen by it, and the last
score flatters. A diary does not prevent that; it lets a reader count.
"""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from jaalnet_core.errors import DataError

TEST_SCORINGS = Path("reports") / "published" / "test-scorings.csv"


@dataclass(frozen=True)
class Scoring:
    """One scoring of one network on test pictures."""

    date: str
    """Day, as 2026-01-31."""
    command: str
    revision: str
    """Of this project, as git names it; empty where unknown."""
    weights_sha256: str
    pictures: str
    """Which, and how many."""
    purpose: str
    """Why these pictures had to be looked at."""


def today() -> str:
    """The date of a scoring made now, in Greenwich."""
    return datetime.now(UTC).date().isoformat()


def log_scoring(scoring: Scoring, path: Path = TEST_SCORINGS) -> None:
    """Add a line; call it before the scoring, so that a run that fails half-way is on record too."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [one.name for one in fields(Scoring)], lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerow(asdict(scoring))


def read_scorings(path: Path = TEST_SCORINGS) -> list[Scoring]:
    """Every scoring on record, oldest first; none where there is no diary.

    Raises:
        DataError: the file is something else.
    """
    if not Path(path).exists():
        return []
    try:
        with Path(path).open(newline="", encoding="utf-8") as file:
            return [Scoring(**row) for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, TypeError) as error:
        raise DataError(f"{path}: cannot be read as the diary of test scorings ({error}).") from error
