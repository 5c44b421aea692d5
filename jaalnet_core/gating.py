"""LF-Net with its contour gates scaled or forced: what the outline and the mask owe to them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from jaalnet_core.contour import ContourGate, mask_boundary
from jaalnet_core.metrics import confusion_counts, per_image


@dataclass(frozen=True, eq=False)
class GatedRun:
    """One forward pass under chosen gates; levels run from the coarsest (next to the bottleneck) to the finest.

    Attributes:
        logits: of the lesion mask, `(B, 1, H, W)`.
        contour: the contour stream's logits, `(B, 1, H, W)`.
        gates: what each level's stream was multiplied by, less one: `(B, 1, h, w)` a level.
        streams: the stream after each gate, `(B, C, h, w)` a level.
    """

    logits: Tensor
    contour: Tensor
    gates: tuple[Tensor, ...]
    streams: tuple[Tensor, ...]


def run_with_gates(
    network: nn.Module, images: Tensor, *, strength: float = 1.0, forced: float | None = None
) -> GatedRun:
    """Run LF-Net while every gate `a` of its contour stream is `strength * a`, or `forced` everywhere.

    Strength 1 is the network as it was trained; forced 0 shuts every gate, so that the stream passes each level as it
    came, and forced 1 opens every gate, so that it is doubled everywhere. The network is left as it was, and no
    gradient is kept.

    Args:
        network: an LF-Net.
        images: `(B, 3, H, W)` RGB in 0..1.
        strength: factor on the gates, from 0 up.
        forced: 0..1; None leaves the gates to themselves. Where given, `strength` has no effect.

    Raises:
        ValueError: a strength or a forced value out of its range, or a network without contour gates.
    """
    if strength < 0:
        raise ValueError(f"strength: found {strength}, expected a factor from 0 up.")
    if forced is not None and not 0 <= forced <= 1:
        raise ValueError(f"forced: found {forced}, expected None or a value from 0 (shut) to 1 (open).")
    levels = [module for module in network.modules() if isinstance(module, ContourGate)]
    if not levels:
        raise ValueError(f"network: found a {type(network).__name__} without contour gates, expected an LF-Net.")
    gates: list[Tensor] = []
    streams: list[Tensor] = []

    def regate(level: ContourGate, inputs: tuple[Tensor, Tensor], _output: Tensor) -> Tensor:
        stream, side = inputs
        gate = level.gate(stream, side)
        gate = strength * gate if forced is None else torch.full_like(gate, forced)
        gates.append(gate)
        streams.append(level.conv(stream * (1 + gate)))
        return streams[-1]

    handles = [level.register_forward_hook(regate) for level in levels]
    try:
        with torch.no_grad():
            logits, contour = network(images, with_contour=True)
    finally:
        for handle in handles:
            handle.remove()
    return GatedRun(logits, contour, tuple(gates), tuple(streams))


def stream_contrast(stream: Tensor) -> Tensor:
    """Where a stream says something: how far each pixel's channels lie from their averages over the picture.

    Args:
        stream: `(B, C, H, W)`.

    Returns:
        `(B, H, W)`, root mean square over the channels, from 0 (as everywhere) up.
    """
    return (stream - stream.mean(dim=(2, 3), keepdim=True)).square().mean(dim=1).sqrt()


def outline_dice(contour: Tensor, mask: Tensor) -> float:
    """Dice of the drawn outline with the mask's own, three pixels wide; per image, then the mean; 0..1.

    Args:
        contour: logits of the contour stream, `(B, 1, H, W)`; above 0 is outline.
        mask: `(B, 1, H, W)`, 0 or 1.
    """
    return per_image(confusion_counts(contour > 0, mask_boundary(mask)))["dice"]


def mask_dice(logits: Tensor, mask: Tensor) -> float:
    """Dice of the predicted mask (logits above 0), per image, then the mean; 0..1. Both `(B, 1, H, W)`."""
    return per_image(confusion_counts(logits > 0, mask))["dice"]


def outline_probabilities(contour: Tensor, mask: Tensor) -> tuple[float, float]:
    """How sure the stream is of an outline on the mask's own, and elsewhere: two means of probabilities, 0..1.

    A sharp stream gives a high and a low one, a stream that says nothing the same twice.

    Args:
        contour: logits of the contour stream, `(B, 1, H, W)`.
        mask: `(B, 1, H, W)`, 0 or 1, with some outline in it.
    """
    probabilities, outline = torch.sigmoid(contour), mask_boundary(mask) > 0
    return probabilities[outline].mean().item(), probabilities[~outline].mean().item()
