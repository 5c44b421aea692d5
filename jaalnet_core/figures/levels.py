"""What LF-Net's levels carry for one photograph: all of them at a glance, or one channel of one level."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from jaalnet_core.activations import record
from jaalnet_core.figures.panels import picture_row
from jaalnet_core.figures.style import NotebookFigure
from jaalnet_core.gating import stream_contrast
from jaalnet_core.lf_net import LEVELS, LFNet

COLUMNS = LEVELS  # of the overview: a size each, finest first


def level_features(lf_net: LFNet, picture: np.ndarray) -> dict[str, Tensor]:
    """The features that leave each level: `encoder 1` to `5`, `decoder 4` to `1`, `contour 4` to `1`, finest is 1.

    Args:
        picture: `(H, W, 3)` uint8, RGB.

    Returns:
        `(C, h, w)` each, in the order in which they are computed.
    """
    modules = {f"encoder {i + 1}": f"encoder.{i}" for i in range(LEVELS)}
    for kind in ("decoder", "contour"):
        modules |= {f"{kind} {LEVELS - 1 - i}": f"{kind}.{i}" for i in range(LEVELS - 1)}
    image = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255
    with record(lf_net, *modules.values()) as seen, torch.no_grad():
        lf_net(image)
    return {name: seen[module][0] for name, module in modules.items()}


def levels_figure(
    features: Mapping[str, Tensor], picture: np.ndarray, probabilities: np.ndarray | Tensor
) -> NotebookFigure:
    """Encoder, decoder and contour stream in a row each, a size a column: how far each place differs from the average.

    Args:
        features: what `level_features` returned for `picture`.
        probabilities: `(H, W)`, the mask that LF-Net made of it.
    """
    images, titles = [], []
    for kind in ("encoder", "decoder", "contour"):
        for level in range(1, COLUMNS + 1):
            if (name := f"{kind} {level}") in features:
                channels, height, width = features[name].shape
                images.append(stream_contrast(features[name][None])[0])
                titles.append(f"{name}\n{channels} x {height} x {width}")
        if kind == "decoder":
            images.append(picture)
            titles.append("photograph\n")
        if kind == "contour":
            images.append(probabilities)
            titles.append("mask drawn\n")
    alt = (
        "How far each place differs from the average over the picture, for every level of encoder, decoder and contour "
        f"stream, from {'x'.join(map(str, features['encoder 1'].shape[-2:]))} positions to "
        f"{'x'.join(map(str, features[f'encoder {LEVELS}'].shape[-2:]))}; beside them photograph and mask."
    )
    return picture_row(images, titles, alt=alt, columns=COLUMNS)


def lesion_contrast(values: Tensor, mask: np.ndarray) -> float:
    """Mean of a map on the lesion minus mean beside it, in standard deviations of the map; 0 where there is none.

    Args:
        values: `(h, w)`.
        mask: `(H, W)`, 0 or 1, of the picture; averaged down to the map's size.
    """
    weight = functional.interpolate(torch.from_numpy(np.asarray(mask)).float()[None, None], values.shape, mode="area")[
        0, 0
    ]
    spread = values.std().item()
    if spread == 0 or not 0 < weight.sum() < weight.numel():
        return 0.0
    inside = (values * weight).sum() / weight.sum()
    outside = (values * (1 - weight)).sum() / (1 - weight).sum()
    return ((inside - outside) / spread).item()


def channel_figure(
    features: Mapping[str, Tensor], level: str, channel: int, picture: np.ndarray, mask: np.ndarray
) -> NotebookFigure:
    """The photograph, and beside it one channel of one level; `alt` says how it tells lesion from skin.

    Args:
        features: what `level_features` returned for `picture`.
        level: such as `decoder 2`.
        channel: from 0.
        mask: `(H, W)`, 0 or 1, for the sentence.

    Raises:
        ValueError: no such level or channel.
    """
    if level not in features:
        raise ValueError(f"level: found {level!r}, expected one of {', '.join(features)}.")
    channels, height, width = features[level].shape
    if not 0 <= channel < channels:
        raise ValueError(f"channel: found {channel}, expected 0 to {channels - 1}, as {level} has {channels} channels.")
    values = features[level][channel]
    contrast = lesion_contrast(values, mask)
    verdict = "tells them hardly apart" if abs(contrast) < 0.3 else f"is {'higher' if contrast > 0 else 'lower'} on it"
    alt = (
        f"{level}, channel {channel} of {channels}, {height} x {width} positions: values {values.min():.2f} to "
        f"{values.max():.2f}. Lesion minus skin: {contrast:+.1f} standard deviations, so it {verdict}."
    )
    return picture_row([picture, values], ["photograph", f"{level}, channel {channel}"], alt=alt, colourbar=True)
