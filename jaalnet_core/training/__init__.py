"""Adversarial training on Lightning Fabric: one explicit loop, from a laptop's CPU to a GPU."""

from jaalnet_core.training.loop import RunResult, train
from jaalnet_core.training.settings import TrainSettings

__all__ = ["RunResult", "TrainSettings", "train"]
