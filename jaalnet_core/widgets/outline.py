"""Upload a picture, or choose one, and see the network's outline at any threshold. Nothing leaves this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import ipywidgets
import numpy as np

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.pictures import read_picture
from jaalnet_core.data.preprocess import resize_picture
from jaalnet_core.errors import PictureError
from jaalnet_core.figures.outlines import draw_outlines
from jaalnet_core.figures.panels import picture_row
from jaalnet_core.figures.style import NotebookFigure
from jaalnet_core.prediction import Outline, outline_lesion
from jaalnet_core.size import Size
from jaalnet_core.weights import LoadedNetwork
from jaalnet_core.widgets.panel import Panel, panel

UPLOADED = "the uploaded file"
_SHORTEST_SIDE = 320  # below it an outline would hide the border it shows
_LONGEST_SIDE = 640  # of a picture on the screen; an upload is reduced to it before it is outlined


def uploaded_picture(uploads: Sequence[Mapping[str, Any]]) -> tuple[str, np.ndarray]:
    """Name and picture `(H, W, 3)` uint8 of the last file that a `FileUpload` holds, read as every other picture is.

    Args:
        uploads: the widget's value: `name` and `content` (bytes) of each file.

    Raises:
        PictureError: nothing was uploaded, or the file is no picture; the message names it as the learner does.
    """
    if not uploads:
        raise PictureError("nothing is uploaded yet: press the upload button, or choose an example.")
    given = str(uploads[-1]["name"])
    name = PureWindowsPath(PurePosixPath(given).name).name or "picture"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "uploaded"  # the content decides how it is read, not the name
        path.write_bytes(bytes(uploads[-1]["content"]))
        try:
            picture = read_picture(path)
        except PictureError as error:
            raise PictureError(str(error).replace(str(path), name)) from error
    return name, _reduced(picture)


def outline_figure(name: str, picture: np.ndarray, outline: Outline, threshold: float) -> NotebookFigure:
    """The map of probabilities beside the picture with its outline at `threshold`; `alt` says how large it is.

    Args:
        picture: `(H, W, 3)` uint8. outline: at the same size; only its probabilities are used.
        threshold: probabilities above it are lesion, 0..1.
    """
    mask = (outline.probabilities > threshold).astype(np.uint8)
    found = f"covers {mask.mean():.1%} of the frame" if mask.any() else "is empty: no probability is that high"
    between = ((outline.probabilities > 0.1) & (outline.probabilities < 0.9)).mean()
    side = max(_SHORTEST_SIDE, min(mask.shape))
    return picture_row(
        [outline.probabilities, draw_outlines(picture, predicted=mask, line_width=3, enlarge_to=side)],
        ["probability of lesion", f"outline at {threshold:.2f}"],
        limits=(0, 1),
        colourbar=True,
        alt=(
            f"{name}: at threshold {threshold:.2f} the outline {found}. The network is undecided (probability between "
            f"0.1 and 0.9) in {between:.1%} of the pixels. No diagnosis."
        ),
    )


def outline_panel(network: LoadedNetwork, examples: LesionArrays) -> Panel:
    """Controls `upload`, `picture` (an example or the upload) and `threshold` above the outline.

    Args:
        network: what `load_lf_net` returned.
        examples: pictures to choose from without any upload.
    """
    names = [f"example {number}" for number in range(1, len(examples) + 1)]
    outlined: dict[str, tuple[object, str, np.ndarray, Outline]] = {}  # the last one: the threshold moves often

    def draw(upload: Sequence[Mapping[str, Any]], picture: str, threshold: float) -> NotebookFigure:
        key = (picture, upload[-1]["name"], bytes(upload[-1]["content"])) if picture == UPLOADED and upload else picture
        if outlined.get("last", (None,))[0] != key:
            name, pixels = uploaded_picture(upload) if picture == UPLOADED else (picture, chosen(picture))
            outlined["last"] = (key, name, pixels, outline_lesion(network, pixels))
        _, name, pixels, outline = outlined["last"]
        return outline_figure(name, pixels, outline, threshold)

    def chosen(name: str) -> np.ndarray:
        return examples.images[names.index(name)]

    made = panel(
        draw,
        upload=ipywidgets.FileUpload(description="Upload a picture", accept="image/*", multiple=False),
        picture=ipywidgets.Dropdown(options=[*names, UPLOADED], description="picture"),
        threshold=ipywidgets.FloatSlider(
            0.5, min=0.0, max=1.0, step=0.05, description="threshold", continuous_update=False
        ),
    )

    def show_upload(change: Any) -> None:
        if change["new"]:
            made.controls["picture"].value = UPLOADED

    made.controls["upload"].observe(show_upload, names="value")
    return made


def _reduced(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    factor = min(1.0, _LONGEST_SIDE / max(height, width))
    return resize_picture(picture, Size(max(1, round(height * factor)), max(1, round(width * factor))))
