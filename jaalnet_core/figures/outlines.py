"""Outlines drawn on a photograph: the expert's as a solid line, the network's as a dashed one.

Each line is bright on a black casing, so that one of the two stands out on any skin, and so that the outline
is found by its light and dark, not by its colour.
"""

from __future__ import annotations

import cv2
import numpy as np
from matplotlib.colors import to_rgb

from jaalnet_core.figures.style import SKY_BLUE, YELLOW

EXPERT_COLOUR = SKY_BLUE
PREDICTED_COLOUR = YELLOW
_SUBPIXEL_BITS = 4  # OpenCV draws at sixteenths of a pixel: dashes keep their length on slanted borders


def draw_outlines(
    picture: np.ndarray,
    *,
    expert: np.ndarray | None = None,
    predicted: np.ndarray | None = None,
    line_width: int | None = None,
    dashed: bool | None = None,
    enlarge_to: int | None = None,
) -> np.ndarray:
    """A copy of a photograph with the outlines of one or two masks on it.

    Args:
        picture: `(H, W, 3)` uint8, RGB.
        expert: `(H, W)` boolean or 0/1; drawn first, as a solid sky-blue line.
        predicted: `(H, W)` boolean or 0/1; drawn over it in yellow.
        line_width: of the bright line in pixels, without its casing; by default it grows with the picture.
        dashed: whether the predicted outline is dashed; by default only when the expert's is there too,
            so that where both agree the two are seen to alternate.
        enlarge_to: bring the shorter side to so many pixels first: on a small picture a line hides less then.

    Returns:
        `(H, W, 3)` uint8, RGB, of the enlarged size where one was asked for. An empty mask draws nothing;
        holes are outlined too.

    Raises:
        ValueError: a shape or type that does not fit.
    """
    _check(picture, expert, "expert")
    _check(picture, predicted, "predicted")
    if enlarge_to is not None:
        picture, expert, predicted = _resized(picture, expert, predicted, enlarge_to)
    canvas = np.ascontiguousarray(picture).copy()
    width = line_width or max(1, round(min(picture.shape[:2]) / 220))
    if expert is not None:
        _draw(canvas, outlines(expert), EXPERT_COLOUR, width)
    if predicted is not None:
        lines = outlines(predicted)
        if expert is not None if dashed is None else dashed:
            lines = [dash for line in lines for dash in cut_into_dashes(line, 7.0 * width)]
        _draw(canvas, lines, PREDICTED_COLOUR, width)
    return canvas


def outlines(mask: np.ndarray) -> list[np.ndarray]:
    """The closed borders of a mask, holes included: a closed `(N, 2)` float32 points `(x, y)` each."""
    borders, _ = cv2.findContours((mask > 0).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return [np.concatenate([border, border[:1]]).reshape(-1, 2).astype(np.float32) for border in borders]


def cut_into_dashes(line: np.ndarray, dash: float) -> list[np.ndarray]:
    """Cut a polyline `(N, 2)` into dashes of about `dash` pixels with gaps as long between them.

    The dash is stretched a little so that a whole number of pairs fits: a closed line has no odd seam. A line
    too short for two dashes is returned whole, so that the outline of a tiny lesion never vanishes.
    """
    steps = np.hypot(*np.diff(line, axis=0).T)
    distance = np.concatenate([[0.0], np.cumsum(steps)])  # along the line, at each point
    pairs = round(distance[-1] / (2 * dash))
    if pairs < 2:
        return [line]
    dash = distance[-1] / (2 * pairs)
    dashes = []
    for start in np.arange(pairs) * 2 * dash:
        inside = (distance > start) & (distance < start + dash)
        stops = np.concatenate([[start], distance[inside], [start + dash]])
        dashes.append(np.column_stack([np.interp(stops, distance, line[:, axis]) for axis in (0, 1)]))
    return [piece.astype(np.float32) for piece in dashes]


def _resized(
    picture: np.ndarray, expert: np.ndarray | None, predicted: np.ndarray | None, side: int
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Picture and masks with a shorter side of `side` pixels; the masks' borders become smooth, not stairs."""
    height, width = picture.shape[:2]
    scale = side / min(height, width)
    target = (round(width * scale), round(height * scale))
    picture = cv2.resize(picture, target, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    masks = [
        None
        if mask is None
        else cv2.resize((mask > 0).astype(np.float32), target, interpolation=cv2.INTER_LINEAR) >= 0.5
        for mask in (expert, predicted)
    ]
    return picture, *masks


def _draw(canvas: np.ndarray, lines: list[np.ndarray], colour: str, width: int) -> None:
    """Draw every line in `colour` on a black casing, in place; pulled in where it runs along the frame."""
    casing = width + 2 * max(1, round(0.6 * width))
    height, breadth = canvas.shape[:2]
    margin = min((casing - 1) / 2, (min(height, breadth) - 1) / 2)
    points = [
        np.round(np.clip(line, margin, [breadth - 1 - margin, height - 1 - margin]) * 2**_SUBPIXEL_BITS)
        for line in lines
    ]
    points = [line.astype(np.int32).reshape(-1, 1, 2) for line in points]
    bright = tuple(round(255 * channel) for channel in to_rgb(colour))
    for shade, thickness in (((0, 0, 0), casing), (bright, width)):
        cv2.polylines(canvas, points, False, shade, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)


def _check(picture: np.ndarray, mask: np.ndarray | None, name: str) -> None:
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(f"picture: found shape {picture.shape} of {picture.dtype}, expected (H, W, 3) of uint8 (RGB).")
    if mask is not None and mask.shape != picture.shape[:2]:
        raise ValueError(
            f"{name}: found a mask of shape {mask.shape} for a picture of {picture.shape[:2]}; "
            "resize one of them first (jaalnet_core.data.preprocess)."
        )
