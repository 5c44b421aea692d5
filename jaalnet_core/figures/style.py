"""One look for every figure: small, quiet, and readable without telling colours apart.

Colours are Okabe and Ito's set (https://jfly.uni-koeln.de/color/), chosen to differ under every common form
of colour blindness; every line also has its own dash pattern, so that a grey print still tells them apart.
Figures are `matplotlib.figure.Figure` objects made without pyplot and its global state: nothing opens a
window, nothing has to be closed, and a notebook shows the returned figure exactly once, with its text alternative.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from jaalnet_core.files import atomic_path

BLACK = "#000000"
ORANGE = "#E69F00"
SKY_BLUE = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
GREY = "#5F5F5F"

TEXT_SIZE = 8  # points; the smallest in a figure is one less
DOTS_PER_INCH = 150


class NotebookFigure(Figure):
    """A figure that a notebook shows by itself, whichever matplotlib backend is active, or none.

    Attributes:
        alt: what the figure shows, in words, for whoever cannot see it; may be set after drawing.
    """

    alt: str = ""

    def _repr_html_(self) -> str:
        """The PNG as an `<img>` with its text alternative, which a bare PNG output cannot carry."""
        return as_html(self)


def new_figure(width: float = 6.0, height: float = 3.0, *, alt: str = "") -> NotebookFigure:
    """An empty figure of `width` x `height` inches that arranges its own margins; `alt` says in words what it shows."""
    figure = NotebookFigure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained", facecolor="white")
    figure.alt = alt
    return figure


def as_html(figure: Figure) -> str:
    """An `<img>` of the figure, finer than the screen so that it is sharp on a dense one, with `figure.alt`."""
    source = base64.b64encode(_png(figure)).decode()
    width = round(100 * figure.get_figwidth())
    alt = html.escape(getattr(figure, "alt", ""), quote=True)
    return f'<img src="data:image/png;base64,{source}" width="{width}" alt="{alt}" style="max-width: 100%">'


def dress(axes: Axes, title: str, x: str = "", y: str = "") -> None:
    """Give `axes` a title, labels, a faint grid and no box around the data."""
    axes.set_title(title, fontsize=TEXT_SIZE + 1, loc="left")
    axes.set_xlabel(x, fontsize=TEXT_SIZE)
    axes.set_ylabel(y, fontsize=TEXT_SIZE)
    axes.tick_params(labelsize=TEXT_SIZE - 1, length=2)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def save_figure(figure: Figure, path: Path, texts: Mapping[str, str] | None = None) -> Path:
    """Write `figure` as a PNG, whole or not at all (a temporary file, then renamed). Returns `path`.

    Args:
        texts: keyword to text, kept in the PNG; `figure.alt` goes there as its description.
    """
    with atomic_path(Path(path)) as temporary:
        temporary.write_bytes(_png(figure, {"Description": getattr(figure, "alt", ""), **(texts or {})}))
    return Path(path)


def _png(figure: Figure, texts: Mapping[str, str] | None = None) -> bytes:
    # `savefig` draws twice, first for the margins alone; drawing once finds the same margins and gives the same bytes
    buffer, canvas, dpi = io.BytesIO(), figure.canvas, figure.dpi
    try:
        figure.set_dpi(DOTS_PER_INCH)
        FigureCanvasAgg(figure).print_png(buffer, metadata={**(texts or {})})
    finally:
        figure.set_canvas(canvas)
        figure.set_dpi(dpi)
    return buffer.getvalue()
