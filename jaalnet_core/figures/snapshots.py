"""The same pictures over the epochs: outlines that grow right, and DA-Net's opinion of them, patch by patch."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence

import cv2
import numpy as np
from matplotlib import colormaps

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.figures.outlines import draw_outlines
from jaalnet_core.figures.panels import picture_row
from jaalnet_core.figures.style import NotebookFigure
from jaalnet_core.snapshots import Snapshot, spread_over

SIDE = 240  # pixels of a drawn picture's shorter side
_SHOWN = 165  # pixels on the page
_VIRIDIS = (255 * colormaps["viridis"](np.arange(256))[:, :3]).round().astype(np.uint8)


def outlined(pictures: LesionArrays, snapshot: Snapshot, index: int, side: int = SIDE) -> np.ndarray:
    """One photograph with both outlines, the expert's solid and LF-Net's dashed: `(H, W, 3)` uint8."""
    return draw_outlines(
        pictures.images[index],
        expert=pictures.masks[index],
        predicted=snapshot.masks[index],
        line_width=2,
        enlarge_to=side,
    )


def judged(pictures: LesionArrays, snapshot: Snapshot, index: int, side: int = SIDE) -> np.ndarray | None:
    """DA-Net's patch map of one drawing with the drawing's outline on it, `(H, W, 3)` uint8; None without DA-Net.

    The brighter a patch, the more it looks like an expert's to DA-Net.
    """
    if snapshot.fake is None:
        return None
    height, width = pictures.size.height, pictures.size.width
    opinion = (255 * snapshot.fake[index]).round().clip(0, 255).astype(np.uint8)
    stride = -(-max(height, width) // max(opinion.shape))  # DA-Net pads: its last patches may reach beyond the picture
    coloured = _VIRIDIS[opinion.repeat(stride, 0).repeat(stride, 1)][:height, :width]
    return draw_outlines(coloured, predicted=snapshot.masks[index], line_width=2, enlarge_to=side)


def snapshot_html(pictures: LesionArrays, snapshot: Snapshot) -> str:
    """The pictures of one moment as HTML that fits any width: outlines above, DA-Net's opinion below, both in words.

    Drawn without matplotlib: it takes milliseconds, so that a training that is watched is hardly slower.
    """
    opinions = snapshot.opinions
    figures = []
    for index in range(len(pictures)):
        words = f"Dice {snapshot.dice[index]:.2f}"
        alt = f"Picture {index + 1} after epoch {snapshot.epoch}: the expert's outline solid, LF-Net's dashed. {words}."
        shown = _image(outlined(pictures, snapshot, index), alt)
        if opinions:
            real, fake = opinions[index]
            said = f"DA-Net's opinion of picture {index + 1} with LF-Net's drawing, patch by patch, mean {fake:.2f}."
            shown += _image(judged(pictures, snapshot, index), said)
            words += f"<br>DA-Net: expert's {real:.2f}, drawn {fake:.2f}"
        figures.append(f'<figure style="margin: 0">{shown}<figcaption>{words}</figcaption></figure>')
    return (
        '<div style="display: flex; flex-wrap: wrap; gap: 8px; line-height: 1.4; '
        f'font-size: 90%">{"".join(figures)}</div>'
    )


def snapshot_in_words(snapshot: Snapshot) -> str:
    """One moment as a sentence."""
    words = f"After epoch {snapshot.epoch}: Dice {', '.join(f'{dice:.2f}' for dice in snapshot.dice)}"
    if opinions := snapshot.opinions:
        real, fake = np.mean(opinions, axis=0)
        words += f"; DA-Net finds the experts' masks {real:.2f} real and the drawn ones {fake:.2f}"
    return words + "."


def outlines_over_epochs(
    pictures: LesionArrays, snapshots: Sequence[Snapshot], *, columns: int = 5, rows: int = 4
) -> NotebookFigure:
    """The same pictures, a row each, at up to `columns` moments from the first to the last.

    Args:
        pictures: the `K` that the snapshots were taken of; the first `rows` are shown.
        snapshots: in the order of their epochs, at least one.

    Raises:
        ValueError: no snapshot, or snapshots of other pictures.
    """
    if not snapshots or any(one.masks.shape != pictures.masks.shape for one in snapshots):
        shapes = sorted({one.masks.shape for one in snapshots})
        raise ValueError(
            f"found {len(snapshots)} snapshots of masks {shapes}, expected at least one of {pictures.masks.shape}."
        )
    chosen = spread_over(list(snapshots), columns)
    images, titles = [], []
    for index in range(min(rows, len(pictures))):
        for one in chosen:
            images.append(outlined(pictures, one, index))
            titles.append(f"epoch {one.epoch}, Dice {one.dice[index]:.2f}")
    alt = "The expert's outline, solid, and LF-Net's, dashed, on the same pictures. "
    return picture_row(images, titles, columns=len(chosen), alt=alt + " ".join(map(snapshot_in_words, chosen)))


def _image(picture: np.ndarray, alt: str) -> str:
    # WebP: a sixth of a PNG's bytes, renewed after every epoch
    encoded = cv2.imencode(".webp", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, 90])[1]
    source = base64.b64encode(encoded.tobytes()).decode()
    width = round(_SHOWN * picture.shape[1] / min(picture.shape[:2]))
    return (
        f'<img src="data:image/webp;base64,{source}" width="{width}" alt="{html.escape(alt, quote=True)}" '
        'style="max-width: 100%; display: block; margin-bottom: 4px">'
    )
