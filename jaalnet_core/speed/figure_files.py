"""The JSON files that `make speed` writes, and the line under a table that says how they came about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaalnet_core.errors import DataError

FOLDER = Path("reports") / "published" / "speed"


class NotMeasured(Exception):
    """A file of figures is not there; its args name it."""


def read_figures(root: Path, name: str) -> dict[str, Any]:
    """What a benchmark found.

    Raises:
        NotMeasured: there is no such file.
        DataError: it is damaged.
    """
    path = root / FOLDER / f"{name}.json"
    if not path.exists():
        raise NotMeasured((FOLDER / path.name).as_posix())
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}), expected the figures that `make speed` writes.") from error


def measured_by(figures: Mapping[str, Any], command: str, *, own_threads: bool = False) -> str:
    """The line under a table: how it came about; with `own_threads` the command itself takes as many as it took."""
    one = figures["threads"] == 1
    threads = "1 thread" if one else f"{figures['threads']} threads"
    setting = "OMP_NUM_THREADS=1 " if one and not own_threads else ""
    return f"`{setting}jaalnet benchmark {command}`, {figures['processor']}, {threads}, torch {figures['torch']}."
