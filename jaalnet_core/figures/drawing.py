"""What LF-Net made of a picture, in tiles: its mask and scores, the contour stream and its gates level by level."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from jaalnet_core.figures.thresholds import scores_in_words
from jaalnet_core.figures.tiles import Tile, TileRow, map_tile, with_marks
from jaalnet_core.metrics import confusion_counts, per_image
from jaalnet_core.specimen import Drawing


def mask_row(
    drawing: Drawing,
    picture: np.ndarray,
    *,
    threshold: float = 0.5,
    expert: np.ndarray | None = None,
    before: Drawing | None = None,
    photograph: bool = True,
) -> TileRow:
    """The outline at a threshold, the probabilities, and what switching parts off changed; in words, the scores.

    Args:
        drawing: from `draw_mask`.
        picture: `(H, W, 3)` uint8, RGB.
        threshold: 0..1; probabilities above it are lesion.
        expert: the expert's mask `(H, W)`, 0 or 1; None: there are no scores, and the words say so.
        before: the drawing with every part on, to compare with.
        photograph: whether the picture with its outlines is among the tiles.
    """
    mask, words = drawing.probabilities > threshold, mask_in_words(drawing, threshold, expert, before)
    tiles = [
        map_tile(
            drawing.probabilities,
            "probability of lesion",
            alt=f"Probability of lesion at each pixel; above {threshold:.2f} in {mask.mean():.1%} of the frame.",
            limits=(0, 1),
            decimals=0,
            predicted=mask,
        )
    ]
    if photograph:
        lines = "expert: solid; network: dashed" if expert is not None else "the network's outline"
        tiles.insert(0, Tile(with_marks(picture, expert=expert, predicted=mask), lines, f"The photograph. {words}"))
    if before is not None and drawing.off:
        tiles.append(change_tile(picture, before.probabilities > threshold, mask))
    return TileRow("LF-Net's mask", tuple(tiles), words)


def mask_in_words(
    drawing: Drawing, threshold: float, expert: np.ndarray | None = None, before: Drawing | None = None
) -> str:
    """The five scores at a threshold, or that there is nothing to score with; and what is switched off."""
    mask = drawing.probabilities > threshold
    if expert is None:
        words = (
            f"Threshold {threshold:.2f}: the mask covers {mask.mean():.1%} of the frame. No expert's mask belongs to "
            "this picture, so there are no scores."
        )
    else:
        words = scores_in_words(threshold, _scores(mask, expert))
    if drawing.off:
        words += f" Switched off in LF-Net: {', '.join(sorted(drawing.off))}."
        if before is not None and expert is not None:
            words += f" With everything on, Dice is {score_of(before, threshold, expert):.3f}."
    return words


def mask_in_short(drawing: Drawing, threshold: float, expert: np.ndarray | None, before: Drawing) -> str:
    """One sentence on the mask: its share of the frame and, where there is an expert's, its Dice."""
    said = f"Threshold {threshold:.2f}: the mask covers {(drawing.probabilities > threshold).mean():.1%} of the frame"
    if expert is None:
        return f"{said}; no expert's mask, so no scores."
    said += f", Dice {score_of(drawing, threshold, expert):.3f}"
    return said + (f", with everything on {score_of(before, threshold, expert):.3f}." if drawing.off else ".")


def score_of(drawing: Drawing, threshold: float, expert: np.ndarray, metric: str = "dice") -> float:
    """One of `metrics.METRICS` of the mask at a threshold, 0..1, against the expert's `(H, W)`."""
    return _scores(drawing.probabilities > threshold, expert)[metric]


def change_tile(picture: np.ndarray, before: np.ndarray, after: np.ndarray) -> Tile:
    """Where a mask grew (stripes) and where it shrank (dots), on the photograph in grey. Masks `(H, W)`, boolean."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    canvas = with_marks(np.stack([grey] * 3, axis=2) // 2 + 60)
    size = canvas.shape[1::-1]
    rows, columns = np.indices(canvas.shape[:2])
    stripes, dots = (rows + columns) % 10 < 5, (rows % 8 < 4) & (columns % 8 < 4)
    gained, lost = after & ~before, before & ~after
    for where, pattern, bright in ((gained, stripes, (255, 255, 255)), (lost, dots, (0, 0, 0))):
        large = cv2.resize(where.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(bool)
        canvas[large] = (230, 159, 0) if where is gained else (86, 180, 233)
        canvas[large & pattern] = bright
    said = f"gained {gained.mean():.1%} (stripes), lost {lost.mean():.1%} (dots)"
    return Tile(canvas, said, f"What switching off changed in the mask, in shares of the frame: {said}.")


def stream_row(drawing: Drawing) -> TileRow:
    """The contour stream after each gate, coarse to fine, then the outline that it draws."""
    heading = "Contour stream, level by level"
    if drawing.outline is None:
        return TileRow(heading, (), "This LF-Net was built without contour stream.")
    frame = drawing.probabilities.shape
    tiles = [
        map_tile(
            stream,
            f"after the gate at {_size(stream)}",
            alt=f"Contour stream at {_size(stream)}: how far each place lies from the average over the picture.",
            frame=frame,
        )
        for stream in drawing.streams
    ]
    drawn = float((drawing.outline > 0.5).mean())
    alt = f"The outline that the contour stream draws: probabilities, above one half in {drawn:.1%} of the frame."
    tiles.append(map_tile(drawing.outline, "outline drawn", alt=alt, limits=(0, 1), decimals=0))
    words = (
        "How far each place lies from the average over the picture, coarse to fine; the outline it comes to, above one "
        f"half, covers {drawn:.1%} of the frame."
    )
    return TileRow(heading, tuple(tiles), words)


def gate_row(drawing: Drawing) -> TileRow:
    """The gates of the contour stream, coarse to fine, on one scale from 0 (shut) to 1 (open), and Canny's edges."""
    heading = "Its gates: where the decoder lets the stream through"
    if not drawing.gates or drawing.edges is None:
        return TileRow(heading, (), "This LF-Net was built without contour stream.")
    frame = drawing.probabilities.shape
    means = [f"{gate.mean():.2f} at {_size(gate)}" for gate in drawing.gates]
    tiles = [
        map_tile(
            gate,
            f"gate at {_size(gate)}",
            alt=f"Gate at {_size(gate)}, open by {gate.mean():.2f} on average.",
            frame=frame,
            limits=(0, 1),
            decimals=0,
        )
        for gate in drawing.gates
    ]
    alt = f"Canny's edges of the photograph, on {drawing.edges.mean():.1%} of the frame."
    tiles.append(map_tile(drawing.edges, "Canny's edges", alt=alt, limits=(0, 1), decimals=0))
    return TileRow(heading, tuple(tiles), f"Open on average by {', '.join(means)}; 0 is shut, 1 doubles the stream.")


def _scores(mask: np.ndarray, expert: np.ndarray) -> dict[str, float]:
    tables = confusion_counts(torch.from_numpy(mask)[None], torch.from_numpy(expert > 0)[None])
    return per_image(tables)


def _size(values: np.ndarray) -> str:
    return f"{values.shape[0]}x{values.shape[1]}"
