"""How much of LF-Net's step is DA-Net's doing: two gradients of one batch, and every weight between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from jaalnet_core.choices import AdversarialKind, RecipeName
from jaalnet_core.da_net import pair
from jaalnet_core.losses import REGION_LOSSES, contour_loss, generator_loss


@dataclass(frozen=True)
class GradientMix:
    """LF-Net's gradient as `supervised + weight * adversarial`, for any weight of DA-Net's opinion.

    Attributes:
        supervised: L2 norm of the gradient of the mask's and the outline's loss, over all of LF-Net's weights.
        adversarial: the same of DA-Net's opinion, at weight 1.
        cosine: of the angle between the two, in -1..1; below 0 they disagree.
    """

    supervised: float
    adversarial: float
    cosine: float

    def share(self, weight: float) -> float:
        """The adversarial part's share of the two norms, in 0..1: `w |a| / (|s| + w |a|)`."""
        pull = weight * self.adversarial
        total = self.supervised + pull
        return pull / total if total else 0.0

    def turn(self, weight: float) -> float:
        """Degrees, 0..180, by which DA-Net's opinion turns the step away from the supervised one alone."""
        along = self.supervised + weight * self.adversarial * self.cosine
        across = weight * self.adversarial * math.sqrt(max(0.0, 1 - self.cosine**2))
        return math.degrees(math.atan2(across, along)) if along or across else 0.0

    def weight_for(self, share: float) -> float:
        """The weight at which the adversarial part has this `share` (0 up to, not including, 1)."""
        if not 0 <= share < 1:
            raise ValueError(f"share: found {share}, expected at least 0 and below 1.")
        return share / (1 - share) * self.supervised / self.adversarial if self.adversarial else math.inf


def gradient_mix(
    lf_net: nn.Module,
    da_net: nn.Module,
    images: Tensor,
    masks: Tensor,
    *,
    kind: AdversarialKind = "hinge",
    region_loss: RecipeName = "course",
    contour_weight: float = 0.5,
) -> GradientMix:
    """Measure both gradients on one batch; no weight changes and no `.grad` is written.

    Args:
        lf_net, da_net: in the mode in which they are to be measured.
        images: `(B, 3, H, W)` in 0..1. masks: `(B, 1, H, W)` of 0 or 1.
        kind, region_loss, contour_weight: as in `TrainSettings`.
    """
    logits, contour_logits = lf_net(images, with_contour=True) if contour_weight else (lf_net(images), None)
    supervised = REGION_LOSSES[region_loss](logits, masks)
    if contour_weight:
        supervised = supervised + contour_weight * contour_loss(contour_logits, masks)
    adversarial = generator_loss(da_net(pair(images, torch.sigmoid(logits))), kind)
    weights = [parameter for parameter in lf_net.parameters() if parameter.requires_grad]
    first = _flat(torch.autograd.grad(supervised, weights, retain_graph=True, allow_unused=True), weights)
    second = _flat(torch.autograd.grad(adversarial, weights, allow_unused=True), weights)
    norms = first.norm().item(), second.norm().item()
    cosine = (first @ second).item() / (norms[0] * norms[1]) if all(norms) else 0.0
    return GradientMix(*norms, cosine=min(1.0, max(-1.0, cosine)))


def _flat(gradients: Sequence[Tensor | None], weights: Sequence[Tensor]) -> Tensor:
    """One float64 vector; a weight that the loss does not reach has gradient 0."""
    parts = [torch.zeros_like(w) if g is None else g for g, w in zip(gradients, weights, strict=True)]
    return torch.cat([part.flatten().double() for part in parts])
