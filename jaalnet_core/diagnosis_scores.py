"""Does a network outline malignant lesions as well as benign ones? Scores of each group, and the difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from jaalnet_core.data.diagnoses import BENIGN, MALIGNANT, find_diagnoses
from jaalnet_core.errors import DataError
from jaalnet_core.evaluation import Evaluation
from jaalnet_core.group_scores import Group, score_groups, unpaired_difference
from jaalnet_core.interval import Interval
from jaalnet_core.metrics import scores
from jaalnet_core.report_page import markdown_table

__all__ = ["DiagnosisScores", "by_diagnosis", "diagnosis_rows", "diagnosis_table", "find_diagnoses"]

METRICS = {"dice": "Dice", "iou": "IoU", "sensitivity": "Sensitivity"}


@dataclass(frozen=True)
class DiagnosisScores:
    """The scores of an evaluation by diagnosis.

    Attributes:
        groups: benign, then malignant; one that has no picture is not there.
        differences: metric to malignant minus benign with its interval, unpaired; empty with one group alone.
        without: how many scored pictures have no diagnosis; they are in no group.
    """

    groups: tuple[Group, ...]
    differences: Mapping[str, Interval]
    without: int


def by_diagnosis(evaluation: Evaluation, diagnoses: Mapping[str, str]) -> DiagnosisScores:
    """Split the scored pictures by their diagnosis, and score each part per image.

    Args:
        diagnoses: picture id to `benign` or `malignant`, as `find_diagnoses` reads them.

    Raises:
        DataError: none of the scored pictures has a diagnosis.
    """
    known = [index for index, id in enumerate(evaluation.ids) if id in diagnoses]
    if not known:
        raise DataError(
            f"diagnoses: found {len(diagnoses)}, and none for the {len(evaluation.ids)} scored pictures (such as "
            f"{evaluation.ids[0]}), expected the file of the same split."
        )
    known.sort(key=lambda index: diagnoses[evaluation.ids[index]])  # benign before malignant
    counts, labels = evaluation.counts[known], [diagnoses[evaluation.ids[index]] for index in known]
    drawn = {"samples": evaluation.resamples, "seed": evaluation.seed}
    groups = score_groups(counts, labels, list(METRICS), **drawn)
    differences = {}
    if {BENIGN, MALIGNANT} <= set(labels):
        malignant = torch.tensor([label == MALIGNANT for label in labels])
        values = scores(counts)
        differences = {
            name: unpaired_difference(values[name][malignant], values[name][~malignant], **drawn) for name in METRICS
        }
    return DiagnosisScores(tuple(groups), differences, len(evaluation.ids) - len(known))


def diagnosis_rows(found: DiagnosisScores) -> list[list[str]]:
    """The cells for people, in percent, a line of titles first: groups, then the difference in points."""
    lines = [["diagnosis", "images", *METRICS.values()]]
    for group in found.groups:
        cells = [group.scores[name].percent() for name in METRICS]
        lines.append([group.name, str(group.count), *cells])
    if found.differences:
        cells = [found.differences[name].points() for name in METRICS]
        lines.append(["malignant minus benign", "", *cells])
    return lines


def diagnosis_table(evaluation: Mapping[str, Any], diagnoses: Mapping[str, str]) -> str:
    """The scores by diagnosis as Markdown: per image, in percent, with 95% intervals.

    Args:
        evaluation: what `Evaluation.to_json` returned.
        diagnoses: picture id to `benign` or `malignant`.

    Raises:
        DataError: none of the scored pictures has a diagnosis.
    """
    found = by_diagnosis(Evaluation.from_json(evaluation), diagnoses)
    head, *rows = diagnosis_rows(found)
    table = markdown_table(head, rows)
    return f"{table}\n\n{found.without} pictures without a diagnosis are left out." if found.without else table
