"""Test published scores for consistency: which way of averaging could have produced them, and why not.

    jaalnet audit --dice 91.53 --iou 89.68 --accuracy 97.43 --sensitivity 93.65 --specificity 91.94

Any of the five, in percent or as fractions. Each number stands for all values that round to its last digit, so
write trailing zeros.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jaalnet_core.audit import Audit

WIDTH = 100
VERDICTS = {"possible": "possible", "strained": "possible, but strained", "impossible": "impossible"}


@dataclass(frozen=True)
class Settings:
    """The published numbers; any of them."""

    dice: str | None = None
    """Dice (DSC, F1)."""
    iou: str | None = None
    """IoU (Jaccard)."""
    accuracy: str | None = None
    """Share of pixels that are right."""
    sensitivity: str | None = None
    """Share of lesion pixels that are found."""
    specificity: str | None = None
    """Share of skin pixels that are left alone."""
    json: Path | None = None
    """Also write the findings, with example confusion tables, to this file."""


def run(settings: Settings) -> int:
    """Audit the numbers, print the findings, write the JSON."""
    from jaalnet_core.audit import audit
    from jaalnet_core.files import write_json
    from jaalnet_core.metrics import METRICS

    result = audit(**{metric: getattr(settings, metric) for metric in METRICS}, progress=True)
    print(format_audit(result))
    if settings.json is not None:
        write_json(settings.json, result.to_json())
        print(f"\nwritten: {settings.json}")
    return 0


def format_audit(result: Audit) -> str:
    """The numbers with their rounding, then each way of averaging with its verdict and reasons."""
    scale = 100 if result.numbers.percent else 1
    given = ", ".join(
        f"{one.metric} {one.text} ({scale * one.low:.7g} to {scale * one.high:.7g})" for one in result.numbers.published
    )
    unit = "percent" if result.numbers.percent else "fractions"
    lines = [textwrap.fill(f"Taken as {unit}: {given}.", WIDTH)]
    for finding in result.findings:
        lines += ["", f"{finding.title}: {VERDICTS[finding.verdict]}"]
        lines += [
            textwrap.fill(reason, WIDTH, initial_indent="  - ", subsequent_indent="    ") for reason in finding.reasons
        ]
    return "\n".join(lines)
