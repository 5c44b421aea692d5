"""Small pictures in a row, each with its own words: lean enough to be drawn anew at every click.

A map is coloured, enlarged and encoded here, and everything written around it is HTML: no chart library has to arrange
text first, which takes longer than both networks together. Brightness alone carries the values, so that the maps read
the same in grey.
"""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass
from functools import cache

import cv2
import matplotlib
import numpy as np
from matplotlib.colors import to_rgb

from jaalnet_core.figures.outlines import draw_outlines
from jaalnet_core.figures.panels import picture_row
from jaalnet_core.figures.style import VERMILION, NotebookFigure

STORED = 264  # pixels of a tile's longer side as it is encoded
SHOWN = 132  # and as it is shown: sharp on a dense screen, and five of them stand beside one another
VALUES, SIGNED = "viridis", "cividis"  # both grow brighter from end to end


@dataclass(frozen=True, eq=False)
class Tile:
    """A picture with a title and its own words.

    Attributes:
        picture: `(h, w, 3)` uint8, RGB.
        title: a few words below it.
        alt: what it shows, for whoever cannot see it.
        ends: what the darkest and the brightest mean, in words or numbers; None without a scale.
        colours: matplotlib's name of the map whose ends those are.
    """

    picture: np.ndarray
    title: str
    alt: str
    ends: tuple[str, str] | None = None
    colours: str = VALUES


@dataclass(frozen=True, eq=False)
class TileRow:
    """Tiles under a heading, above a sentence. A notebook shows it by itself.

    Attributes:
        heading: what the row is about.
        tiles: from left to right.
        words: what the row shows, in a sentence or two.
    """

    heading: str
    tiles: tuple[Tile, ...]
    words: str

    def _repr_html_(self) -> str:
        tiles = "".join(_as_html(tile) for tile in self.tiles)
        return (
            f'<div style="margin: 0.4em 0"><div style="font-weight: 600; line-height: 1.6">{html.escape(self.heading)}'
            f'</div><div style="display: flex; flex-wrap: wrap; gap: 10px; align-items: flex-start">{tiles}</div>'
            f'<p style="line-height: 1.4; margin: 0.3em 0">{html.escape(self.words)}</p></div>'
        )

    def figure(self) -> NotebookFigure:
        """The same as a figure, which `figures.save_figure` writes to a file."""
        titles = [tile.title + (f"\n{tile.ends[0]} to {tile.ends[1]}" if tile.ends else "") for tile in self.tiles]
        return picture_row([tile.picture for tile in self.tiles], titles, alt=f"{self.heading}. {self.words}")


@dataclass(frozen=True, eq=False)
class TileSheet:
    """Rows of tiles below one another. A notebook shows it by itself."""

    rows: tuple[TileRow, ...]

    def _repr_html_(self) -> str:
        return "".join(row._repr_html_() for row in self.rows)


def map_tile(
    values: np.ndarray,
    title: str,
    *,
    alt: str,
    frame: tuple[int, int] | None = None,
    limits: tuple[float, float] | None = None,
    colours: str = VALUES,
    decimals: int = 2,
    expert: np.ndarray | None = None,
    predicted: np.ndarray | None = None,
    cross: tuple[int, int] | None = None,
    dashed: bool = True,
) -> Tile:
    """A map as a tile: brighter is more.

    Args:
        values: `(h, w)`; one value may stand for 2x2, 4x4 ... pixels of the picture.
        title, alt: the tile's.
        frame: height and width of the picture that the map belongs to; what reaches beyond it is cut off.
        limits: values of the darkest and the brightest; by default the map's own.
        colours: `VALUES`, or `SIGNED` for values around 0.
        decimals: of the numbers at the scale's ends.
        expert, predicted: masks `(H, W)` of the picture, whose outlines are drawn solid and dashed.
        cross: row and column, in pixels of the picture.
        dashed: False draws the predicted outline as a plain line, where no other has to be told from it: a ragged mask
            has hundreds of small ones, and dashes take their time.
    """
    low, high = limits if limits is not None else (float(values.min()), float(values.max()))
    scaled = (np.asarray(values, np.float32) - low) * (255 / max(high - low, 1e-12))
    painted = _lookup(colours)[np.clip(np.rint(scaled), 0, 255).astype(np.uint8)]
    if frame is not None:
        painted = over_pixels(painted, frame)
    painted = with_marks(painted, expert=expert, predicted=predicted, cross=cross, dashed=dashed)
    return Tile(painted, title, alt, (f"{low + 0.0:.{decimals}f}", f"{high + 0.0:.{decimals}f}"), colours)


def with_marks(
    picture: np.ndarray,
    *,
    expert: np.ndarray | None = None,
    predicted: np.ndarray | None = None,
    cross: tuple[int, int] | None = None,
    dashed: bool = True,
) -> np.ndarray:
    """A picture `(H, W, 3)` enlarged to a tile, with outlines of masks `(H, W)` and a cross (row, column) on it."""
    height, width = picture.shape[:2]
    factor = STORED / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    large = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_NEAREST)
    masks = {
        name: cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) >= 0.5
        for name, mask in (("expert", expert), ("predicted", predicted))
        if mask is not None
    }
    if masks:
        large = draw_outlines(large, **masks, dashed=dashed, line_width=2)
    if cross is not None:
        _draw_cross(large, ((cross[0] + 0.5) * size[1] / height, (cross[1] + 0.5) * size[0] / width))
    return large


def over_pixels(values: np.ndarray, frame: tuple[int, int]) -> np.ndarray:
    """A map's values repeated over the pixels that each stands for, `(h, w, ...)` to `frame`.

    Networks pad at the lower and right border to a multiple of a power of two; what lies there is cut off.
    """
    step = 1
    while step * values.shape[0] < frame[0] or step * values.shape[1] < frame[1]:
        step *= 2
    return values.repeat(step, axis=0).repeat(step, axis=1)[: frame[0], : frame[1]]


def as_source(picture: np.ndarray) -> str:
    """A picture `(H, W, 3)` uint8, RGB, as the `src` of an `<img>`."""
    pixels = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2BGR)
    encoded = cv2.imencode(".png", pixels, (cv2.IMWRITE_PNG_COMPRESSION, 1))[1]  # quick; it never leaves the machine
    return "data:image/png;base64," + base64.b64encode(encoded.tobytes()).decode()


def _as_html(tile: Tile) -> str:
    scale = "" if tile.ends is None else f"<br>{_scale(tile.ends, tile.colours)}"
    height, width = tile.picture.shape[:2]
    shown = round(SHOWN * width / max(height, width))
    picture = f'<img src="{as_source(tile.picture)}" width="{shown}" alt="{html.escape(tile.alt, quote=True)}"'
    return (
        f'<figure style="margin: 0; width: {SHOWN}px">{picture} style="display: block; max-width: 100%; '
        'margin: 0 0 3px"><figcaption style="font-size: 12px; line-height: 1.35">'
        f"{html.escape(tile.title)}{scale}</figcaption></figure>"
    )


def _scale(ends: tuple[str, str], colours: str) -> str:
    """`0.0 [dark to bright] 1.0`."""
    stops = ", ".join("rgb({},{},{})".format(*_lookup(colours)[index]) for index in (0, 64, 128, 191, 255))
    bar = (
        '<span aria-hidden="true" style="display: inline-block; width: 34px; height: 8px; margin: 0 4px; border: 1px '
        f'solid; background: linear-gradient(to right, {stops})"></span>'
    )
    return f'<span style="white-space: nowrap">{html.escape(ends[0])}{bar}{html.escape(ends[1])}</span>'


@cache
def _lookup(colours: str) -> np.ndarray:
    """`(256, 3)` uint8: a colour map's colours."""
    return (matplotlib.colormaps[colours](np.arange(256))[:, :3] * 255).round().astype(np.uint8)


def _draw_cross(picture: np.ndarray, place: tuple[float, float]) -> None:
    """A vermilion cross on a white casing, in place."""
    row, column = (round(part) for part in place)
    vermilion = tuple(round(255 * channel) for channel in to_rgb(VERMILION))
    for reach, colour, width in ((13, (255, 255, 255), 7), (11, vermilion, 3)):
        cv2.line(picture, (column - reach, row), (column + reach, row), colour, width)
        cv2.line(picture, (column, row - reach), (column, row + reach), colour, width)
