"""The README's table of results, built from the files that ship with the weights: no number is typed by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaalnet_core.errors import DataError
from jaalnet_core.files import atomic_path
from jaalnet_core.metrics import METRICS
from jaalnet_core.report_page import markdown_table
from jaalnet_core.shipping import METRICS as METRICS_FILE
from jaalnet_core.weights import SHIPPED

SETTINGS_FILE = "settings.json"

BEGIN, END = "<!-- results -->", "<!-- /results -->"
HEADING = ["percent, ISBI2016 test (379 images)", "Dice", "IoU", "accuracy", "sensitivity", "specificity", "protocol"]

# published, as published; an empty cell was not given
PUBLISHED = [
    ("JAAL-Net, the headline to reproduce", (91.53, 89.68, 97.43, 93.65, 91.94), "128x128; averaging not stated"),
    ("JAAL-Net, the paper's abstract", (None, 90.27, None, None, None), "128x128; averaging not stated"),
    ("ExB, winner of the 2016 challenge", (91.0, 84.3, 95.3, 91.0, 96.5), "per image, full resolution"),
    ("U-Net from scratch, rerun by XBound-Former", (87.81, 80.25, None, None, None), "per image, 512x512"),
    ("XBound-Former, pretrained", (93.08, 87.69, None, None, None), "per image, 512x512"),
]


def results_block(shipped: Path = SHIPPED) -> str:
    """The table as Markdown, between its two markers.

    Raises:
        DataError: no shipped weights with scores on ISBI2016 are there, or a file of theirs is damaged.
    """
    files = sorted(shipped.glob(f"*/{METRICS_FILE}"))
    ours = [_read(file) for file in files]
    ours = [(file.parent, one) for file, one in zip(files, ours, strict=True) if _on_isbi(one)]
    if not ours:
        raise DataError(f"{shipped}: found no {METRICS_FILE} with scores on ISBI2016; `jaalnet ship` makes it.")
    rows = []
    for folder, metrics in ours:
        link = f"[`{metrics['name']}`]({folder.as_posix()}/README.md)"
        rows += [
            _row(
                f"{link}, {_recipe(folder)}trained adversarially on {metrics['trained_on']}",
                metrics["evaluations"]["test"],
                "per_image",
            ),
            _row(f"{link}, the same masks", metrics["evaluations"]["test"], "two_class"),
        ]
    rows += [_row(title, evaluation, "per_image") for title, evaluation in ours[0][1]["baselines"].items()]
    for title, values, protocol in PUBLISHED:
        rows.append([title, *("" if value is None else f"{value:.2f}" for value in values), protocol])
    note = (
        "ISBI2016 here is the set reduced to 256x256: of the 900 training pictures 41 are missing, two that are test "
        "pictures as well were left out, and a tenth chose the epoch. No real photograph was seen in training on "
        "synthetic ones. The cards give 95% intervals and more averagings. The headline's five numbers cannot come "
        "from one pooled count of pixels: `jaalnet audit` says why."
    )
    return "\n".join([BEGIN, markdown_table(HEADING, rows), "", note, END])


def update_readme(readme: Path, shipped: Path = SHIPPED) -> bool:
    """Put the table between the markers of `readme`; returns whether that changed anything.

    Raises:
        DataError: the markers are not there.
    """
    text = readme.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise DataError(f"{readme}: found no single pair of {BEGIN} and {END}, expected the place for the table.")
    before, rest = text.split(BEGIN)
    updated = before + results_block(shipped) + rest.split(END)[1]
    if updated != text:
        with atomic_path(readme) as temporary:
            temporary.write_text(updated, encoding="utf-8")
    return updated != text


def _read(file: Path) -> Mapping[str, Any]:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{file}: cannot be read ({error}); ship the weights again.") from error


def _recipe(folder: Path) -> str:
    """The recipe's name for a row's title, where the run's settings are beside its scores."""
    file = folder / SETTINGS_FILE
    return f"{_read(file)['recipe']} recipe, " if file.is_file() else ""


def _on_isbi(metrics: Mapping[str, Any]) -> bool:
    return metrics["evaluations"]["test"]["data"].startswith("ISBI2016")


def _row(title: str, evaluation: Mapping[str, Any], averaging: str) -> list[str]:
    height, width = evaluation["size"]
    how = {"per_image": "per image", "two_class": "mean of lesion and background, per image"}[averaging]
    return [title, *(f"{100 * evaluation[averaging][metric]:.2f}" for metric in METRICS), f"{how}, {width}x{height}"]
