"""Is a probability of 0.8 right in 8 of 10 pixels? Reliability of pixel probabilities, and one number for it.

Pixels are sorted by their predicted probability of lesion into bins of equal width. In each bin the mean
probability should be the share of pixels that are lesion (the reliability diagram: DeGroot and Fienberg 1983).
The expected calibration error is the mean gap, each bin weighted by its pixels (Naeini et al. 2015; there and in
Guo et al. 2017 for the confidence in the winning class, here for the probability of lesion).

A low error does not make a network good: to predict everywhere the lesion's share of all pixels has none.

    >>> probabilities = torch.tensor([0.9, 0.9, 0.9, 0.9])
    >>> round(reliability(probabilities, torch.tensor([1, 1, 1, 0])).expected_error, 2)
    0.15
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Reliability:
    """Pixels sorted by their probability into `B` bins.

    Attributes:
        edges: `(B + 1,)` float64, 0 to 1.
        pixels: `(B,)` int64: how many fell into each bin.
        confidence: `(B,)` float64: their mean probability; nan in an empty bin.
        frequency: `(B,)` float64: the share of them that is lesion; nan in an empty bin.
    """

    edges: Tensor
    pixels: Tensor
    confidence: Tensor
    frequency: Tensor

    @property
    def gaps(self) -> Tensor:
        """`(B,)` confidence minus frequency: above 0 where the network is too sure of lesion; 0 in an empty bin."""
        return torch.where(self.pixels > 0, self.confidence - self.frequency, 0.0)

    @property
    def expected_error(self) -> float:
        """The expected calibration error, 0..1: the mean size of the gap over pixels."""
        return (self.pixels * self.gaps.abs()).sum().item() / self.pixels.sum().item()

    @property
    def undecided(self) -> float:
        """The share of pixels outside the first and the last bin."""
        return self.pixels[1:-1].sum().item() / self.pixels.sum().item()


def reliability(probabilities: Tensor, masks: Tensor, bins: int = 10) -> Reliability:
    """Sort pixels into bins by their probability of lesion, and count how many are lesion.

    Args:
        probabilities: any shape, 0..1.
        masks: the experts', same shape, boolean or 0/1.
        bins: of equal width; a value on an edge belongs to the bin above it, 1.0 to the last.

    Raises:
        ValueError: no pixel, shapes that differ, values outside their range, or fewer than one bin.
    """
    if probabilities.shape != masks.shape or not probabilities.numel():
        raise ValueError(
            f"probabilities {tuple(probabilities.shape)} and masks {tuple(masks.shape)}: expected one shape, "
            "and at least one pixel."
        )
    if bins < 1:
        raise ValueError(f"bins: found {bins}, expected at least 1.")
    values, lesion = probabilities.detach().cpu().double().flatten(), masks.cpu().double().flatten()
    if not bool(((values >= 0) & (values <= 1)).all()):  # written so that nan fails too
        raise ValueError("probabilities: found values outside 0 to 1; logits need a sigmoid first.")
    if not bool(((lesion == 0) | (lesion == 1)).all()):
        raise ValueError("masks: found values other than 0 and 1.")
    place = (values * bins).long().clamp(max=bins - 1)
    pixels = torch.bincount(place, minlength=bins)
    return Reliability(
        edges=torch.linspace(0, 1, bins + 1, dtype=torch.float64),
        pixels=pixels,
        confidence=torch.bincount(place, weights=values, minlength=bins) / pixels,  # 0/0 is nan
        frequency=torch.bincount(place, weights=lesion, minlength=bins) / pixels,
    )
