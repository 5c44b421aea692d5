"""What the two networks are trained to make small."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from jaalnet_core.choices import AdversarialKind
from jaalnet_core.contour import mask_boundary


def discriminator_loss(logits: Tensor, real: bool, kind: AdversarialKind = "bce") -> Tensor:
    """How far DA-Net is from calling these pairs what they are; a scalar.

    Args:
        logits: DA-Net's patch logits, any shape.
        real: whether an expert drew the masks.
        kind: `bce` (Goodfellow et al. 2014, the published loss), `hinge` (Lim and Ye 2017) or `least-squares` (Mao et
            al. 2017, targets 1 and 0).
    """
    if kind == "hinge":
        return functional.relu(1 - logits if real else 1 + logits).mean()
    return _towards(logits, 1.0 if real else 0.0, kind)


def generator_loss(logits: Tensor, kind: AdversarialKind = "bce") -> Tensor:
    """How far LF-Net's masks are from being taken for an expert's; a scalar.

    Args:
        logits: DA-Net's patch logits of the predicted masks, any shape.
    """
    return -logits.mean() if kind == "hinge" else _towards(logits, 1.0, kind)


def _towards(logits: Tensor, target: float, kind: AdversarialKind) -> Tensor:
    goal = torch.full_like(logits, target)
    if kind == "bce":
        return functional.binary_cross_entropy_with_logits(logits, goal)
    if kind == "least-squares":
        return functional.mse_loss(logits, goal)
    raise ValueError(f"kind: found {kind!r}, expected 'bce', 'hinge' or 'least-squares'.")


def end_point_error(prediction: Tensor, mask: Tensor) -> Tensor:
    """L2 norm over the channels, averaged over the pixels; a scalar.

    Named after optical flow, where a pixel has two channels. With one channel it is the mean absolute error.

    Args:
        prediction, mask: `(B, C, H, W)`.
    """
    return torch.linalg.vector_norm(prediction - mask, dim=1).mean()


def published_region_loss(logits: Tensor, mask: Tensor) -> Tensor:
    """`100 L1 + 50 EPE` of the probabilities, as published: with one-channel masks exactly `150 L1`.

    Args:
        logits, mask: `(B, 1, H, W)`.
    """
    probabilities = torch.sigmoid(logits)
    return 100 * functional.l1_loss(probabilities, mask) + 50 * end_point_error(probabilities, mask)


def soft_dice_loss(logits: Tensor, mask: Tensor, smooth: float = 1.0) -> Tensor:
    """One minus the Dice of the probabilities, per picture, then averaged (Milletari et al. 2016); a scalar in 0..1.

    Args:
        logits, mask: `(B, 1, H, W)`.
        smooth: in pixels; keeps an empty mask defined, and met by an empty prediction.
    """
    probabilities = torch.sigmoid(logits).flatten(1)
    mask = mask.flatten(1)
    overlap = (probabilities * mask).sum(dim=1)
    total = probabilities.sum(dim=1) + mask.sum(dim=1)
    return (1 - (2 * overlap + smooth) / (total + smooth)).mean()


def course_region_loss(logits: Tensor, mask: Tensor) -> Tensor:
    """Binary cross-entropy (every pixel counts) plus soft Dice (every lesion counts, small ones too); a scalar.

    Args:
        logits, mask: `(B, 1, H, W)`.
    """
    return functional.binary_cross_entropy_with_logits(logits, mask) + soft_dice_loss(logits, mask)


def contour_loss(
    contour_logits: Tensor,
    mask: Tensor,
    width: int = 3,
    batch_mean: Callable[[Tensor], Tensor] = torch.mean,
) -> Tensor:
    """How far the contour stream is from the mask's outline; a scalar.

    Outline pixels are few, so each class weighs half of the cross-entropy; soft Dice joins it.

    Args:
        contour_logits, mask: `(B, 1, H, W)`.
        width: of the outline, odd, in pixels.
        batch_mean: the mean over the batch, of which `mask` may be one process's part.
    """
    outline = mask_boundary(mask, width)
    share = batch_mean(outline).clamp(1e-3, 1 - 1e-3)
    weight = torch.where(outline > 0, 0.5 / share, 0.5 / (1 - share))
    balanced = functional.binary_cross_entropy_with_logits(contour_logits, outline, weight=weight)
    return balanced + soft_dice_loss(contour_logits, outline)


REGION_LOSSES = {"course": course_region_loss, "published": published_region_loss}
