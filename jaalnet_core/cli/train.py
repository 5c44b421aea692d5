"""Train LF-Net against DA-Net.

Ctrl-C finishes the step in hand, saves, and says how to go on.
"""

from __future__ import annotations

from jaalnet_core.training.settings import TrainSettings as Settings

__all__ = ["Settings", "run"]

INTERRUPTED = 130  # the shell's status of a program ended by Ctrl-C


def run(settings: Settings) -> int:
    """Train and say what came of it; 130 when interrupted."""
    from jaalnet_core.training import train

    result = train(settings)
    if not result.first_process:
        return 0  # the first speaks for all, also when they were stopped
    if not result.finished:
        return INTERRUPTED
    print(
        f"Done: {result.epochs} epochs in {result.seconds / 60:.1f} minutes. Best validation Dice "
        f"{result.best_dice:.4f} (epoch {result.best_epoch}), last {result.last_dice:.4f}.\n"
        f"Score it:  jaalnet evaluate --checkpoint {result.folder / 'best.safetensors'}"
    )
    return 0
