"""Answers to the exercises of lesson 5, right and wrong."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from cases.lesson05_modules import FUSION, PATCHES
from exercise_cases import Cases, Fault
from torch import Tensor, nn
from torch.nn import functional

from jaalnet_core.lf_net import pad_to_multiple
from jaalnet_core.losses import end_point_error, generator_loss


def padded_by(
    mode: str = "replicate", above: Callable[[int], int] = lambda n: 0, missing: Callable[[int, int], int] | None = None
) -> Callable[..., Tensor]:
    """An answer to 5.1 that pads in a certain way and crops what it has padded."""
    missing = missing or (lambda side, multiple: -side % multiple)

    def answer(network: nn.Module, images: Tensor, multiple: int) -> Tensor:
        height, width = images.shape[-2:]
        rows, columns = missing(height, multiple), missing(width, multiple)
        top, left = above(rows), above(columns)
        bigger = functional.pad(images, (left, columns - left, top, rows - top), mode=mode)
        return network(bigger)[..., top : top + height, left : left + width]

    return answer


def by_concatenation(network: nn.Module, images: Tensor, multiple: int) -> Tensor:
    height, width = images.shape[2], images.shape[3]
    rows = math.ceil(height / multiple) * multiple - height
    columns = math.ceil(width / multiple) * multiple - width
    grown = torch.cat([images, *[images[:, :, -1:]] * rows], dim=2)
    grown = torch.cat([grown, grown[:, :, :, -1:].expand(-1, -1, -1, columns)], dim=3)
    return network(grown)[:, :, :height, :width]


def by_index(network: nn.Module, images: Tensor, multiple: int) -> Tensor:
    height, width = images.shape[-2:]
    rows = torch.arange(height + (multiple - height % multiple) % multiple).clamp(max=height - 1)
    columns = torch.arange(width + (multiple - width % multiple) % multiple).clamp(max=width - 1)
    return network(images[:, :, rows][..., columns])[:, :, :height, :width]


def without_crop(network: nn.Module, images: Tensor, multiple: int) -> Tensor:
    return network(functional.pad(images, (0, -images.shape[3] % multiple, 0, -images.shape[2] % multiple)))


def resized(network: nn.Module, images: Tensor, multiple: int) -> Tensor:
    size = [side + -side % multiple for side in images.shape[-2:]]
    bigger = functional.interpolate(images, size=size, mode="bilinear", align_corners=False)
    return functional.interpolate(network(bigger), size=images.shape[-2:], mode="bilinear", align_corners=False)


def wrong_corner(network: nn.Module, images: Tensor, multiple: int) -> Tensor:
    height, width = images.shape[-2:]
    bigger = functional.pad(images, (0, -width % multiple, 0, -height % multiple), mode="replicate")
    return network(bigger)[..., -height:, -width:]


def sides_exchanged(network: nn.Module, images: Tensor, multiple: int) -> Tensor:
    height, width = images.shape[-2:]
    bigger = functional.pad(images, (0, -height % multiple, 0, -width % multiple), mode="replicate")
    return network(bigger)[..., :height, :width]


def by_package(network: nn.Module, images: Tensor, multiple: int) -> Tensor:
    return network(pad_to_multiple(images, multiple))[..., : images.shape[-2], : images.shape[-1]]


def cut_off(network: nn.Module, images: Tensor, multiple: int) -> Tensor:
    height, width = (side - side % multiple for side in images.shape[-2:])
    return network(images[..., :height, :width])


SIZES = Cases(
    right={
        "rows and columns appended one by one": by_concatenation,
        "indices that stop at the border": by_index,
        "both paddings at once": padded_by(),
    },
    wrong={
        "padded with zeros": Fault(padded_by("constant"), "you pad with zeros"),
        "padded above and left": Fault(padded_by(above=lambda n: n), "you pad above or on the left"),
        "padded on all sides": Fault(padded_by(above=lambda n: n // 2), "you pad above or on the left"),
        "a whole multiple too much": Fault(
            padded_by(missing=lambda side, m: m - side % m), "a side that is a multiple already needs 0 more"
        ),
        "not cropped": Fault(without_crop, "the padding is still there"),
        "resized there and back": Fault(resized, "you resize: every feature moves"),
        "cropped at the wrong corner": Fault(wrong_corner, "you crop the wrong corner"),
        "height and width exchanged": Fault(sides_exchanged, "from the last axis backwards"),
        "cut off instead of padded": Fault(cut_off, "cut, instead of padded"),
    },
    own={"the package's padding": by_package},
    equivalent={
        "height, width = images.shape[-2:]  ->  height, width = images.shape[2:]": "the same two of four axes",
    },
)


def loss_by_softplus(prediction: Tensor, mask: Tensor, patch_logits: Tensor) -> Tensor:
    epe = torch.linalg.vector_norm(prediction - mask, dim=1).mean()
    return functional.softplus(-patch_logits).mean() + 100 * functional.l1_loss(prediction, mask) + 50 * epe


def loss_by_loops(prediction: Tensor, mask: Tensor, patch_logits: Tensor) -> Tensor:
    l1, lengths = 0.0, 0.0
    batch, channels, height, width = mask.shape
    for one, other in zip(prediction, mask, strict=True):
        for row in range(height):
            for column in range(width):
                difference = one[:, row, column] - other[:, row, column]
                l1 += float(difference.abs().sum()) / channels
                lengths += math.sqrt(float((difference**2).sum()))
    pixels = batch * height * width
    adversarial = -torch.log(torch.sigmoid(patch_logits)).mean()
    return adversarial + (100 * l1 + 50 * lengths) / pixels


def loss_with(
    adversarial: Callable[[Tensor], Tensor] = lambda logits: functional.softplus(-logits).mean(),
    l1: Callable[[Tensor], Tensor] = lambda d: d.abs().mean(),
    epe: Callable[[Tensor], Tensor] = lambda d: d.norm(dim=1).mean(),
    weights: tuple[float, float] = (100, 50),
) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """An answer to 5.2 with one of its parts exchanged."""

    def answer(prediction: Tensor, mask: Tensor, patch_logits: Tensor) -> Tensor:
        difference = prediction - mask
        return adversarial(patch_logits) + weights[0] * l1(difference) + weights[1] * epe(difference)

    return answer


LOSS = Cases(
    right={
        "softplus and vector_norm": loss_by_softplus,
        "pixel by pixel": loss_by_loops,
        "mean over the batch first": loss_with(epe=lambda d: (d**2).sum(1).pow(0.5).flatten(1).mean(1).mean()),
    },
    wrong={
        "150 L1 for all": Fault(loss_with(epe=lambda d: d.abs().mean()), "the adversarial part + 150 L1"),
        "wants to be fake": Fault(
            loss_with(lambda logits: functional.softplus(logits).mean()), "are compared with 0 (fake)"
        ),
        "sigmoid twice": Fault(
            loss_with(lambda logits: functional.softplus(-torch.sigmoid(logits)).mean()), "went through a sigmoid first"
        ),
        "no root": Fault(loss_with(epe=lambda d: d.square().sum(dim=1).mean()), "EPE lacks its square root"),
        "norm of everything": Fault(loss_with(epe=lambda d: d.norm()), "the length of the whole picture"),
        "sum over pixels": Fault(
            loss_with(l1=lambda d: d.abs().sum(), epe=lambda d: d.norm(dim=1).sum()), "both terms are means"
        ),
        "weights swapped": Fault(loss_with(weights=(50, 100)), "the two weights are swapped"),
        "no adversary": Fault(loss_with(lambda logits: torch.tensor(0.0)), "the adversarial part is missing"),
        "a loss for each pixel": Fault(loss_with(epe=lambda d: d.norm(dim=1)), "your loss has shape"),
    },
    own={
        "the package's EPE": loss_with(epe=lambda d: end_point_error(d, torch.zeros_like(d))),
        "the package's adversarial loss": loss_with(generator_loss),
    },
)

CASES = {"5.1": SIZES, "5.2": LOSS, "5.3": FUSION, "5.4": PATCHES}
