"""Which way of averaging could have produced published scores? Arithmetic on the numbers alone.

    for finding in audit(dice="91.53", iou="89.68", accuracy="97.43").findings:
        print(finding.title, finding.verdict)

Dice d, IoU i, accuracy, sensitivity s and specificity c of one confusion table are functions of three shares, so
five of them cannot be chosen freely, and which values go together depends on what was averaged:

- **Pooled**: one table. i = d / (2 - d). With p the lesion's share of the pixels, accuracy = p s + (1 - p) c lies
  between s and c; s, c and accuracy give p, and p, s, c give d = 2ps / (ps + p + (1 - p)(1 - c)). `pooled.py`
  searches all tables and proves its "no".
- **Per image**: means of many tables. i = d / (2 - d) bends upwards, so mean i >= m / (2 - m) at mean Dice m
  (Jensen), with equality when all images are alike, and mean i <= m, with equality when every image is 0 or 1.
  An image's accuracy lies between its s and c, yet the *mean* accuracy may exceed both means: let one picture
  have a small lesion, missed (s low, accuracy high), another a lesion that fills the frame, with the rest of it
  marked too (c low, accuracy high). Whether all the numbers go together is a linear program over tables
  (`means.py`); how extreme the images must be is measured in `strain.py`.
- **Mean of both classes**, per image or pooled: the background's Dice and IoU enter with the same laws, and
  sensitivity and specificity both become their mean. Code that takes both classes for IoU, or for Dice and IoU
  only, is common enough to be tried as well (`rules.py`).

Each number stands for the values that round to it. The verdict "impossible" means: no test set whatsoever. The
verdict "strained" means: only test sets far from any we know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from tqdm.auto import tqdm

from jaalnet_core.audit.means import Mixtures
from jaalnet_core.audit.pooled import find_table
from jaalnet_core.audit.published import Number, Numbers, read_numbers
from jaalnet_core.audit.reasons import mean_reasons, pooled_reasons
from jaalnet_core.audit.rules import RULES, Rule
from jaalnet_core.audit.strain import STRAINED, strain

__all__ = ["RULES", "Audit", "Finding", "Numbers", "Rule", "audit", "read_numbers"]

Verdict = Literal["possible", "strained", "impossible"]


@dataclass(frozen=True, eq=False)
class Finding:
    """What one way of averaging has to say about the numbers.

    Attributes:
        rule: the way of averaging.
        verdict: `possible`; `strained`: possible, with images of an unlikely kind; or `impossible`.
        reasons: sentences: the contradictions, or what the images must look like.
        measures: the numbers in those sentences, as fractions (see `strain.strain`).
        tables: `(M, 4)` shares tp, fp, fn, tn of images that show the numbers; empty when impossible.
        weights: `(M,)` the share of the test set that each table stands for.
    """

    rule: Rule
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    measures: dict[str, float] = field(default_factory=dict)
    tables: np.ndarray = field(default_factory=lambda: np.zeros((0, 4)))
    weights: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @property
    def title(self) -> str:
        """The way of averaging, for people."""
        return self.rule.title

    @property
    def possible(self) -> bool:
        """Whether any test set shows the numbers."""
        return self.verdict != "impossible"


@dataclass(frozen=True, eq=False)
class Audit:
    """The numbers as they were read, and a finding for each way of averaging."""

    numbers: Numbers
    findings: tuple[Finding, ...]

    def __getitem__(self, name: str) -> Finding:
        """The finding of a rule by its name, such as `per_image`."""
        return next(finding for finding in self.findings if finding.rule.name == name)

    def to_json(self) -> dict[str, Any]:
        """Plain values; fractions, not percent."""
        return {
            "numbers": {
                one.metric: {"value": one.value, "low": one.low, "high": one.high} for one in self.numbers.published
            },
            "findings": {
                finding.rule.name: {
                    "title": finding.title,
                    "verdict": finding.verdict,
                    "reasons": list(finding.reasons),
                    "measures": finding.measures,
                    "example": [
                        {"share": share, "tp": tp, "fp": fp, "fn": fn, "tn": tn}
                        for share, (tp, fp, fn, tn) in zip(
                            finding.weights.tolist(), finding.tables.tolist(), strict=True
                        )
                    ],
                }
                for finding in self.findings
            },
        }


def audit(
    *,
    dice: Number | None = None,
    iou: Number | None = None,
    accuracy: Number | None = None,
    sensitivity: Number | None = None,
    specificity: Number | None = None,
    rules: Sequence[Rule] = RULES,
    progress: bool = False,
) -> Audit:
    """Test published numbers against every way of averaging.

    Args:
        dice, iou, accuracy, sensitivity, specificity: any of them, in percent or as fractions, rounded as
            published; as text where a trailing zero counts.
        rules: the ways of averaging to try.
        progress: show a bar with the time left.

    Raises:
        SettingsError: no number, an unreadable one, or mixed scales.
    """
    numbers = read_numbers(
        {
            "dice": dice,
            "iou": iou,
            "accuracy": accuracy,
            "sensitivity": sensitivity,
            "specificity": specificity,
        }
    )
    bar = tqdm(rules, desc="audit", unit="averaging", disable=not progress, leave=False)
    return Audit(numbers, tuple(_pooled(numbers, rule) if rule.pooled else _means(numbers, rule) for rule in bar))


def _pooled(numbers: Numbers, rule: Rule) -> Finding:
    table = find_table(numbers, rule)
    if table is None:
        return Finding(rule, "impossible", pooled_reasons(numbers, rule))
    share = table[0] + table[2]
    reason = f"For example with a lesion that holds {share:.1%} of all pixels."
    return Finding(rule, "possible", (reason,), {}, np.array([table]), np.ones(1))


def _means(numbers: Numbers, rule: Rule) -> Finding:
    mixtures = Mixtures(numbers, rule)
    outcome = mixtures.outcome
    if not outcome.possible:
        return Finding(rule, "impossible", mean_reasons(mixtures))
    remarks, measures = strain(mixtures)
    strained = measures.get("dice_spread_share", 0.0) >= STRAINED
    verdict: Verdict = "strained" if strained else "possible"
    return Finding(rule, verdict, remarks, measures, outcome.tables, outcome.weights)
