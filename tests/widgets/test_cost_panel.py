"""The panel of a convolution's cost: every control moves the picture and the words, cheap or dear."""

from __future__ import annotations

import pytest

from jaalnet_core.widgets.cost import cost_panel


@pytest.mark.parametrize("channels", [32, 1], ids=["cheaper taken apart", "dearer taken apart"])
def test_every_control_moves_the_picture_and_the_words(channels: int) -> None:
    panel = cost_panel()
    panel.controls["out_channels"].value = channels
    for name, value in {"in_channels": 64, "kernel_size": 5, "side": 256, "out_channels": 2}.items():
        picture, words = panel.picture.value, panel.sentence.value
        panel.controls[name].value = value
        assert panel.picture.value != picture, name
        assert panel.sentence.value != words, name
