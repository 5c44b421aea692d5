"""Methods side by side on the same test pictures, in whichever averaging: what ships, simple baselines, the headline.

Everything is computed anew from the counted pixels of each image in `checkpoints/shipped/*/metrics.json`; weights that
ship later join by themselves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from jaalnet_core.bootstrap import metric_intervals
from jaalnet_core.cards import METRICS as METRICS_FILE
from jaalnet_core.errors import DataError
from jaalnet_core.evaluation import Evaluation
from jaalnet_core.figures.forest import Estimate, forest_panels, forest_plot
from jaalnet_core.figures.style import NotebookFigure
from jaalnet_core.metrics import AVERAGINGS, METRICS
from jaalnet_core.report_page import AVERAGING_NAMES
from jaalnet_core.results import PUBLISHED
from jaalnet_core.weights import SHIPPED

HEADLINE: dict[str, float] = {
    metric: value / 100 for metric, value in zip(METRICS, PUBLISHED[0][1], strict=True) if value is not None
}
HEADLINE_NAME = "the headline"
SHORT_NAMES = {
    "per_image": "per image",
    "pooled": "pooled",
    "two_class": "two-class",
    "two_class_pooled": "two-class, pooled",
}
METRIC_NAMES = {"dice": "Dice", "iou": "IoU"} | {name: name for name in METRICS[2:]}


def shipped_test_scores(shipped: Path = SHIPPED, data: str = "ISBI2016 test") -> dict[str, Evaluation]:
    """The plain test evaluation of every shipped network, then of the baselines, by name.

    Args:
        shipped: the folder of folders.
        data: only what was scored on this set.

    Raises:
        DataError: none is there, or a file is damaged.
    """
    networks: dict[str, Evaluation] = {}
    baselines: dict[str, Evaluation] = {}
    for file in sorted(Path(shipped).glob(f"*/{METRICS_FILE}")):
        try:
            values = json.loads(file.read_text(encoding="utf-8"))
            found = Evaluation.from_json(values["evaluations"]["test"])
            others = {name: Evaluation.from_json(one) for name, one in values["baselines"].items()}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{file}: cannot be read ({type(error).__name__}: {error}); ship the weights again."
            ) from error
        if found.data == data:
            networks[values["name"]] = found
            baselines = others | baselines
    if not networks:
        raise DataError(f"{shipped}: found no {METRICS_FILE} with scores on {data}.")
    return networks | baselines


def ranking(methods: Mapping[str, Evaluation], averaging: str, metric: str) -> list[Estimate]:
    """The methods from best to worst in one averaging of one metric, with 95% intervals over the images.

    Args:
        methods: name to evaluation on the same images.
        averaging: one of `metrics.AVERAGINGS`.
        metric: one of `metrics.METRICS`.

    Raises:
        ValueError: another averaging or metric.
    """
    _require_known(averaging, metric)
    found = [estimate(name, one, averaging, metric) for name, one in methods.items()]
    return sorted(found, key=lambda one: -one.value)


def estimate(label: str, evaluation: Evaluation, averaging: str, metric: str) -> Estimate:
    """One method's value, a fraction, with its interval."""
    low, high = metric_intervals(evaluation.counts, samples=evaluation.resamples, seed=evaluation.seed)[averaging][
        metric
    ]
    return Estimate(label, AVERAGINGS[averaging](evaluation.counts)[metric], low, high)


def draw_ranking(methods: Mapping[str, Evaluation], averaging: str, metric: str) -> NotebookFigure:
    """The ranking as a forest plot, the headline's value as a line; `alt` says the order in words."""
    order = ranking(methods, averaging, metric)
    return forest_plot(
        order,
        title=f"{METRIC_NAMES[metric]}, {AVERAGING_NAMES[averaging]}",
        x="percent, with 95% intervals over the images",
        reference=HEADLINE[metric],
        reference_label=HEADLINE_NAME,
    )


def draw_beside_headline(evaluation: Evaluation, name: str) -> NotebookFigure:
    """One network's five metrics in the four averagings, each panel with the headline's value as a line."""
    intervals = evaluation.intervals()
    averages = evaluation.averages()
    panels = {
        METRIC_NAMES[metric]: [
            Estimate(SHORT_NAMES[averaging], averages[averaging][metric], *intervals[averaging][metric])
            for averaging in AVERAGINGS
        ]
        for metric in METRICS
    }
    return forest_panels(
        panels,
        references={METRIC_NAMES[metric]: value for metric, value in HEADLINE.items()},
        reference_label=f"{HEADLINE_NAME}, averaging not stated",
        title=f"{name} in four averagings, percent",
    )


def _require_known(averaging: str, metric: str) -> None:
    if averaging not in AVERAGINGS or metric not in METRICS:
        raise ValueError(
            f"averaging {averaging!r}, metric {metric!r}: expected one of {', '.join(AVERAGINGS)} and one of "
            f"{', '.join(METRICS)}."
        )
