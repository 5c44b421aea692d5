"""Two networks and the files they are kept in, for the tests of what goes in and of what is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch
from module_cases import randomised
from torch import nn

from jaalnet_core.da_net import DANet, build_da_net
from jaalnet_core.lf_net import LFNet, build_lf_net
from jaalnet_core.size import Size
from jaalnet_core.weights import save_weights

SIZE = Size(48, 64)


def an_lf_net() -> LFNet:
    torch.manual_seed(0)
    return randomised(build_lf_net("tiny", dilations=(1, 2), canny_low=20.0))


def a_da_net() -> DANet:
    torch.manual_seed(0)
    return randomised(build_da_net("tiny", normalisation="batch"))


def checkpoint_of(lf_net: LFNet, da_net: DANet | None) -> dict[str, Any]:
    """A training checkpoint, as far as weights are concerned."""

    def section(network: nn.Module) -> dict[str, Any]:
        return {"weights": network.state_dict(), "settings": dataclasses.asdict(network.settings)}

    return {
        "format": "jaalnet-training",
        "size": str(SIZE),
        "metadata": {"epoch": 7},
        "lf_net": section(lf_net),
        "da_net": None if da_net is None else section(da_net),
    }


def write_safetensors(folder: Path) -> Path:
    """LF-Net's weights."""
    return save_weights(an_lf_net(), folder / "good.safetensors", SIZE, epoch=7, validation_dice=0.875)


def write_checkpoint(folder: Path) -> Path:
    """A training checkpoint of both networks."""
    torch.save(checkpoint_of(an_lf_net(), a_da_net()), folder / "full.pt")
    return folder / "full.pt"
