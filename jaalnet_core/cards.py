"""The card of shipped weights, made from the files beside it: settings, log, and `metrics.json` with every number.

    for file in card_files(Path("checkpoints/shipped/small-isbi2016")):
        file.write()

Nothing is scored here; a card says what its files say, and can be made anew from them at any time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from jaalnet_core.derived_files import Derived, DerivedFigure, DerivedText
from jaalnet_core.diagnosis_scores import diagnosis_table
from jaalnet_core.errors import DataError
from jaalnet_core.evaluation import Evaluation
from jaalnet_core.failure_words import summary_table
from jaalnet_core.figures import dice_histogram, training_curves
from jaalnet_core.metrics import scores
from jaalnet_core.report import read_run, sha256
from jaalnet_core.report_page import bullets, page
from jaalnet_core.weights import SHIPPED

LF_NET, DA_NET, CARD, METRICS = "lf_net.safetensors", "da_net.safetensors", "README.md", "metrics.json"
DICE, CURVES = "dice.png", "curves.png"

CHECK = """\
## Check

`{lf_net}` has the SHA-256 `{lf_net_sha256}`, `{da_net}` has `{da_net_sha256}`. With the official pictures, in the
project's folder, the numbers above come out again to three decimals (fractions) by

```
jaalnet evaluate --checkpoint {folder}/{lf_net} --data DIR
jaalnet evaluate --checkpoint {folder}/{lf_net} --data DIR --score-at mask
```

and with `--flips` for mirror images averaged. `jaalnet report` writes this page anew from `metrics.json`,
`settings.json` and `log.csv` beside it, and `jaalnet report --check` says whether it still says what they say."""

USE = """\
## Intended use, and not

```
jaalnet predict --checkpoint {folder}/{lf_net} PICTURES --out masks
jaalnet train --start-from {folder}/{lf_net} --data DIR
```

Meant for teaching, for research on segmentation, and as a start for training on other pictures of skin lesions.
**No medical device**, and not meant for decisions about anyone's skin: nothing here was tested on patients, no outline
says whether a lesion is harmless, and pictures unlike those of the training (other cameras, other skin, clinical
photographs without a dermoscope) may be outlined badly without any sign of it. One expert drew each mask of the test
set, and another would draw it a little differently. `{da_net}` is the discriminator at the end of the
same training, for study; prediction does not need it."""

_BY_DIAGNOSIS = "Test images by what the lesion turned out to be, per image, at network size; differences in points."
_FAILURES = (
    "What the Dice of the test images depends on, per image, at network size: each group beside the first of its kind, "
    "with differences in points. Groups overlap, and none of this says why."
)


def read_metrics(folder: Path) -> dict[str, Any]:
    """The `metrics.json` of shipped weights.

    Raises:
        DataError: missing or damaged.
    """
    path = folder / METRICS
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict) or "evaluations" not in values:
            raise ValueError("no evaluations in it")
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: cannot be read ({error}); ship the weights again.") from error
    return values


def card_files(folder: Path) -> list[Derived]:
    """The card and its two figures, as the other files of `folder` have them.

    Raises:
        DataError: a file is missing or damaged, or was written before cards could be made anew.
    """
    metrics = read_metrics(folder)
    try:
        return _files_of(folder, metrics)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError, DataError) as error:
        if str(folder) in str(error):
            raise
        raise DataError(
            f"{folder / METRICS}: cannot be read ({type(error).__name__}: {error}), expected what `jaalnet ship` "
            "writes; ship the weights again."
        ) from error


def _files_of(folder: Path, metrics: dict[str, Any]) -> list[Derived]:
    record = replace(
        read_run(folder),
        name=metrics["name"],
        data=metrics["training"]["data"],
        environment=metrics["training"]["environment"],
    )
    headline = Evaluation.from_json(metrics["evaluations"]["test"])
    notes, data_name, baselines = metrics["notes"], metrics["data"], metrics["baselines"]
    name, dice = record.name, scores(headline.counts)["dice"].numpy()
    text = page(
        record,
        metrics["evaluations"],
        data_name=data_name,
        notes=notes,
        pictures={
            DICE: f"Dice of each test image: mean {dice.mean():.3f}.",
            CURVES: "Training: losses, DA-Net's opinion of real and fake pairs, and validation scores.",
        },
        baselines=baselines,
        photographs=False,
        sections=_sections(metrics),
    )
    words = {
        "folder": (SHIPPED / folder.name).as_posix(),
        "lf_net": LF_NET,
        "da_net": DA_NET,
        "lf_net_sha256": metrics["checkpoint_sha256"],
        "da_net_sha256": sha256(folder / DA_NET),
    }
    text += "\n" + "\n\n".join(_one_line_each(part.format(**words)) for part in (CHECK, USE)) + "\n"
    log = {column: list(map(float, values)) for column, values in record.log.items()}
    return [
        DerivedText(folder / CARD, text),
        DerivedFigure(
            folder / DICE,
            {"name": name, "counts": headline.counts.tolist()},
            lambda: dice_histogram(dice, title=f"Dice of each test image, {name}"),
        ),
        DerivedFigure(folder / CURVES, {"name": name, "log": log}, lambda: training_curves(record.log, title=name)),
    ]


def _sections(metrics: Mapping[str, Any]) -> list[str]:
    """By diagnosis, and failures in words: where they were measured."""
    sections = []
    if diagnoses := metrics.get("diagnoses"):
        table = diagnosis_table(metrics["evaluations"]["test"], diagnoses)
        sections.append(f"## By diagnosis\n\n{_BY_DIAGNOSIS}\n\n{table}")
    if failures := metrics.get("failures"):
        sections.append(
            f"## Failures in words\n\n{_FAILURES}\n\n"
            f"{summary_table(failures['summary'])}\n\nThe worst by Dice:\n\n{bullets(failures['worst'])}"
        )
    return sections


def _one_line_each(text: str) -> str:
    """Paragraphs without line breaks; code as it is."""
    return "\n\n".join(part if part.startswith("```") else part.replace("\n", " ") for part in text.split("\n\n"))
