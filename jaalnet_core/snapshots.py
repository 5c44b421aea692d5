"""What both networks make of the same few pictures at one moment of a training: outlines, and DA-Net's opinion of them.

    snapshots = []
    train(settings, data=data, on_step=..., on_epoch=lambda line: snapshots.append(take_snapshot(...)))

Taking one changes nothing in the networks: a run that is watched and one that is not leave the same weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.figures.patches import patch_maps
from jaalnet_core.metrics import confusion_counts, scores

THRESHOLD = 0.5


@dataclass(frozen=True, eq=False)
class Snapshot:
    """`K` pictures as both networks see them after an epoch.

    Attributes:
        epoch: finished epochs.
        masks: `(K, H, W)` boolean, LF-Net's drawings cut at 0.5.
        dice: `(K,)` float, of each drawing against the expert's mask, 0..1.
        real, fake: `(K, h, w)` float32, DA-Net's opinion patch by patch of each picture with the expert's mask and
            with LF-Net's drawing (not cut): 0 = a network drew this, 1 = an expert did. None in a run without DA-Net.
    """

    epoch: int
    masks: np.ndarray
    dice: np.ndarray
    real: np.ndarray | None = None
    fake: np.ndarray | None = None

    @property
    def opinions(self) -> list[tuple[float, float]]:
        """DA-Net's mean opinion of each picture's real and fake pair; empty without DA-Net."""
        if self.real is None or self.fake is None:
            return []
        means = zip(self.real.mean(axis=(1, 2)), self.fake.mean(axis=(1, 2)), strict=True)
        return [(float(real), float(fake)) for real, fake in means]


@torch.no_grad()
def take_snapshot(epoch: int, lf_net: nn.Module, da_net: nn.Module | None, pictures: LesionArrays) -> Snapshot:
    """Let both networks look at the pictures, in evaluation mode; their modes are put back.

    Args:
        epoch: finished epochs.
        lf_net: images `(B, 3, H, W)` in 0..1 to logits `(B, 1, H, W)`.
        da_net: pairs to patch logits; None in a run without one.
        pictures: a few, with the experts' masks.
    """
    device = next(lf_net.parameters()).device
    images, experts = (tensor.to(device) for tensor in pictures.tensors())
    was_training = lf_net.training
    drawn = torch.sigmoid(lf_net.eval()(images).float())
    lf_net.train(was_training)
    masks = drawn > THRESHOLD
    opinions = [None, None]
    if da_net is not None:
        opinions = [patch_maps(da_net, images, pair).float().cpu().numpy() for pair in (experts, drawn)]
    dice = scores(confusion_counts(masks.cpu(), experts.cpu()))["dice"]
    return Snapshot(epoch, masks[:, 0].cpu().numpy(), dice.numpy(), *opinions)


def spread_over(snapshots: list[Snapshot], count: int) -> list[Snapshot]:
    """At most `count` of them: the first, the last, and others spread evenly between."""
    places = np.linspace(0, len(snapshots) - 1, min(count, len(snapshots))).round().astype(int)
    return [snapshots[place] for place in places]
