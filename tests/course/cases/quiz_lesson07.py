"""The answers to the quiz of lesson 7, worked out by the libraries and the package."""

from __future__ import annotations

import torch

from jaalnet_core.calibration import reliability
from jaalnet_core.metrics import scores
from jaalnet_core.thresholds import threshold_curve


def printed_by_the_loop() -> float:
    batches = torch.tensor([0.9, 0.9, 0.3], dtype=torch.float64).split(2)
    return torch.stack([batch.mean() for batch in batches]).mean().item()


def iou_of_dice() -> float:
    table = torch.tensor([2, 1, 0, 5])  # Dice 4/5
    assert scores(table)["dice"].item() == 0.8
    return scores(table)["iou"].item()


def cannot_rise() -> str:
    draw = torch.Generator().manual_seed(1)
    probabilities, masks = torch.rand(20, 8, 8, generator=draw), torch.rand(20, 8, 8, generator=draw) > 0.5
    at = threshold_curve(probabilities, masks, (0.3, 0.7)).scores()
    (name,) = (name for name in ("sensitivity", "specificity") if at[name][1] < at[name][0])
    return name


def gap() -> float:
    truth = torch.cat([torch.ones(150), torch.zeros(50)])
    return abs(reliability(torch.full((200,), 0.9, dtype=torch.float64), truth).gaps).max().item()


TRUTH = {
    1: lambda: scores(torch.tensor([30, 10, 20, 940]))["dice"],
    2: printed_by_the_loop,
    3: iou_of_dice,
    4: cannot_rise,
    5: gap,
}
