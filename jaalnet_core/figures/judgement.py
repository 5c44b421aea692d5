"""What DA-Net made of a picture and a mask, in tiles: where position attention looks, patches, pairs of channels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jaalnet_core.figures.tiles import SIGNED, Tile, TileRow, map_tile
from jaalnet_core.position_maps import Pixel, PositionMaps, in_words, look_from
from jaalnet_core.specimen import Judgement


def position_row(maps: PositionMaps | None, pixel: Pixel) -> TileRow:
    """Where position attention looks from a pixel (row, column), and how that differs from the average map.

    Raises:
        ValueError: the pixel lies outside the picture.
    """
    heading = "DA-Net's position attention, from the cross"
    if maps is None:
        return TileRow(heading, (), "This DA-Net was built without position attention.")
    look, mask, positions = look_from(maps, pixel), maps.mask > 0.5, maps.weights.shape[0]
    words = in_words(look)
    widest = max(float(np.abs(look.difference).max()) * positions, 1e-9)
    shared = {"frame": maps.mask.shape, "predicted": mask, "cross": pixel, "decimals": 1, "dashed": False}
    return TileRow(
        heading,
        (
            map_tile(look.map * positions, "attention, in even shares", alt=words, **shared),
            map_tile(
                look.difference * positions,
                "minus the average map",
                alt=f"The same minus the average map; {look.moved:.1%} of the attention would have to move.",
                limits=(-widest, widest),
                colours=SIGNED,
                **shared,
            ),
        ),
        words,
    )


def patch_row(judgements: Mapping[str, Judgement], before: Mapping[str, Judgement] | None = None) -> TileRow:
    """DA-Net's opinion of each patch of 8x8 pixels, a tile a kind of mask.

    Args:
        judgements: a kind of mask, such as `the drawn mask`, to its judgement.
        before: the same with every part of both networks on, to compare with.
    """
    tiles = []
    for name, judgement in judgements.items():
        tiles.append(_patch_tile(name, judgement))
        if before is not None and judgement is not before[name]:
            tiles.append(_patch_tile(f"{name}, everything on", before[name]))
    words = "Mean opinion, 0 = a network drew this, 1 = an expert did: "
    words += ", ".join(f"{name} {judgement.opinion.mean():.2f}" for name, judgement in judgements.items()) + "."
    if before is not None:
        words += " With everything on: " + ", ".join(f"{n} {j.opinion.mean():.2f}" for n, j in before.items()) + "."
    if off := sorted(set().union(*(judgement.off for judgement in judgements.values()))):
        words += f" Switched off in DA-Net: {', '.join(off)}."
    return TileRow("DA-Net's patch map", tuple(tiles), words)


def channel_row(judgement: Judgement, channels: tuple[int, int], *, matrix: bool = True) -> TileRow:
    """Two channels of DA-Net, their product, and what channel attention makes of the pair.

    Args:
        channels: two indices from 0; may be the same.
        matrix: whether the Gram matrix of all channels is among the tiles.

    Raises:
        ValueError: no such channel.
    """
    heading = "DA-Net's channel attention: two channels and their dot product"
    if judgement.channels is None or judgement.gram is None or judgement.weights is None:
        return TileRow(heading, (), "This DA-Net was built without channel attention.")
    count = len(judgement.channels)
    if not all(0 <= channel < count for channel in channels):
        raise ValueError(f"channels: found {tuple(channels)}, expected two numbers from 0 to {count - 1}.")
    one, other = channels
    product = judgement.channels[one] * judgement.channels[other]
    words = channels_in_words(judgement, channels)
    widest = max(float(np.abs(product).max()), 1e-9)
    shared = {"frame": judgement.mask.shape, "predicted": judgement.mask > 0.5, "decimals": 1, "dashed": False}
    tiles = [
        map_tile(judgement.channels[index], f"channel {index}", alt=f"Channel {index}: where it answers.", **shared)
        for index in channels
    ]
    sum_up = f"The two channels multiplied, place by place; it sums to {product.sum():+.1f}, their entry."
    tiles.append(map_tile(product, "product", alt=sum_up, limits=(-widest, widest), colours=SIGNED, **shared))
    if matrix:
        tiles.insert(0, gram_tile(judgement.gram, channels))
    return TileRow(heading, tuple(tiles), words)


def gram_tile(gram: np.ndarray, channels: tuple[int, int] | None = None) -> Tile:
    """The Gram matrix of all channels, the row and column of a pair marked by a cross."""
    most = max(float(np.quantile(np.abs(gram), 0.99)), 1e-9)
    alt = f"Gram matrix of {len(gram)} channels; entries beyond {most:.0f} are as bright or dark as the scale's ends."
    return map_tile(
        gram,
        f"Gram matrix, {len(gram)}x{len(gram)}",
        alt=alt,
        limits=(-most, most),
        colours=SIGNED,
        decimals=0,
        cross=channels,
    )


def channels_in_words(judgement: Judgement, channels: tuple[int, int]) -> str:
    """A pair's dot product, its cosine, and the weight that channel attention gives it, beside the largest one."""
    one, other = channels
    gram, weights = judgement.gram, judgement.weights[one]
    lengths = float(np.sqrt(gram[one, one] * gram[other, other]))
    most = int(weights.argmax())
    return (
        f"Channels {one} and {other} of {len(gram)}: dot product {gram[one, other]:+.1f}, cosine "
        f"{gram[one, other] / max(lengths, 1e-12):+.2f}. Row maximum minus entry, softmax: channel {one} takes "
        f"{weights[other]:.1%} from channel {other}, and most, {weights[most]:.1%}, from channel {most}; an even share "
        f"is {1 / len(gram):.1%}."
    )


def telling_channels(judgement: Judgement) -> tuple[int, int]:
    """The pair of different channels with the largest dot product, positive or negative; (0, 0) where there is none."""
    if judgement.gram is None or len(judgement.gram) < 2:
        return 0, 0
    strengths = np.abs(judgement.gram) * (1 - np.eye(len(judgement.gram)))
    one, other = np.unravel_index(strengths.argmax(), strengths.shape)
    return int(one), int(other)


def _patch_tile(name: str, judgement: Judgement) -> Tile:
    mean, mask = judgement.opinion.mean(), judgement.mask > 0.5
    by_hand = bool(((judgement.mask == 0) | (judgement.mask == 1)).all())  # an expert's; a network draws probabilities
    return map_tile(
        judgement.opinion,
        f"{name}: mean {mean:.2f}",
        alt=f"DA-Net's opinion of {name}, patch by patch; mean {mean:.2f} (0 = a network drew it, 1 = an expert).",
        frame=judgement.mask.shape,
        limits=(0, 1),
        decimals=0,
        **{"expert" if by_hand else "predicted": mask},
    )
