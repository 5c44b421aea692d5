"""What a convolution costs, plain and taken apart, for any channels, kernel and size."""

from __future__ import annotations

import ipywidgets

from jaalnet_core.figures.convolution_cost import cost_figure
from jaalnet_core.widgets.panel import Panel, panel

CHANNELS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


def cost_panel() -> Panel:
    """Controls `in_channels`, `out_channels`, `kernel_size` and `side` above the figure of `cost_figure`."""
    return panel(
        cost_figure,
        in_channels=ipywidgets.SelectionSlider(options=CHANNELS, value=32, description="channels read"),
        out_channels=ipywidgets.SelectionSlider(options=CHANNELS, value=32, description="channels made"),
        kernel_size=ipywidgets.SelectionSlider(options=(1, 3, 5, 7), value=3, description="kernel"),
        side=ipywidgets.SelectionSlider(options=(16, 32, 64, 128, 256), value=128, description="pixels a side"),
    )
