"""Click a pixel, or walk there with the arrow keys, and see where DA-Net's position attention looks from it."""

from __future__ import annotations

import anywidget
import ipywidgets
import numpy as np
import traitlets

from jaalnet_core.da_net import STRIDE
from jaalnet_core.figures.attention_maps import look_figure
from jaalnet_core.figures.style import VERMILION, NotebookFigure
from jaalnet_core.figures.tiles import as_source
from jaalnet_core.position_maps import Pixel, PositionMaps, telling_pixels
from jaalnet_core.widgets.panel import Panel, panel

_SCRIPT = """
export default {
  render({ model, el }) {
    const box = document.createElement("div"), cross = document.createElement("span");
    const image = Object.assign(document.createElement("img"), { src: model.get("source"), alt: model.get("alt") });
    box.className = "jaalnet-clickable"; box.tabIndex = 0; cross.textContent = "+";
    box.setAttribute("role", "application"); box.setAttribute("aria-label", model.get("label"));
    box.dataset.lmSuppressShortcuts = "true";
    cross.setAttribute("aria-hidden", "true"); image.draggable = false; box.append(image, cross); el.append(box);
    const step = model.get("step");
    const show = () => { image.src = model.get("source"); image.alt = model.get("alt"); };
    const place = () => {
      const [row, column] = model.get("value"), [rows, columns] = model.get("size");
      cross.style.top = `${(100 * (row + 0.5)) / rows}%`; cross.style.left = `${(100 * (column + 0.5)) / columns}%`;
    };
    const go = (row, column) => {
      const [rows, columns] = model.get("size");
      const within = (part, count) => Math.min(Math.max(Math.floor(part), 0), count - 1);
      model.set("value", [within(row, rows), within(column, columns)]); model.save_changes();
    };
    box.addEventListener("click", (event) => {
      const area = image.getBoundingClientRect(), [rows, columns] = model.get("size");
      go(((event.clientY - area.top) / area.height) * rows, ((event.clientX - area.left) / area.width) * columns);
    });
    box.addEventListener("keydown", (event) => {
      const by = { ArrowUp: [-step, 0], ArrowDown: [step, 0], ArrowLeft: [0, -step], ArrowRight: [0, step] }[event.key];
      if (!by) return;
      event.preventDefault(); event.stopPropagation();
      go(model.get("value")[0] + by[0], model.get("value")[1] + by[1]);
    });
    model.on("change:value change:size", place); place();
    model.on("change:source change:alt", show);
  },
};
"""
_LOOK = f"""
.jaalnet-clickable {{ position: relative; display: inline-block; cursor: crosshair; line-height: 0; }}
.jaalnet-clickable:focus-visible {{ outline: 3px solid {VERMILION}; outline-offset: 2px; }}
.jaalnet-clickable img {{ width: 224px; max-width: 100%; }}
.jaalnet-clickable span {{ position: absolute; transform: translate(-50%, -50%); pointer-events: none;
  font: bold 26px/1 monospace; color: {VERMILION}; text-shadow: 0 0 2px #fff, 0 0 2px #fff, 0 0 3px #fff; }}
"""


class ClickablePicture(anywidget.AnyWidget):
    """A picture with a cross that a click or the arrow keys move.

    Attributes:
        value: row and column of the cross, in pixels of the picture.
        alt: text alternative of the picture.
        label: what the control is for, read out when it takes the focus.
        step: pixels that an arrow key moves.
    """

    _esm = _SCRIPT
    _css = _LOOK

    value = traitlets.Tuple(traitlets.Int(), traitlets.Int()).tag(sync=True)
    source = traitlets.Unicode().tag(sync=True)
    size = traitlets.Tuple(traitlets.Int(), traitlets.Int()).tag(sync=True)
    step = traitlets.Int(STRIDE).tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        picture: np.ndarray,
        pixel: Pixel,
        *,
        alt: str,
        label: str,
        step: int = STRIDE,
        size: tuple[int, int] | None = None,
    ) -> None:
        """Show a picture `(H, W, 3)` uint8 with the cross on `pixel` (row, column).

        Args:
            size: rows and columns that the cross counts in; by default the picture's own pixels.
        """
        size = picture.shape[:2] if size is None else size
        super().__init__(source=as_source(picture), size=size, value=pixel, alt=alt, label=label, step=step)

    def show(self, picture: np.ndarray, alt: str) -> None:
        """Another picture of the same proportions below the cross."""
        self.source, self.alt = as_source(picture), alt


def attention_at_the_clicked_pixel(maps: PositionMaps) -> Panel:
    """The picture to click on, beside it the attention map of that position, below both what it shows in words.

    Args:
        maps: what `position_maps` returned; it is computed once, a click only draws.
    """

    def draw(pixel: Pixel) -> NotebookFigure:
        return look_figure(maps, tuple(pixel))

    picture = ClickablePicture(
        maps.picture,
        telling_pixels(maps.mask)[0],
        alt="The picture that DA-Net judges, with a movable cross.",
        label=f"Picture with a cross: click, or move it by {STRIDE} pixels with the arrow keys.",
    )
    shown = panel(draw, pixel=picture)
    beside = ipywidgets.HBox([picture, shown.picture])
    beside.layout.flex_flow = "row wrap"
    beside.layout.align_items = "center"
    picture.layout.width = "auto"
    shown.children = (beside, shown.sentence)
    return shown
