"""Failures in words: the worst pictures of an evaluation, a line each, and what the Dice of all of them depends on.

    lines = failure_lines(loaded.network, data, evaluation, diagnoses=find_diagnoses(data, "test"))
    table = failure_summary(data, evaluation, diagnoses)

A photograph of a patient stays where it is; what failed about its outline can still be said.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import groupby

import cv2
import numpy as np
import torch
from torch import nn

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.source import LesionData
from jaalnet_core.data.traits import Traits, traits
from jaalnet_core.evaluation import Evaluation, predict_probabilities
from jaalnet_core.failure_kinds import WANTED, find_worst
from jaalnet_core.group_scores import score_groups, unpaired_difference
from jaalnet_core.interval import Interval
from jaalnet_core.metrics import scores
from jaalnet_core.report_page import markdown_table

_PIECE = 0.1  # a part of an outline smaller than this share of it is a speck, no piece
_SOME_CORNERS = 2
_ALIKE = 0.1  # areas that differ by less are as large as each other
_QUARTERS = ("smallest quarter", "second quarter", "third quarter", "largest quarter")


def failure_lines(
    network: nn.Module,
    data: LesionData,
    evaluation: Evaluation,
    n: int = WANTED,
    diagnoses: Mapping[str, str] | None = None,
) -> list[str]:
    """The `n` pictures with the lowest Dice, the worst first, one line each.

    What went wrong is told from the network's outline at its own size; low and high contrast mean the lower and the
    upper half of the scored pictures.

    Args:
        network: that was evaluated; on the device where it stands.
        data: holds the pictures that were scored, at the network's size.
        evaluation: decides which pictures are the worst.
        diagnoses: picture id to diagnosis, where known.

    Raises:
        DataError: `data` does not hold the scored pictures.
    """
    arrays = data.pictures(evaluation.ids)
    measured = _measured(arrays)
    middle = float(np.nanmedian([one.contrast for one in measured]))
    worst = find_worst(arrays, evaluation.counts, count=n)
    images, masks = arrays.take([one.index for one in worst]).tensors()
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    probabilities = predict_probabilities(network, images, flips=evaluation.flips, device=device)
    outlines = (probabilities[:, 0] > evaluation.threshold).numpy()
    lines = []
    for one, outline, mask in zip(worst, outlines, masks[:, 0].numpy() > 0.5, strict=True):
        words = [what_went_wrong(outline, mask), *_seen(measured[one.index], middle)]
        if diagnoses and one.picture in diagnoses:
            words.append(diagnoses[one.picture])
        lines.append(f"{one.picture}: Dice {100 * one.value:.1f}; {'; '.join(words)}.")
    return lines


def failure_summary(
    data: LesionData, evaluation: Evaluation, diagnoses: Mapping[str, str] | None = None
) -> list[tuple[str, str, int, Interval, Interval | None]]:
    """How Dice per image depends on what the pictures show: rows for `summary_table`, plain values that JSON can hold.

    Lesions in quarters by their share of the frame, by whether they touch the frame's edge, in halves by their contrast
    to the skin around, by fine dark structures on that skin, and by diagnosis.

    Args:
        data: holds the pictures that were scored.
        diagnoses: picture id to diagnosis, where known.

    Returns:
        (what is compared, group, number of pictures, Dice with its 95% interval, difference to the first group of the
        same comparison with its unpaired 95% interval or None for that first group). Fractions. Pictures of which a
        trait cannot be measured stand in no group of it.

    Raises:
        DataError: `data` does not hold the scored pictures.
    """
    arrays = data.pictures(evaluation.ids)
    measured = _measured(arrays)
    rows = []
    for title, names, labels in _comparisons(arrays.ids, measured, diagnoses):
        known = sorted((i for i, label in enumerate(labels) if label in names), key=lambda i: names.index(labels[i]))
        counts, groups = evaluation.counts[known], [labels[i] for i in known]
        drawn = {"samples": evaluation.resamples, "seed": evaluation.seed}
        dice = scores(counts)["dice"]
        first = torch.tensor([label == groups[0] for label in groups]) if groups else None
        for group in score_groups(counts, groups, ["dice"], **drawn):
            members = torch.tensor([label == group.name for label in groups])
            gap = None if group.name == groups[0] else unpaired_difference(dice[members], dice[first], **drawn)
            rows.append((title, group.name, group.count, group.scores["dice"], gap))
    return rows


def summary_table(rows: list[tuple[str, str, int, Interval, Interval | None]]) -> str:
    """The rows of `failure_summary`, also as JSON gave them back, as Markdown: percent, and differences in points."""
    cells = []
    for _, group in groupby(rows, key=lambda row: row[0]):
        for number, (title, name, count, dice, gap) in enumerate(group):
            difference = "" if gap is None else Interval(*gap).points()
            cells.append(["" if number else title, name, str(count), Interval(*dice).percent(), difference])
    return markdown_table(["by", "group", "images", "Dice (95%)", "difference to the first (95%)"], cells)


def what_went_wrong(outline: np.ndarray, mask: np.ndarray) -> str:
    """An outline's fault in words: nothing, beside the lesion, too large, too small or misplaced; and in pieces.

    Args:
        outline, mask: `(H, W)` bool.
    """
    drawn, lesion, common = int(outline.sum()), int(mask.sum()), int((outline & mask).sum())
    if drawn == 0:
        return "nothing is outlined" if lesion else "rightly nothing is outlined"
    if common == 0:
        share = 100 * drawn / outline.size
        return f"misplaced: the outline lies wholly beside the lesion, over {share:.0f} % of the frame"
    ratio = drawn / lesion
    if ratio > 1 + _ALIKE:
        said = f"too large: {ratio:.{0 if ratio >= 10 else 1}f} times the lesion's area"
    elif ratio < 1 - _ALIKE:
        said = f"too small: {ratio:.2f} times the lesion's area"
    else:
        said = "misplaced: as large as the lesion"
    missed = 1 - common / lesion
    if ratio >= 1 - _ALIKE and missed > 2 * _ALIKE:
        said += f", and yet {100 * missed:.0f} % of it is left out"
    pieces = _pieces(outline)
    return f"{said}, split into {pieces} pieces" if pieces > 1 else said


def _pieces(outline: np.ndarray) -> int:
    """Connected parts of an outline, specks left aside."""
    count, _, found, _ = cv2.connectedComponentsWithStats(outline.astype(np.uint8), connectivity=8)
    return sum(int(found[label, cv2.CC_STAT_AREA]) >= _PIECE * outline.sum() for label in range(1, count))


def _seen(one: Traits, middle: float) -> list[str]:
    """The picture in words; `middle` parts low contrast from high."""
    edge = ", reaches its edge" if one.touches_border else ""
    words = [f"lesion {100 * one.share:.{0 if one.share >= 0.01 else 1}f} % of the frame{edge}"]
    if math.isnan(one.contrast):
        words.append("no skin around it in the frame")
    else:
        words.append(
            f"{'low' if one.contrast < middle else 'high'} contrast to the skin ({one.contrast:.0f} in CIELAB)"
        )
    if one.has_fine_structures:
        words.append("fine dark structures on the skin (hair, ruler or pattern)")
    if one.dark_corners >= _SOME_CORNERS:
        words.append("dark corners")
    return words


def _comparisons(
    ids: tuple[str, ...], measured: list[Traits], diagnoses: Mapping[str, str] | None
) -> list[tuple[str, tuple[str, ...], list[str]]]:
    """What is compared, its groups in their order, and the group of each picture (empty: none)."""
    places = np.argsort(np.argsort([one.share for one in measured], kind="stable"), kind="stable")
    quarters = [_QUARTERS[4 * int(place) // len(measured)] for place in places]
    middle = float(np.nanmedian([one.contrast for one in measured]))
    halves = ["" if math.isnan(one.contrast) else "low" if one.contrast < middle else "high" for one in measured]
    found = [
        ("lesion's share of the frame", _QUARTERS, quarters),
        ("frame's edge", ("not reached", "reached"), [("not reached", "reached")[t.touches_border] for t in measured]),
        ("contrast to the skin", ("high", "low"), halves),
        ("fine dark structures", ("few", "some"), [("few", "some")[t.has_fine_structures] for t in measured]),
    ]
    if diagnoses:
        found.append(("diagnosis", ("benign", "malignant"), [diagnoses.get(id, "") for id in ids]))
    return found


def _measured(arrays: LesionArrays) -> list[Traits]:
    return [traits(image, mask) for image, mask in zip(arrays.images, arrays.masks, strict=True)]
