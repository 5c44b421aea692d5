"""How much a network keeps on disturbed pictures: the study, its file, and the page made from such files.

study = study_robustness(load_lf_net(weights), open_data("data", size))
study.save(Path("reports/robustness/small.json"))
write_page(Path("reports/robustness"))
"""

from jaalnet_core.robustness.study import (
    DISTURBANCES,
    Condition,
    Disturbance,
    Study,
    counted,
    read_study,
    study_robustness,
)
from jaalnet_core.robustness.table import page_text, read_studies, study_table, write_page

__all__ = [
    "DISTURBANCES",
    "Condition",
    "Disturbance",
    "Study",
    "counted",
    "page_text",
    "read_studies",
    "read_study",
    "study_robustness",
    "study_table",
    "write_page",
]
