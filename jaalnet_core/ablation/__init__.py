"""Comparing variants of one training: several seeds each, the same pictures, and "undecided" as an answer.

outcome = ablate(AblationSettings(variants=("course", "without-adversary"), out=folder))
rows = compare(read_run_files(folder))
print(comparison_table(rows))
"""

from jaalnet_core.ablation.differences import Difference, Row, compare, paired_difference, values_of_runs
from jaalnet_core.ablation.record import RunFile, read_run_file, read_run_files
from jaalnet_core.ablation.runs import Outcome, ablate
from jaalnet_core.ablation.table import comparison_page, comparison_table, row_commands, write_page
from jaalnet_core.ablation_settings import VARIANTS, AblationSettings, Variant

__all__ = [
    "VARIANTS",
    "AblationSettings",
    "Difference",
    "Outcome",
    "Row",
    "RunFile",
    "Variant",
    "ablate",
    "compare",
    "comparison_page",
    "comparison_table",
    "paired_difference",
    "read_run_file",
    "read_run_files",
    "row_commands",
    "values_of_runs",
    "write_page",
]
