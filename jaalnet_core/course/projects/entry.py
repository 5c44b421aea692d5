"""What project A fixes for all, its protocol, and what an entry may change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn
from torchvision.transforms import v2

from jaalnet_core.errors import SettingsError
from jaalnet_core.losses import course_region_loss
from jaalnet_core.size import Size

Loss = Callable[[nn.Module, Tensor, Tensor], Tensor]


def region_loss(network: nn.Module, images: Tensor, masks: Tensor) -> Tensor:
    """What the baseline makes small: cross-entropy and soft Dice of the mask, the contour stream left to itself."""
    return course_region_loss(network(images), masks)


@dataclass(frozen=True)
class Protocol:
    """What all entries share; with another protocol two results cannot be compared.

    Attributes:
        size: of the pictures, which the bill is counted for as well.
        train, validation: pictures learnt from and scored on.
        epochs, batch_size: of each training; the last epoch's weights are scored, none is chosen.
        seeds: one training each.
        gflop: the most that a forward pass of one picture may cost, in GFLOP.
    """

    size: Size = Size(48, 48)
    train: int = 48
    validation: int = 32
    epochs: int = 8
    batch_size: int = 8
    seeds: tuple[int, ...] = (0, 1, 2)
    gflop: float = 0.0531  # the baseline's bill, rounded up

    def __post_init__(self) -> None:
        for name in ("train", "validation", "epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name}: found {getattr(self, name)}, expected at least 1.")
        if len(set(self.seeds)) < 2 or len(set(self.seeds)) != len(self.seeds):
            raise SettingsError(f"seeds: found {self.seeds}, expected two or more, all different: one proves nothing.")


@dataclass(frozen=True)
class Entry:
    """What is handed in: everything that a learner may change.

    Attributes:
        name: for the table.
        build: makes the untrained network, `(B, 3, H, W)` RGB in 0..1 to logits `(B, 1, H, W)`; called once a seed.
        loss: takes the network, images `(B, 3, H, W)` and masks `(B, 1, H, W)`; returns a scalar.
        augmentation: for training pictures, as `data.augment.build_augmentation` returns; None for none.
        learning_rate: the highest one of the one-cycle schedule.
    """

    name: str
    build: Callable[[], nn.Module]
    loss: Loss = region_loss
    augmentation: v2.Transform | None = None
    learning_rate: float = 4e-3
