"""Adversarial training on Lightning Fabric: one explicit loop, from a laptop's CPU to a GPU."""

from typing import TYPE_CHECKING, Any

from jaalnet_core.training.settings import TrainSettings

if TYPE_CHECKING:
    from jaalnet_core.training.loop import RunResult, train

__all__ = ["RunResult", "TrainSettings", "train"]


def __getattr__(name: str) -> Any:
    """Import the loop, and with it torch, when it is asked for: who only needs the settings does not wait for it."""
    if name in ("RunResult", "train"):
        from jaalnet_core.training import loop

        return getattr(loop, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
