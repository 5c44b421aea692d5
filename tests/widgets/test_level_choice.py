"""The choice of level and channel, driven in Python: figure and words follow, the slider fits the level."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.widgets.levels import levels_of
from jaalnet_core.widgets.panel import Panel


@pytest.fixture
def widget() -> Panel:
    torch.manual_seed(0)
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    mask = np.zeros((32, 32), np.uint8)
    mask[8:20, 8:20] = 1
    return levels_of(build_lf_net("tiny").eval(), picture, mask)


def test_figure_and_words_follow_the_choice(widget: Panel) -> None:
    before = widget.picture.value
    widget.controls["channel"].value = 5
    assert "decoder 2, channel 5 of 16" in widget.sentence.value
    assert widget.picture.value != before
    widget.controls["level"].value = "contour 1"
    assert "contour 1, channel 3 of 4" in widget.sentence.value  # the slider came down to the last channel
    assert widget.controls["channel"].max == 3


def test_no_choice_is_refused_on_the_way(widget: Panel) -> None:
    said: list[str] = []
    widget.sentence.observe(lambda change: said.append(change["new"]), names="value")
    widget.controls["level"].value = "encoder 5"
    widget.controls["channel"].value = 127
    widget.controls["level"].value = "contour 1"
    assert said
    assert not any("Not possible" in words for words in said)
