"""Find every problem of a data folder at once.

Reads every picture and mask and lists missing and orphan masks, unreadable or truncated files, sizes that
differ, masks that are not binary or empty, shared ids, and pictures that occur twice.
Exit status 1 when there are errors; warnings alone leave it 0.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from jaalnet_core.errors import SettingsError


@dataclass(frozen=True)
class Settings:
    """What to check, and where to write what was found."""

    folder: tyro.conf.Positional[Path | None] = None
    """the data folder; without it $JAALNET_DATA, else ./data"""

    json_out: Annotated[Path | None, tyro.conf.arg(name="json")] = None
    """also write the report to this JSON file"""

    max_megapixels: float | None = None
    """larger pictures are reported instead of read; left out, $JAALNET_MAX_MEGAPIXELS, else 100"""


def run(settings: Settings) -> int:
    """Print the table; 1 when the folder has errors, else 0."""
    from jaalnet_core.data.check import check_data
    from jaalnet_core.data.source import DATA_VARIABLE, DEFAULT_FOLDER

    folder = settings.folder or Path(os.environ.get(DATA_VARIABLE) or DEFAULT_FOLDER)
    report = check_data(folder.expanduser(), max_megapixels=settings.max_megapixels)
    document = report.to_json()
    for line in table(document):
        print(_printable(line))
    if settings.json_out:
        try:
            settings.json_out.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
            settings.json_out.write_text(_printable(text), encoding="utf-8")
        except OSError as error:
            raise SettingsError(
                f"--json {settings.json_out}: cannot be written ({error.strerror}): name another file."
            ) from error
    return 1 if document["errors"] else 0


def _printable(text: str) -> str:
    """The text with bytes of file names that are no UTF-8 as escapes, which are escapes of JSON too."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def table(document: dict) -> list[str]:
    """The lines of a report (`CheckReport.to_json`): a summary, then a row for each problem, errors first."""
    counts = ", ".join(
        f"{split} {number} pictures and {document['masks'][split]} masks"
        for split, number in document["pictures"].items()
    )
    lines = [f"{document['root']} ({document['layout']} layout): {counts}"]
    rows = [("", "problem", "split", "files", "found and mend")]
    rows += [
        (one["severity"], one["kind"], one["split"], ", ".join(one["files"]), one["message"])
        for one in document["problems"]
    ]
    if len(rows) > 1:
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines += ["  ".join([*map(str.ljust, row[:3], widths), row[3], row[4]]).rstrip() for row in rows]
    lines.append(f"{document['errors']} errors, {document['warnings']} warnings")
    return lines
