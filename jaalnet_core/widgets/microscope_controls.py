"""The attention microscope's controls, each with its label, and where they and the views stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import ipywidgets
import numpy as np

from jaalnet_core.da_net import STRIDE
from jaalnet_core.switched_off import PARTS
from jaalnet_core.widgets.clicked_pixel import ClickablePicture
from jaalnet_core.widgets.labelled_slider import LabelledSlider
from jaalnet_core.widgets.outline import UPLOADED
from jaalnet_core.widgets.panel import make_readable

Controls = dict[str, ipywidgets.Widget]


def make_controls(names: Sequence[str], size: tuple[int, int], kinds: Sequence[str], channels: int) -> Controls:
    """What can be chosen, moved and clicked.

    Args:
        names: of the pictures to choose from.
        size: height and width of the pictures.
        kinds: of masks that DA-Net may be shown.
        channels: of DA-Net's channel attention; 1 where it has none.
    """
    nothing = np.full((*size, 3), 225, np.uint8)
    controls: Controls = {
        "picture": ipywidgets.Dropdown(
            options=[*((name, index) for index, name in enumerate(names)), (UPLOADED, UPLOADED)],
            value=0,
            description="picture",
        ),
        "upload": ipywidgets.FileUpload(description="Upload a picture", accept="image/*", multiple=False),
        "threshold": LabelledSlider(value=0.5, min=0.01, max=0.99, step=0.01, description="threshold", digits=2),
        "judged": ipywidgets.Dropdown(options=kinds, description="DA-Net is shown"),
        "pixel": ClickablePicture(
            nothing,
            (size[0] // 2, size[1] // 2),
            alt="The picture.",
            label=f"Picture with a cross: click, or move it by {STRIDE} pixels with the arrow keys.",
        ),
        "gram": ClickablePicture(
            np.full((channels, channels, 3), 225, np.uint8),
            (0, 0),
            alt="The Gram matrix.",
            label="Gram matrix with a cross on a pair of channels: click, or move it by one with the arrow keys.",
            step=1,
        ),
        "channel": LabelledSlider(max=channels - 1, description="channel (row)"),
        "other": LabelledSlider(max=channels - 1, description="channel (column)"),
        "reset": ipywidgets.Button(description="Everything on", tooltip="Switch every part of both networks on."),
    }
    for name in ("pixel", "gram"):
        controls[name].layout.width = "auto"
    for name in ("picture", "upload", "judged"):
        make_readable(controls[name])
    return controls


def make_parts(names: Iterable[str]) -> dict[str, ipywidgets.Checkbox]:
    """A ticked box for each part of a network, its tooltip says what becomes of it."""
    boxes = {}
    for part in names:
        boxes[part] = ipywidgets.Checkbox(value=True, description=part, tooltip=PARTS[part], indent=False)
        boxes[part].layout.width = "auto"
    return boxes


def arranged(
    controls: Mapping[str, ipywidgets.Widget],
    parts: Mapping[str, Mapping[str, ipywidgets.Checkbox]],
    views: Mapping[str, ipywidgets.HTML],
    sentence: ipywidgets.HTML,
) -> list[ipywidgets.Widget]:
    """Controls above, then the sentence, then the views; what is clicked stands beside what answers to it.

    Args:
        parts: the boxes by the name of their network.
    """
    boxes = [
        _beside(ipywidgets.HTML(f"<b>{network}</b>, untick to switch off:"), *its.values())
        for network, its in parts.items()
    ]
    gram = _headed("Gram matrix: click a pair", *map(controls.get, ("gram", "channel", "other")))
    for name in ("position", "mask", "patches", "channels"):  # two beside one another where there is room
        views[name].layout.width, views[name].layout.flex = "auto", "1 1 320px"
    return [
        *map(controls.get, ("picture", "upload", "threshold", "judged")),
        *boxes,
        controls["reset"],
        sentence,
        _beside(_headed("Click into the picture", controls["pixel"]), views["position"]),
        _beside(views["mask"], views["patches"]),
        views["streams"],
        views["gates"],
        _beside(gram, views["channels"]),
    ]


def _headed(heading: str, *widgets: ipywidgets.Widget) -> ipywidgets.VBox:
    title = ipywidgets.HTML(f'<div style="font-weight: 600; line-height: 1.6">{heading}</div>')
    return ipywidgets.VBox([title, *widgets])


def _beside(*widgets: ipywidgets.Widget) -> ipywidgets.HBox:
    """Beside one another as long as there is room, else below."""
    box = ipywidgets.HBox(widgets)
    box.layout.flex_flow = "row wrap"
    box.layout.grid_gap = "0 16px"
    box.layout.align_items = "flex-start"
    return box
