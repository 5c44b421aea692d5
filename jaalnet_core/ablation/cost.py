"""What the network of a row costs to use: its parameters, and the arithmetic of outlining one picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from jaalnet_core.flops import forward_gflop
from jaalnet_core.size import Size
from jaalnet_core.training.networks import build_segmenter
from jaalnet_core.training.settings import TrainSettings


@dataclass(frozen=True)
class Cost:
    """Of the network that predicts; DA-Net is gone by then.

    Attributes:
        parameters: that it learnt.
        gflop: of a forward pass over one picture of the run's size, counted by `flops`.
    """

    parameters: int
    gflop: float


def cost_of(settings: Mapping[str, Any]) -> Cost:
    """Count the network that these settings of a training build; nothing is computed for it.

    Args:
        settings: plain values as in a run's record. `network` and `without` may be missing: in records from before
            there was a choice, the network is an LF-Net with all of its parts.

    Raises:
        SettingsError: they name no network of this version, or a package it needs is missing.
    """
    network, without = settings.get("network", "lf-net"), tuple(settings.get("without", ()))
    return _counted(settings["preset"], network, without, str(settings["size"]))


@cache
def _counted(preset: str, network: str, without: tuple[str, ...], size: str) -> Cost:
    settings = TrainSettings(preset=preset, network=network, without=without, size=Size.parse(size))
    with torch.device("meta"):  # shapes without values
        built = build_segmenter(settings.resolved())
        gflop = forward_gflop(built, settings.size)
    return Cost(sum(parameter.numel() for parameter in built.parameters()), gflop)
