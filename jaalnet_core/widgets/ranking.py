"""Choose an averaging and a metric, and see who is first, and who beats the headline."""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets

from jaalnet_core.evaluation import Evaluation
from jaalnet_core.metrics import METRICS
from jaalnet_core.report_page import AVERAGING_NAMES
from jaalnet_core.side_by_side import METRIC_NAMES, draw_ranking
from jaalnet_core.widgets.panel import Panel, panel


def ranking_panel(methods: Mapping[str, Evaluation]) -> Panel:
    """Controls `averaging` and `metric` above the figure of `draw_ranking`.

    Args:
        methods: name to evaluation on the same images.
    """
    return panel(
        lambda averaging, metric: draw_ranking(methods, averaging, metric),
        averaging=ipywidgets.Dropdown(
            options=[(title, name) for name, title in AVERAGING_NAMES.items()], description="averaging"
        ),
        metric=ipywidgets.Dropdown(options=[(METRIC_NAMES[name], name) for name in METRICS], description="metric"),
    )
