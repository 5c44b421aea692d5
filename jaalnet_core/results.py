"""The README's results: published numbers and ours side by side, each row with its protocol, from files alone.

Our numbers come from `checkpoints/shipped/*/metrics.json`; what was published is written down here, once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaalnet_core.cards import CARD, METRICS, read_metrics
from jaalnet_core.derived_files import DerivedText, between_markers
from jaalnet_core.errors import DataError
from jaalnet_core.metrics import METRICS as METRIC_NAMES
from jaalnet_core.report import read_run
from jaalnet_core.report_page import markdown_table
from jaalnet_core.training.settings import TrainSettings
from jaalnet_core.weights import SHIPPED

BEGIN, END = "<!-- results -->", "<!-- /results -->"
README = "README.md"
HEADING = [
    "percent, 379 test images",
    "Dice",
    "IoU",
    "accuracy",
    "sensitivity",
    "specificity",
    "averaging",
    "size",
    "trained on",
    "pretrained",
]
AVERAGINGS = {"per_image": "per image", "two_class": "lesion and background, per image"}

# published, as published; an empty cell was not given
PUBLISHED = [
    ("JAAL-Net, the headline to reproduce", (91.53, 89.68, 97.43, 93.65, 91.94), "128x128; averaging not stated"),
    ("JAAL-Net, the paper's abstract", (None, 90.27, None, None, None), "128x128; averaging not stated"),
    ("ExB, winner of the 2016 challenge", (91.0, 84.3, 95.3, 91.0, 96.5), "per image, full resolution"),
    ("U-Net from scratch, rerun by XBound-Former", (87.81, 80.25, None, None, None), "per image, 512x512"),
    ("XBound-Former, pretrained", (93.08, 87.69, None, None, None), "per image, 512x512"),
]
# by the title above: averaging, size, how many pictures of ISBI2016 it learnt from, whether it began with others
PROTOCOLS = {
    PUBLISHED[0][0]: ("not stated", "128x128", "900", "not stated"),
    PUBLISHED[1][0]: ("not stated", "128x128", "900", "not stated"),
    PUBLISHED[2][0]: ("per image", "full resolution", "900", "not stated"),
    PUBLISHED[3][0]: ("per image", "512x512", "900", "no"),
    PUBLISHED[4][0]: ("per image", "512x512", "900", "yes"),
}

NOTE = """\
**What can be compared.** Rows of one averaging on the same 379 test images, with the size in mind: ours per image, at
the masks' own size, beside the challenge's winner and the rows of XBound-Former. Not the headline beside any of them:
its averaging is not stated, and its five numbers cannot come from one pooled count of pixels (`jaalnet audit` says
why); its IoU reads like a mean of lesion and background, so a row of that averaging stands among ours. Our pictures
are the official ones reduced to 256x256: of the 900 for training 41 are missing, two that are test pictures as well
were left out, and 82 chose the epoch, so our networks learnt from fewer and smaller pictures than the others, and our
masks' own size is not the challenge's full resolution."""


@dataclass(frozen=True)
class Shipped:
    """One network that ships, as its files have it.

    Attributes:
        folder: with the card.
        metrics: its `metrics.json`.
        settings: of the training.
        validation_dice: the best of its log, a fraction; -1 where there is none.
    """

    folder: Path
    metrics: Mapping[str, Any]
    settings: TrainSettings
    validation_dice: float

    @property
    def on_real_pictures(self) -> bool:
        """Whether it learnt from ISBI2016."""
        return "ISBI2016" in self.metrics["trained_on"]


def results_block(root: Path = Path(), shipped: Path = SHIPPED) -> str:
    """The table and what it allows to compare, as Markdown, without the markers.

    The network with the best validation Dice among those trained on ISBI2016 has all of its rows: the others one each.

    Args:
        root: the project's folder, where the README lies.
        shipped: the weights' folders, in `root`.

    Raises:
        DataError: no shipped weights with scores on ISBI2016 are there, or a file of theirs is damaged.
    """
    ours = shipped_networks(root / shipped)
    if not ours:
        raise DataError(f"{root / shipped}: found no {METRICS} with scores on ISBI2016; `jaalnet ship` makes it.")
    rows = [_published_row(title, values) for title, values, _ in PUBLISHED]
    for place, one in enumerate(ours):
        link = f"[`{one.metrics['name']}`]({(shipped / one.folder.name).as_posix()}/{CARD})"
        rows.append(_row(f"ours: {link}, {one.settings.recipe} recipe", one, "test"))
        if place == 0:
            rows += [
                _row("the same, averaged with the background's", one, "test", "two_class"),
                _row("the same, at the masks' own size", one, "test at the masks' own size"),
                _row("the same, mirror images averaged", one, "test, mirror images averaged"),
                _row("the same, both of these", one, "test at the masks' own size, mirror images averaged"),
            ]
    baselines = [
        f"{title} {100 * evaluation['per_image']['dice']:.2f} and {100 * evaluation['per_image']['iou']:.2f}"
        for title, evaluation in ours[0].metrics["baselines"].items()
    ]
    simple = f" Simple baselines, Dice and IoU per image: {', '.join(baselines)}." if baselines else ""
    cards = " The cards give 95% intervals, more averagings, scores by diagnosis and failures in words."
    return "\n".join([markdown_table(HEADING, rows), "", NOTE.replace("\n", " ") + simple + cards])


def readme(root: Path = Path(), shipped: Path = SHIPPED) -> DerivedText:
    """The README with its table.

    Raises:
        DataError: no README, no place for the table in it, or as in `results_block`.
    """
    return between_markers(root / README, BEGIN, END, results_block(root, shipped))


def shipped_networks(shipped: Path) -> list[Shipped]:
    """Every network that was scored on ISBI2016: those trained on it first, best validation Dice first.

    Validation alone orders them: an order by test scores would choose by the test set.

    Raises:
        DataError: a file is damaged.
    """
    found = [_read(file.parent) for file in sorted(shipped.glob(f"*/{METRICS}"))]
    found = [one for one in found if one.metrics["evaluations"]["test"]["data"].startswith("ISBI2016")]
    return sorted(found, key=lambda one: (not one.on_real_pictures, -one.validation_dice))


def _read(folder: Path) -> Shipped:
    metrics, record = read_metrics(folder), read_run(folder)
    dice = [value for value in record.log.get("validation_dice", ()) if math.isfinite(value)]
    return Shipped(folder, metrics, record.settings, max(dice, default=-1.0))


def _published_row(title: str, values: tuple[float | None, ...]) -> list[str]:
    return [title, *("" if value is None else f"{value:.2f}" for value in values), *PROTOCOLS[title]]


def _row(title: str, one: Shipped, scored: str, averaging: str = "per_image") -> list[str]:
    evaluation = one.metrics["evaluations"][scored]
    numbers = [f"{100 * evaluation[averaging][metric]:.2f}" for metric in METRIC_NAMES]
    how = AVERAGINGS[averaging] + (", 4 views" if evaluation["flips"] else "")
    learnt_from = one.metrics["trained_on"].removesuffix(" pictures").removesuffix(" ISBI2016")
    start = one.settings.start_from
    return [title, *numbers, how, _size(evaluation), learnt_from, f"from {start.parent.name}" if start else "no"]


def _size(evaluation: Mapping[str, Any]) -> str:
    """Of the network, and of the masks where pixels were counted there: their number says it where all are square."""
    height, width = evaluation["size"]
    if evaluation["score_at"] == "network":
        return f"{width}x{height}"
    pixels = {sum(image[column] for column in ("tp", "fp", "fn", "tn")) for image in evaluation["images"]}
    side = math.isqrt(min(pixels))
    masks = f"masks {side}x{side}" if pixels == {side * side} else "masks of many sizes"
    return f"{width}x{height}, {masks}"
