"""The two open-ended projects of lesson 10: a better score under a FLOP budget, and ten failures explained."""

from jaalnet_core.course.projects.budget import (
    Comparison,
    Measured,
    bill_by_part,
    compare,
    gflop_of,
    measure,
    trials_table,
)
from jaalnet_core.course.projects.entry import Entry, Protocol, region_loss
from jaalnet_core.course.projects.experiments import Experiment, Result, run_experiment
from jaalnet_core.course.projects.failures import Failure, hard_pictures, problems, sheet, sheet_problems
from jaalnet_core.course.projects.rubric import BUDGET_RUBRIC, FAILURES_RUBRIC, Criterion, Rubric
from jaalnet_core.failure_kinds import KINDS, Found, find_worst, kind_of

__all__ = [
    "BUDGET_RUBRIC",
    "FAILURES_RUBRIC",
    "KINDS",
    "Comparison",
    "Criterion",
    "Entry",
    "Experiment",
    "Failure",
    "Found",
    "Measured",
    "Protocol",
    "Result",
    "Rubric",
    "bill_by_part",
    "compare",
    "find_worst",
    "gflop_of",
    "hard_pictures",
    "kind_of",
    "measure",
    "problems",
    "region_loss",
    "run_experiment",
    "sheet",
    "sheet_problems",
    "trials_table",
]
