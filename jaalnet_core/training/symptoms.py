"""What is wrong with an adversarial run, told from its log: rules of thumb, in the order in which to look.

The thresholds were set on a handful of small runs (`reports/published/failing-runs`); a healthy run may cross one for
an epoch or two, and a sick one may cross none. Look at the curves, and compare with the same run at adversarial weight
0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

SymptomName = Literal["da-net-wins", "da-net-is-blind", "da-net-is-not-heard", "oscillation"]

SURE_GAP = 0.6  # opinion of real minus opinion of fake above which nothing is left to learn from
SURE_EPOCHS = 3  # in a row: a network that catches up within two was only late
BLIND_GAP = 0.02  # below this, over the second half of the run, DA-Net cannot tell
HEARD_SHARE = 0.001  # of LF-Net's loss; the course recipe's is about ten times this
SWING = 0.08  # mean change of the gap from epoch to epoch, second half of the run
FALL = 0.05  # validation Dice lost from one epoch to the next
FALLS = 3  # so many of them, second half of the run
FEWEST_EPOCHS = 6  # of a run that can be judged by its halves


@dataclass(frozen=True)
class Symptom:
    """One finding.

    Attributes:
        name: what it is called.
        words: what was seen, with numbers, and what to try.
    """

    name: SymptomName
    words: str


def diagnose(log: Mapping[str, np.ndarray]) -> list[Symptom]:
    """The symptoms that a log shows; an empty list says that no rule spoke, not that all is well.

    Args:
        log: columns as `figures.read_log` returns them. Opinions are compared as probabilities, so under `hinge` and
            `least-squares`, whose logits stop near 1 and -1 (or 0), a sure DA-Net looks less sure than under `bce`.
    """
    if "d_real" not in log or not np.isfinite(log["d_real"]).any():
        return []  # a run without DA-Net
    found = [_wins(log), _blind(log), _not_heard(log), _oscillates(log)]
    return [symptom for symptom in found if symptom is not None]


def weights_in(log: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """The contour and the adversarial weight that a run was trained with, found out from its log alone.

    LF-Net's total loss is `region + a * contour + b * adversarial` in every epoch, so two epochs give `a` and `b`;
    least squares takes them all.

    Returns:
        `a`, `b`; nan for a part that the run did not have, or where there are fewer than three epochs.
    """
    parts = [log.get(name, np.full_like(log["epoch"], np.nan)) for name in ("contour", "adversarial")]
    there = [np.isfinite(part).all() for part in parts]
    weights = np.full(2, np.nan)
    if len(log["epoch"]) >= 3 and any(there):
        columns = np.stack([part for part, is_there in zip(parts, there, strict=True) if is_there], axis=1)
        solution, *_ = np.linalg.lstsq(columns, log["g_loss"] - log["region"], rcond=None)
        weights[there] = solution
    return float(weights[0]), float(weights[1])


def adversarial_share(log: Mapping[str, np.ndarray]) -> float:
    """DA-Net's part of LF-Net's loss by size, averaged over the epochs, 0..1; nan where it cannot be told.

    A loss is no gradient: `training.gradients` measures what really pulls.
    """
    contour_weight, weight = weights_in(log)
    adversarial = np.abs(weight * log["adversarial"])
    contour = contour_weight * log["contour"] if np.isfinite(contour_weight) else 0.0
    return float(np.mean(adversarial / (np.abs(log["region"]) + contour + adversarial)))


def _wins(log: Mapping[str, np.ndarray]) -> Symptom | None:
    sure = _gap(log) > SURE_GAP
    run, longest, end = 0, 0, 0
    for i, is_sure in enumerate(sure):
        run = run + 1 if is_sure else 0
        if run > longest:
            longest, end = run, i
    if longest < SURE_EPOCHS:
        return None
    real, fake = log["d_real"][end], log["d_fake"][end]
    return Symptom(
        "da-net-wins",
        f"DA-Net was sure for {longest} epochs in a row (epoch {log['epoch'][end]:.0f}: real {real:.3f}, fake "
        f"{fake:.3f}). Lower its learning rate, give it spectral normalisation, or a hinge loss; and see whether the "
        "region loss still falls.",
    )


def _blind(log: Mapping[str, np.ndarray]) -> Symptom | None:
    gap = _late(_gap(log))
    if len(_gap(log)) < FEWEST_EPOCHS or np.abs(gap).max() > BLIND_GAP:
        return None
    return Symptom(
        "da-net-is-blind",
        f"DA-Net tells real from fake by no more than {np.abs(gap).max():.3f} in the second half: LF-Net learns "
        "nothing from it. Check its learning rate and the pairs it is shown, or lower the adversarial weight.",
    )


def _not_heard(log: Mapping[str, np.ndarray]) -> Symptom | None:
    share = adversarial_share(log)
    if not share < HEARD_SHARE:  # nan says nothing
        return None
    return Symptom(
        "da-net-is-not-heard",
        f"DA-Net's opinion is {100 * share:.4f} percent of LF-Net's loss (weight {max(weights_in(log)[1], 0):.1g}): "
        "LF-Net trains as if alone. Raise the adversarial weight, or save the time and train without.",
    )


def _oscillates(log: Mapping[str, np.ndarray]) -> Symptom | None:
    if len(log["epoch"]) < FEWEST_EPOCHS:
        return None
    swing = np.abs(np.diff(_late(_gap(log)))).mean()
    falls = int((np.diff(_late(log["validation_dice"])) < -FALL).sum())
    if swing < SWING and falls < FALLS:
        return None
    return Symptom(
        "oscillation",
        f"In the second half DA-Net's gap between real and fake changes by {swing:.2f} an epoch, and validation Dice "
        f"falls by more than {FALL} {falls} times. Lower both learning rates, let them fall to 0, clip the gradients, "
        "and average the weights.",
    )


def _gap(log: Mapping[str, np.ndarray]) -> np.ndarray:
    return log["d_real"] - log["d_fake"]


def _late(values: np.ndarray) -> np.ndarray:
    """The second half of a run: in the first, everything moves."""
    return values[len(values) // 2 :]
