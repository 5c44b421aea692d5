"""Score a trained LF-Net: Dice, IoU, accuracy, sensitivity and specificity, per image, pooled, and as a mean
over lesion and background, each with a 95% bootstrap interval over the images.

    jaalnet evaluate --data data --checkpoint checkpoints/run/best.safetensors --json scores.json

The JSON holds fractions, not percent, and the pixels counted in each image; with --by-diagnosis, the diagnoses too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from jaalnet_core.errors import DataError, SettingsError

if TYPE_CHECKING:
    from torch import Tensor

    from jaalnet_core.data.source import LesionData
    from jaalnet_core.evaluation import Evaluation

TITLES = {
    "per_image": "per image",
    "pooled": "pooled",
    "two_class": "two-class",
    "two_class_pooled": "two-class pooled",
}


@dataclass(frozen=True)
class Settings:
    """What to score, and how."""

    checkpoint: Path
    """Weights (.safetensors) or a periodic checkpoint (.pt)."""
    data: str | None = None
    """Data folder, or `synthetic`; else $JAALNET_DATA, else ./data, else the synthetic set."""
    split: Literal["test", "validation", "train"] = "test"
    """Which pictures."""
    score_at: Literal["network", "mask"] = "network"
    """Count pixels at the network's size, or at each mask's own size."""
    json: Path | None = None
    """Also write everything to this file."""
    flips: bool = False
    """Average the probabilities over the picture and its three mirror images."""
    batch_size: int = 32
    """Pictures predicted at once."""
    threshold: float = 0.5
    """Probabilities above this are lesion."""
    by_diagnosis: bool = False
    """Also score benign and malignant lesions apart, by the challenge's Part 3 file beside the pictures."""
    views: bool = False
    """Also score each picture turned and mirrored, eight views: steadier, to choose on few (square) pictures."""
    bootstrap: int = 2000
    """Resamples of the images behind the intervals."""
    seed: int = 0
    """Seed of the resampling."""
    device: str = "auto"
    """`auto` (a GPU where there is one), `cpu`, `cuda`, ..."""


def run(settings: Settings) -> int:
    """Evaluate, print the table, write the JSON."""
    from dataclasses import replace

    from jaalnet_core.data.source import open_data
    from jaalnet_core.evaluation import choose_device
    from jaalnet_core.files import write_json
    from jaalnet_core.scoring import score
    from jaalnet_core.views import dice_over_views
    from jaalnet_core.weights import load_segmenter

    if settings.bootstrap < 1:
        raise SettingsError(f"--bootstrap: found {settings.bootstrap}, expected at least 1 resample.")
    loaded = load_segmenter(settings.checkpoint)
    data = open_data(settings.data, loaded.size, splits=(settings.split,))
    for note in data.notes:
        print(note)
    diagnoses = _diagnoses(data, settings.split) if settings.by_diagnosis else {}
    evaluation = score(
        loaded,
        data,
        settings.split,
        score_at=settings.score_at,
        batch_size=settings.batch_size,
        threshold=settings.threshold,
        flips=settings.flips,
        device=settings.device,
    )
    evaluation = replace(
        evaluation, checkpoint=str(settings.checkpoint), resamples=settings.bootstrap, seed=settings.seed
    )
    print(format_table(evaluation))
    values = evaluation.to_json()
    if settings.by_diagnosis:
        print(f"\n{format_diagnoses(evaluation, diagnoses)}")
        values["diagnoses"] = {id: diagnoses[id] for id in evaluation.ids if id in diagnoses}
    if settings.views:
        dice = dice_over_views(loaded.network, getattr(data, settings.split), device=choose_device(settings.device))
        print(f"\n{format_views(dice)}")
        values["dice_over_views"] = dice.tolist()
    if settings.json is not None:
        write_json(settings.json, values)
        print(f"written: {settings.json}")
    return 0


def _diagnoses(data: LesionData, split: str) -> dict[str, str]:
    from jaalnet_core.data.diagnoses import FILES, find_diagnoses

    found = find_diagnoses(data, split)
    if found is None:
        raise DataError(
            f"--by-diagnosis: found no {FILES[split]} in {data.root}, expected the table of diagnoses that the "
            "challenge of 2016 gives with its Part 3: put it beside the pictures, or leave the option out."
        )
    return found


def format_diagnoses(evaluation: Evaluation, diagnoses: Mapping[str, str]) -> str:
    """Dice, IoU and sensitivity of each diagnosis, per image, in percent, and the difference: one row each."""
    from jaalnet_core.diagnosis_scores import by_diagnosis, diagnosis_rows

    found = by_diagnosis(evaluation, diagnoses)
    lines = ["per image, by diagnosis; the difference in points, its interval from both groups drawn apart", ""]
    for name, images, *cells in diagnosis_rows(found):
        lines.append(f"{name:<24}{images:>6}   " + "".join(f"{cell:<27}" for cell in cells))
    if found.without:
        lines.append(f"{found.without} pictures without a diagnosis are left out.")
    return "\n".join(line.rstrip() for line in lines)


def format_views(dice: Tensor) -> str:
    """What the eight views of each picture say, from `(8, N)` fractions."""
    means = dice.mean(1)
    return (
        f"Dice over {len(dice)} views of each picture, percent: mean {100 * dice.mean():.2f}, view by view "
        f"{100 * means.min():.2f} to {100 * means.max():.2f}; below 60 in {int((dice < 0.6).sum())} of {dice.numel()}"
    )


def format_table(evaluation: Evaluation) -> str:
    """Every metric in every averaging, in percent, with its interval: one row an averaging."""
    averages, intervals = evaluation.averages(), evaluation.intervals()
    metrics = list(averages["per_image"])
    where = "at the masks' own size" if evaluation.score_at == "mask" else "at network size"
    rows = [
        f"{len(evaluation.ids)} pictures ({evaluation.data}), network {evaluation.size}, "
        f"pixels counted {where}{', mirrored views averaged' if evaluation.flips else ''}",
        "percent, with 95% bootstrap intervals over the images",
        "",
        f"{'':<17}" + "".join(f"{name:<21}" for name in metrics),
    ]
    for averaging, values in averages.items():
        cells = []
        for name in metrics:
            low, high = intervals[averaging][name]
            cells.append(f"{100 * values[name]:.2f} ({100 * low:.2f}-{100 * high:.2f})".ljust(21))
        rows.append(f"{TITLES[averaging]:<17}" + "".join(cells))
    return "\n".join(row.rstrip() for row in rows)
