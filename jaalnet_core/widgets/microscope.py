"""The attention microscope: one picture under both networks, every part of them in sight and within reach.

from jaalnet_core.widgets import attention_microscope

attention_microscope()                          # the shipped networks, and pictures that are there
attention_microscope(lf_net, da_net, pictures)  # your own

Without a widget: `jaalnet_core.figures.specimen.specimen_sheet` shows the same.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ipywidgets
import numpy as np

from jaalnet_core.da_net import DANet
from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.preprocess import resize_picture
from jaalnet_core.data.source import locate_folder, open_data
from jaalnet_core.data.synthetic import TEST_START, make_arrays
from jaalnet_core.errors import JaalnetError, PictureError
from jaalnet_core.figures.drawing import gate_row, mask_in_short, mask_row, stream_row
from jaalnet_core.figures.judgement import channel_row, gram_tile, patch_row, position_row, telling_channels
from jaalnet_core.figures.tiles import TileRow, with_marks
from jaalnet_core.lf_net import LFNet
from jaalnet_core.position_maps import telling_pixels
from jaalnet_core.pretrained import DA_NET, shipped_weights
from jaalnet_core.size import Size
from jaalnet_core.specimen import DRAWN, EXPERT, Drawing, Judgement, Slide, Stage
from jaalnet_core.weights import load_da_net, load_lf_net
from jaalnet_core.widgets.microscope_controls import arranged, make_controls, make_parts
from jaalnet_core.widgets.outline import UPLOADED, uploaded_picture

VIEWS = ("mask", "streams", "gates", "patches", "position", "channels")
_PICTURES, _SIZE = 6, Size(128, 128)  # of a microscope that is given none


class AttentionMicroscope(ipywidgets.VBox):
    """Choose or upload a picture, click into it, move the threshold, switch parts off; every view follows.

    Attributes:
        controls: `picture`, `upload`, `threshold`, `judged` (which mask DA-Net is shown), `pixel` (row and column from
            which position attention looks), `gram` (a pair of channels, as row and column of their Gram matrix),
            `channel` and `other` (the same pair as two numbers), and `reset`, the button that switches all parts on.
        parts: a checkbox for each part of either network, by its name in `switched_off.PARTS`.
        views: an HTML widget for each of `VIEWS`.
        sentence: an HTML widget that says what has just changed; screen readers announce it.
    """

    def __init__(self, lf_net: LFNet, da_net: DANet, pictures: LesionArrays) -> None:
        self._size = pictures.size
        self._slides = [
            Slide(f"picture {number}", image, mask)
            for number, (image, mask) in enumerate(zip(pictures.images, pictures.masks, strict=True), start=1)
        ]
        self._uploaded: tuple[object, Slide] | None = None
        self._still = False
        self._stage = Stage(lf_net, da_net)
        self.sentence = ipywidgets.HTML()
        self.views = {name: ipywidgets.HTML() for name in VIEWS}
        gram = self._stage.judgement(self._slides[0], DRAWN).gram
        names = [slide.name for slide in self._slides]
        self.controls = make_controls(names, self._size, (DRAWN, EXPERT), 1 if gram is None else len(gram))
        boxes = {network: make_parts(parts) for network, parts in self._stage.parts.items()}
        self.parts = boxes["LF-Net"] | boxes["DA-Net"]
        super().__init__(arranged(self.controls, boxes, self.views, self.sentence))
        self._listen()
        self._change_slide()

    def _listen(self) -> None:
        answers = {"picture": self._change_slide, "upload": self._change_upload, "threshold": self._change_threshold}
        answers |= {"judged": self._change_judged, "pixel": self._change_pixel}
        answers |= dict.fromkeys(("gram", "channel", "other"), self._change_pair)
        for name, answer in answers.items():
            self.controls[name].observe(answer, names="value")
        for box in self.parts.values():
            box.observe(self._change_parts, names="value")
        self.controls["reset"].on_click(self._switch_all_on)

    def slide(self) -> Slide:
        """The picture in use, with the expert's mask where there is one.

        Raises:
            PictureError: the uploaded file is chosen, and there is none, or it is no picture.
        """
        chosen = self.controls["picture"].value
        if chosen != UPLOADED:
            return self._slides[chosen]
        files = self.controls["upload"].value
        key = (files[-1]["name"], bytes(files[-1]["content"])) if files else None
        if self._uploaded is None or self._uploaded[0] != key:
            name, picture = uploaded_picture(files)
            self._uploaded = (key, Slide(name, resize_picture(picture, self._size), None))
        return self._uploaded[1]

    def _off(self) -> frozenset[str]:
        return frozenset(part for part, box in self.parts.items() if not box.value)

    def _drawing(self) -> Drawing:
        return self._stage.drawing(self.slide(), self._off())

    def _judgement(self, kind: str | None = None) -> Judgement:
        return self._stage.judgement(self.slide(), kind or self.controls["judged"].value, self._off())

    def _kinds(self) -> tuple[str, ...]:
        return (DRAWN,) if self.slide().expert is None else (DRAWN, EXPERT)

    def _row(self, name: str) -> TileRow:
        slide, drawing = self.slide(), self._drawing()
        if name == "mask":
            threshold, before = self.controls["threshold"].value, self._stage.drawing(slide)
            how = {"threshold": threshold, "expert": slide.expert, "before": before, "photograph": False}
            return mask_row(drawing, slide.picture, **how)
        if name == "patches":
            now = {kind: self._judgement(kind) for kind in self._kinds()}
            before = {kind: self._stage.judgement(slide, kind) for kind in now} if self._off() else None
            return patch_row(now, before)
        if name == "position":
            return position_row(self._judgement().maps, tuple(self.controls["pixel"].value))
        if name == "channels":
            return channel_row(self._judgement(), tuple(self.controls["gram"].value), matrix=False)
        return {"streams": stream_row, "gates": gate_row}[name](drawing)

    def _show(self, *views: str) -> None:
        for name in views:
            self.views[name].value = self._row(name)._repr_html_()

    def _show_photograph(self) -> None:
        slide, mask = self.slide(), self._drawing().probabilities > self.controls["threshold"].value
        lines = "the network's outline (dashed)" + (" and the expert's (solid)" if slide.expert is not None else "")
        self.controls["pixel"].show(
            with_marks(slide.picture, expert=slide.expert, predicted=mask),
            f"{slide.name} with {lines}; the mask covers {mask.mean():.1%} of the frame.",
        )

    def _show_gram(self) -> None:
        if (gram := self._judgement().gram) is not None:
            tile = gram_tile(gram)
            self.controls["gram"].show(tile.picture, tile.alt)

    def _show_all(self) -> None:
        self._show_photograph()
        self._show_gram()
        self._show(*self.views)

    def _change_slide(self, _change: Any = None) -> None:
        def change() -> str:
            slide = self.slide()
            with self._standing_still():
                self.controls["judged"].options = self._kinds()
                self.controls["pixel"].value = telling_pixels(self._drawing().probabilities)[0]
                self._set_pair(telling_channels(self._judgement(DRAWN)))
            self._show_all()
            return f"{slide.name}. {self._mask_said()}"

        self._do(change)

    def _change_upload(self, change: Any) -> None:
        if not change["new"]:
            return
        if self.controls["picture"].value == UPLOADED:
            self._change_slide()
        else:
            self.controls["picture"].value = UPLOADED

    def _change_threshold(self, _change: Any) -> None:
        def change() -> str:
            self._show_photograph()
            self._show("mask")
            return self._mask_said()

        self._do(change)

    def _change_parts(self, _change: Any = None) -> None:
        def change() -> str:
            self._show_all()
            off = [name for name, box in self.parts.items() if not box.value]
            said = f"Switched off: {', '.join(off)}." if off else "Everything is on."
            said += f" {self._mask_said()} DA-Net's mean opinion of the drawn mask: "
            said += f"{self._judgement(DRAWN).opinion.mean():.2f}"
            before = self._stage.judgement(self.slide(), DRAWN).opinion.mean()
            return said + (f", with everything on {before:.2f}." if off else ".")

        self._do(change)

    def _change_judged(self, _change: Any) -> None:
        def change() -> str:
            self._show_gram()
            self._show("position", "channels")
            kind = self.controls["judged"].value
            return f"DA-Net is shown {kind}: mean opinion {self._judgement().opinion.mean():.2f}."

        self._do(change)

    def _change_pixel(self, _change: Any) -> None:
        def change() -> str:
            self._show("position")
            row, column = self.controls["pixel"].value
            return f"The cross is at row {row}, column {column} of {self._size.height} x {self._size.width}."

        self._do(change)

    def _change_pair(self, change: Any) -> None:
        def pair() -> str:
            by_numbers = [int(self.controls[name].value) for name in ("channel", "other")]
            with self._standing_still():
                self._set_pair(change["new"] if change["owner"] is self.controls["gram"] else by_numbers)
            self._show("channels")
            one, other = self.controls["gram"].value
            gram = self._judgement().gram
            return f"Channels {one} and {other}" + (
                f": dot product {gram[one, other]:+.1f}." if gram is not None else "."
            )

        self._do(pair)

    def _switch_all_on(self, _button: Any) -> None:
        with self._standing_still():
            for box in self.parts.values():
                box.value = True
        self._change_parts()

    def _mask_said(self) -> str:
        slide = self.slide()
        threshold, before = self.controls["threshold"].value, self._stage.drawing(slide)
        return mask_in_short(self._drawing(), threshold, slide.expert, before)

    def _pair_said(self) -> str:
        (one, other), gram = self.controls["gram"].value, self._judgement().gram
        said = "no channel attention" if gram is None else f"dot product {gram[one, other]:+.1f}"
        return f"Channels {one} and {other}: {said}."

    def _do(self, change: Callable[[], str]) -> None:
        """Make a change and say what it was; a refusal is said, too, and nothing old stays in sight."""
        if self._still:
            return
        try:
            self._say(change())
        except (JaalnetError, ValueError) as error:
            for view in self.views.values():
                view.value = ""
            if isinstance(error, PictureError):
                blank = np.full((*self._size, 3), 225, np.uint8)
                self.controls["pixel"].show(blank, "No picture: the uploaded file could not be read.")
            self._say(f"Not possible: {error}")

    @contextmanager
    def _standing_still(self) -> Iterator[None]:
        """Controls may be set without an answer to each."""
        self._still = True
        try:
            yield
        finally:
            self._still = False

    def _set_pair(self, pair: Sequence[int]) -> None:
        self.controls["gram"].value = tuple(pair)
        self.controls["channel"].value, self.controls["other"].value = pair

    def _say(self, words: str) -> None:
        self.sentence.value = f'<p aria-live="polite" style="line-height: 1.4">{html.escape(words)}</p>'


def attention_microscope(
    lf_net: LFNet | str | None = None, da_net: DANet | None = None, pictures: LesionArrays | None = None
) -> AttentionMicroscope:
    """The attention microscope over your networks and pictures, or over those that are there.

    Args:
        lf_net: in evaluation mode, or the name of a shipped run, such as `small` or `synthetic`, whose two networks are
            taken. Left out: `small` where there are real pictures, else `synthetic`.
        da_net: in evaluation mode; left out, the shipped run's.
        pictures: of one size, with the experts' masks; left out, the first test pictures in `JAALNET_DATA` or `data/`,
            or synthetic ones made on the spot, at 128x128.

    Raises:
        CheckpointError: no such weights.
        DataError: no picture in the folder that is there.
        ValueError: no picture at all.
    """
    real = locate_folder(None) is not None
    run = lf_net if isinstance(lf_net, str) else "small" if real else "synthetic"
    if not isinstance(lf_net, LFNet):
        lf_net = load_lf_net(shipped_weights(run)).network
    if da_net is None:
        da_net = load_da_net(shipped_weights(run, DA_NET)).network
    if pictures is None:
        data = open_data(None, _SIZE, splits=("test",), limit=_PICTURES, progress=False) if real else None
        pictures = make_arrays(_PICTURES, _SIZE, first=TEST_START, progress=False) if data is None else data.test
    if not len(pictures):
        raise ValueError("pictures: found none, expected at least one, with the expert's mask.")
    return AttentionMicroscope(lf_net, da_net, pictures)
