"""Choose a level and a channel of LF-Net, and see what it answers to."""

from __future__ import annotations

import ipywidgets
import numpy as np

from jaalnet_core.figures.levels import channel_figure, level_features
from jaalnet_core.figures.style import NotebookFigure
from jaalnet_core.lf_net import LFNet
from jaalnet_core.widgets.panel import Panel, panel


def levels_of(lf_net: LFNet, picture: np.ndarray, mask: np.ndarray) -> Panel:
    """A choice of level and channel above the photograph and that channel's map.

    Args:
        lf_net: in evaluation mode; runs once, a choice only draws.
        picture: `(H, W, 3)` uint8, RGB.
        mask: `(H, W)`, 0 or 1.
    """
    features = level_features(lf_net, picture)
    level = ipywidgets.Dropdown(options=list(features), value="decoder 2", description="level")
    channel = ipywidgets.IntSlider(
        value=0, min=0, max=len(features[level.value]) - 1, description="channel", continuous_update=False
    )

    def fit(_change: object) -> None:
        channel.max = len(features[level.value]) - 1  # also brings a larger value down

    level.observe(fit, names="value")  # before the panel looks, so that it never asks for a channel that is not there

    def draw(level: str, channel: int) -> NotebookFigure:
        return channel_figure(features, level, channel, picture, mask)

    return panel(draw, level=level, channel=channel)
