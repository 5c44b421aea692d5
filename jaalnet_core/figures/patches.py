"""DA-Net's patch map: how real each 8 x 8 patch of a photograph with a mask looks to the discriminator."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from jaalnet_core.da_net import STRIDE, DANet, pair
from jaalnet_core.figures.style import BLACK, TEXT_SIZE, new_figure

_CELL = 1.35  # inches of a picture's longer side


@torch.no_grad()
def patch_maps(da_net: DANet, images: Tensor, masks: Tensor) -> Tensor:
    """DA-Net's opinion of each patch of the pairs: `(B, H/8, W/8)`, 0 = a network drew this, 1 = an expert did.

    The patch logits go through a sigmoid, as for the log's `d_real` and `d_fake`. Trained with a hinge loss, they are
    no calibrated probabilities: read above 0.5 as "rather an expert's", and compare.

    Args:
        da_net: judged in evaluation mode; its mode is put back.
        images: photographs `(B, 3, H, W)` in 0..1, or experts' masks `(B, 1, H, W)` for the second kind of fake pair.
        masks: `(B, 1, H, W)` in 0..1; probabilities are judged as they are, not cut at 0.5.
    """
    was_training = da_net.training
    opinion = torch.sigmoid(da_net.eval()(pair(images, masks.to(images.dtype))))
    da_net.train(was_training)
    return opinion.squeeze(1)


def patch_map_figure(images: Tensor, pairs: Mapping[str, Tensor], da_net: DANet) -> Figure:
    """Each photograph beside DA-Net's patch map of every kind of mask, with the mask's outline drawn on the map.

    Args:
        images: photographs `(B, 3, H, W)` in 0..1.
        pairs: name of a kind, such as `expert`, to its masks `(B, 1, H, W)` in 0..1.
        da_net: the discriminator.

    Returns:
        A figure of `B` rows; under each map its mean. `.alt` says the means in words.

    Raises:
        ValueError: no picture, no kind of mask, or masks of another shape.
    """
    _check(images, pairs)
    maps = {name: patch_maps(da_net, images, masks) for name, masks in pairs.items()}
    height, width = images.shape[-2:]
    scale = _CELL / max(height, width)
    figure = new_figure((1 + len(pairs)) * (scale * width + 0.12) + 0.7, len(images) * (scale * height + 0.22) + 0.25)
    grid = figure.subplots(len(images), 1 + len(pairs), squeeze=False)
    for row, image in enumerate(images):
        grid[row, 0].imshow(image.permute(1, 2, 0).cpu().numpy())
        for axes, (name, opinions) in zip(grid[row, 1:], maps.items(), strict=True):
            shown = _draw_map(axes, opinions[row].cpu().numpy(), pairs[name][row, 0].cpu().numpy())
    for axes, title in zip(grid[0], ["photograph", *pairs], strict=True):
        axes.set_title(title, fontsize=TEXT_SIZE)
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
    bar = figure.colorbar(shown, ax=grid, shrink=0.8, aspect=30, pad=0.02)
    bar.set_label("DA-Net: an expert drew this here", fontsize=TEXT_SIZE)
    bar.ax.tick_params(labelsize=TEXT_SIZE - 1, length=2)
    means = ", ".join(f"{name} {opinions.mean():.2f}" for name, opinions in maps.items())
    figure.alt = (
        f"DA-Net's patch maps of {len(images)} photographs, one column a kind of mask; mean opinion "
        f"(0 = a network drew it, 1 = an expert): {means}."
    )
    return figure


def _draw_map(axes: Axes, opinion: np.ndarray, mask: np.ndarray):
    """The map stretched over the picture's pixels, the outline of `mask` on it, the mean below."""
    height, width = mask.shape
    # DA-Net pads to a multiple of 8: the last patches may reach beyond the picture
    extent = (-0.5, opinion.shape[1] * STRIDE - 0.5, opinion.shape[0] * STRIDE - 0.5, -0.5)
    shown = axes.imshow(opinion, cmap="viridis", vmin=0, vmax=1, extent=extent, interpolation="nearest")
    if mask.min() < 0.5 < mask.max():
        for colour, line in ((BLACK, 2.2), ("white", 0.9)):
            axes.contour(mask, levels=[0.5], colors=[colour], linewidths=line)
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    axes.set_xlabel(f"mean {opinion.mean():.2f}", fontsize=TEXT_SIZE - 1, labelpad=2)
    return shown


def _check(images: Tensor, pairs: Mapping[str, Tensor]) -> None:
    if not len(images) or not pairs:
        raise ValueError(
            f"found {len(images)} pictures and {len(pairs)} kinds of masks, expected at least one of each."
        )
    expected = (len(images), 1, *images.shape[-2:])
    for name, masks in pairs.items():
        if tuple(masks.shape) != expected:
            raise ValueError(f"{name}: found masks of shape {tuple(masks.shape)}, expected {expected}.")
