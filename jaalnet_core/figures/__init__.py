"""Figures of the course and of the reports: outlines on photographs, contact sheets, training curves."""

from jaalnet_core.figures.curves import read_log, training_curves
from jaalnet_core.figures.outlines import draw_outlines
from jaalnet_core.figures.sheets import best_median_worst, contact_sheet, dice_histogram
from jaalnet_core.figures.style import save_figure
from jaalnet_core.figures.validation_curves import validation_curves

__all__ = [
    "best_median_worst",
    "contact_sheet",
    "dice_histogram",
    "draw_outlines",
    "read_log",
    "save_figure",
    "training_curves",
    "validation_curves",
]
