"""Probabilities and what is made of them: scores at every threshold, one picture cut at one, and their reliability."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.axes import Axes

from jaalnet_core.calibration import Reliability
from jaalnet_core.figures.outlines import draw_outlines
from jaalnet_core.figures.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    TEXT_SIZE,
    VERMILION,
    NotebookFigure,
    dress,
    new_figure,
)
from jaalnet_core.metrics import AVERAGINGS, METRICS
from jaalnet_core.thresholds import ThresholdCurve, threshold_curve

_LINES = {
    "dice": ("Dice", BLUE, "-"),
    "sensitivity": ("sensitivity", ORANGE, (0, (5, 1.5))),
    "specificity": ("specificity", GREEN, (0, (1.5, 1.5))),
}


def threshold_figure(
    curve: ThresholdCurve, *, at: float | None = None, averaging: str = "per_image", title: str = ""
) -> NotebookFigure:
    """Dice, sensitivity and specificity at every threshold, with the best Dice marked, and a threshold in use.

    Args:
        curve: from `thresholds.threshold_curve`.
        at: the threshold in use.
        averaging: one of `metrics.AVERAGINGS`.
        title: a line above.
    """
    figure = new_figure(5.6, 2.8)
    axes = figure.subplots()
    best, highest = _draw_curve(axes, curve, averaging)
    dress(axes, title or "Scores at every threshold", "threshold on the probability", "score")
    if at is not None:
        axes.axvline(at, color=VERMILION, linewidth=1.4, linestyle=(0, (4, 2)), label=f"in use: {at:.2f}")
    axes.legend(fontsize=TEXT_SIZE - 1, framealpha=0.75, edgecolor="none", loc="lower center", ncols=2)
    dice = curve.scores(averaging)["dice"]
    wide = curve.thresholds[dice >= highest - 0.01]
    figure.alt = (
        f"Dice, sensitivity and specificity of {curve.counts.shape[1]} images against the threshold. Dice is highest, "
        f"{highest:.3f}, at {best:.2f}, and within 0.01 of that from {wide[0]:.2f} to {wide[-1]:.2f}. Sensitivity "
        "falls and specificity rises with the threshold."
    )
    return figure


def _draw_curve(axes: Axes, curve: ThresholdCurve, averaging: str) -> tuple[float, float]:
    scores = curve.scores(averaging)
    for name, (label, colour, dashes) in _LINES.items():
        axes.plot(
            curve.thresholds.numpy(), scores[name].numpy(), color=colour, linestyle=dashes, linewidth=1.5, label=label
        )
    best, highest = curve.best(averaging=averaging), scores["dice"].max().item()
    axes.plot([best], [highest], "o", markersize=6, markerfacecolor="none", markeredgecolor=BLACK)
    axes.set_xlim(0, 1)
    return best, highest


def threshold_view(
    picture: np.ndarray, mask: np.ndarray, probability: torch.Tensor, threshold: float
) -> NotebookFigure:
    """One picture cut at a threshold: both outlines, and where on its curve that is; in words, its five scores.

    Args:
        picture: `(H, W, 3)` uint8 RGB.
        mask: the expert's, `(H, W)` of 0 and 1.
        probability: `(H, W)` or `(1, H, W)`, 0..1.
        threshold: 0..1; probabilities above it are lesion.
    """
    probability = probability.reshape(1, *mask.shape)
    curve = threshold_curve(probability, torch.from_numpy(mask)[None])
    here = threshold_curve(probability, torch.from_numpy(mask)[None], (threshold,))
    scores = AVERAGINGS["per_image"](here.counts[0])
    predicted = (probability[0] > threshold).numpy()
    figure = new_figure(6.2, 2.7)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.35))
    left.imshow(draw_outlines(_enlarged(picture), expert=_enlarged(mask), predicted=_enlarged(predicted)))
    left.set(xticks=[], yticks=[])
    left.set_frame_on(False)
    left.set_title("expert: solid; network: dashed", fontsize=TEXT_SIZE, loc="left")
    _draw_curve(right, curve, "per_image")
    right.axvline(threshold, color=VERMILION, linewidth=1.4, linestyle=(0, (4, 2)))
    right.plot([threshold], [scores["dice"]], "o", markersize=6, color=VERMILION)
    dress(right, f"threshold {threshold:.2f}: Dice {scores['dice']:.3f}", "threshold on the probability", "score")
    right.set_ylim(-0.03, 1.03)
    right.legend(fontsize=TEXT_SIZE - 1, framealpha=0.75, edgecolor="none", loc="lower center")
    figure.alt = scores_in_words(threshold, scores)
    return figure


def scores_in_words(threshold: float, scores: dict[str, float]) -> str:
    """`Threshold 0.50: Dice 0.912, … 10% of the lesion is missed, 3% of the skin is marked.`"""
    names = {"dice": "Dice", "iou": "IoU"}
    values = ", ".join(f"{names.get(name, name)} {scores[name]:.3f}" for name in METRICS)
    return (
        f"Threshold {threshold:.2f}: {values}. {1 - scores['sensitivity']:.0%} of the lesion is missed, "
        f"{1 - scores['specificity']:.0%} of the skin is marked."
    )


def _enlarged(image: np.ndarray, factor: int = 3) -> np.ndarray:
    """Each pixel `factor` times as wide and high: an outline then hides less of the picture."""
    return image.repeat(factor, axis=0).repeat(factor, axis=1)


def reliability_diagram(found: Reliability, *, title: str = "") -> NotebookFigure:
    """Predicted probability against the share that is lesion, and below it how many pixels each bin holds.

    Points below the diagonal: the network promises more lesion than there is.
    """
    filled = (found.pixels > 0).numpy()
    confidence, frequency = found.confidence.numpy()[filled], found.frequency.numpy()[filled]
    figure = new_figure(4.2, 3.8)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2.6, 1))
    above.plot([0, 1], [0, 1], color=GREY, linewidth=0.9, linestyle=(0, (4, 2)), label="as promised")
    above.vlines(confidence, frequency, confidence, color=VERMILION, alpha=0.6)
    above.plot(confidence, frequency, "o-", color=BLUE, markersize=4, label="measured")
    dress(above, title or "Reliability of pixel probabilities", y="share that is lesion")
    above.set(xlim=(0, 1), ylim=(-0.02, 1.02))
    above.legend(fontsize=TEXT_SIZE - 1, frameon=False, loc="upper left")
    above.text(
        0.98, 0.05, f"expected calibration error {found.expected_error:.3f}", fontsize=TEXT_SIZE, ha="right",
        transform=above.transAxes,
    )  # fmt: skip
    edges = found.edges.numpy()
    below.bar(
        edges[:-1], found.pixels.numpy(), np.diff(edges), align="edge", color=GREY, edgecolor="white", linewidth=0.6
    )
    below.set_yscale("log")
    dress(below, "", "predicted probability of lesion", "pixels")
    points = ", ".join(
        f"{promised:.2f} promised and {there:.2f} found" for promised, there in zip(confidence, frequency, strict=True)
    )
    figure.alt = (
        f"Reliability of {int(found.pixels.sum())} pixel probabilities, expected calibration error "
        f"{found.expected_error:.3f}; share of lesion, bin by bin: {points}. {1 - found.undecided:.0%} of the pixels "
        "are in the first and the last bin."
    )
    return figure
