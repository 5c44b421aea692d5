"""Everything that the attention microscope shows of one picture, without the widget.

specimen_sheet(lf_net, da_net, picture, mask)  # a notebook shows it; each row's `.figure()` can be saved
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from jaalnet_core.da_net import DANet
from jaalnet_core.figures.drawing import gate_row, mask_row, stream_row
from jaalnet_core.figures.judgement import channel_row, patch_row, position_row, telling_channels
from jaalnet_core.figures.tiles import TileSheet
from jaalnet_core.lf_net import LFNet
from jaalnet_core.position_maps import Pixel, telling_pixels
from jaalnet_core.specimen import DRAWN, EXPERT, Slide, Stage


def specimen_sheet(
    lf_net: LFNet,
    da_net: DANet,
    picture: np.ndarray,
    expert: np.ndarray | None = None,
    *,
    threshold: float = 0.5,
    pixel: Pixel | None = None,
    channels: tuple[int, int] | None = None,
    off: Collection[str] = (),
) -> TileSheet:
    """Everything that the attention microscope shows of one picture, as it stands.

    Args:
        picture: `(H, W, 3)` uint8, RGB.
        expert: `(H, W)`, 0 or 1, or None.
        threshold: 0..1.
        pixel: row and column from which position attention looks; by default deep inside the drawn mask.
        channels: the pair to compare; by default the one with the largest dot product.
        off: parts of either network to switch off, of `switched_off.PARTS`.

    Raises:
        ValueError: a part that neither network has, or a pixel or channel that is not there.
    """
    stage, slide = Stage(lf_net, da_net), Slide("", picture, expert)
    drawing, kinds = stage.drawing(slide, off), (DRAWN,) if expert is None else (DRAWN, EXPERT)
    judgements = {kind: stage.judgement(slide, kind, off) for kind in kinds}
    judged = judgements[DRAWN]
    return TileSheet(
        (
            mask_row(drawing, picture, threshold=threshold, expert=expert, before=stage.drawing(slide)),
            stream_row(drawing),
            gate_row(drawing),
            patch_row(judgements, {kind: stage.judgement(slide, kind) for kind in kinds} if off else None),
            position_row(judged.maps, pixel or telling_pixels(drawing.probabilities)[0]),
            channel_row(judged, channels or telling_channels(judged)),
        )
    )
