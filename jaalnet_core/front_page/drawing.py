"""The README's picture, what two trained networks make of a photograph, and its animation, how they come to it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from jaalnet_core.da_net import STRIDE
from jaalnet_core.derived_files import Frame
from jaalnet_core.figures.outlines import draw_outlines
from jaalnet_core.figures.snapshots import outlined
from jaalnet_core.figures.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    TEXT_SIZE,
    VERMILION,
    NotebookFigure,
    dress,
    new_figure,
)
from jaalnet_core.front_page.record import LookRecord, TrainingRecord

_SIDE = 320  # pixels of a drawn photograph's shorter side
_DOTS = 100  # an inch of a frame
_FIRST, _EACH, _LAST = 700, 230, 3000  # milliseconds


def look_figure(look: LookRecord) -> NotebookFigure:
    """Four panels: the photograph, the outline drawn on it, DA-Net's opinion of it, and where its attention looks."""
    figure = new_figure(
        7.6,
        2.0,
        alt=(
            f"A synthetic photograph of a skin lesion; the outline that LF-Net draws, dashed, on the expert's, solid, "
            f"Dice {look.dice:.2f}; DA-Net's opinion of the drawing, patch by patch, mean {look.opinion.mean():.2f}; "
            "and how its position attention spreads over the picture from one pixel, marked by a cross."
        ),
    )
    photograph, drawn, opinion, attention = figure.subplots(1, 4)
    photograph.imshow(draw_outlines(look.picture, enlarge_to=_SIDE))
    drawn.imshow(draw_outlines(look.picture, expert=look.expert, predicted=look.drawn, line_width=2, enlarge_to=_SIDE))
    _map(opinion, look.opinion, look.drawn, (None, None))
    _map(attention, look.attention, look.drawn, (0, None))
    row, column = look.pixel
    attention.plot(column, row, "+", color="white", markersize=12, markeredgewidth=4)
    attention.plot(column, row, "+", color=VERMILION, markersize=10, markeredgewidth=1.8)
    for axes, title in (
        (photograph, "a photograph (synthetic)"),
        (drawn, f"LF-Net draws: Dice {look.dice:.2f}"),
        (opinion, f"DA-Net judges: {look.opinion.mean():.2f} real"),
        (attention, "and looks from + to here"),
    ):
        _bare(axes, title)
    return figure


def training_frames(record: TrainingRecord) -> list[Frame]:
    """A frame for every epoch of the record: outlines above, both networks' curves up to it below."""
    last = len(record.snapshots) - 1
    times = [_FIRST if not i else _LAST if i == last else _EACH for i in range(last + 1)]
    return [Frame(_rendered(frame_figure(record, i)), time) for i, time in enumerate(times)]


def frame_figure(record: TrainingRecord, index: int) -> NotebookFigure:
    """One frame: the pictures and the curves as they were after the epoch of `record.snapshots[index]`."""
    snapshot, count = record.snapshots[index], len(record.pictures)
    figure = new_figure(7.6, 4.05)
    figure.set_layout_engine(None)  # margins by hand: nothing may move from frame to frame
    figure.text(0.012, 0.955, f"epoch {snapshot.epoch} of {record.snapshots[-1].epoch}", fontsize=11, weight="bold")
    figure.text(0.19, 0.955, "expert: solid, LF-Net: dashed. Synthetic pictures, none learnt from.", fontsize=TEXT_SIZE)
    for number in range(count):
        axes = figure.add_axes((0.012 + number * 0.247, 0.465, 0.235, 0.44))
        axes.imshow(outlined(record.pictures, snapshot, number, _SIDE))
        _bare(axes, "")
        axes.set_xlabel(f"Dice {snapshot.dice[number]:.2f}", fontsize=TEXT_SIZE + 1, labelpad=2)
    known = [line for line in record.lines if line["epoch"] <= snapshot.epoch]
    epochs = [line["epoch"] for line in known]
    left = figure.add_axes((0.06, 0.105, 0.41, 0.205))
    for name, label, colour, dashes in (
        ("d_real", "of the expert's masks", GREEN, "-"),
        ("d_fake", "of LF-Net's drawings", VERMILION, (0, (5, 1.5))),
    ):
        _curve(left, epochs, [line[name] for line in known], label, colour, dashes)
    right = figure.add_axes((0.565, 0.105, 0.41, 0.205))
    dice = [line["validation_dice"] for line in known]
    _curve(right, epochs, dice, f"Dice {dice[-1]:.2f} on 40 pictures", BLUE, "-")
    for axes, title in ((left, "DA-Net's opinion: 1 = an expert drew it"), (right, "LF-Net, validation")):
        dress(axes, title, "epoch")
        axes.set(xlim=(0.5, record.snapshots[-1].epoch + 0.5), ylim=(0, 1))
        axes.xaxis.get_major_locator().set_params(integer=True)
    left.axhline(0.5, color=GREY, linewidth=0.8, zorder=0)
    left.set_ylim(*_opinions(record))
    for axes in (left, right):
        axes.legend(fontsize=TEXT_SIZE - 1, frameon=False, loc="lower right", ncols=2, handlelength=2.5)
    return figure


def training_in_words(record: TrainingRecord) -> str:
    """What the animation shows, for its text alternative."""
    first, last = record.snapshots[0], record.snapshots[-1]
    return (
        f"Four synthetic photographs over {last.epoch} epochs of training: LF-Net's outlines close in on the expert's, "
        f"mean Dice {np.mean(first.dice):.2f} to {np.mean(last.dice):.2f}, while DA-Net's opinions of experts' and "
        "drawn masks come closer."
    )


def _opinions(record: TrainingRecord) -> tuple[float, float]:
    """Limits that all opinions fit between, in tenths, 0.5 in any case."""
    values = [line[name] for line in record.lines for name in ("d_real", "d_fake")] + [0.5]
    return max(np.floor(10 * min(values) - 2) / 10, 0), min(np.ceil(10 * max(values)) / 10, 1)


def _curve(axes: Axes, epochs: list[float], values: list[float], label: str, colour: str, dashes: object) -> None:
    axes.plot(epochs, values, color=colour, linestyle=dashes, linewidth=1.8, label=label)
    axes.plot(epochs[-1:], values[-1:], "o", color=colour, markersize=4)


def _map(axes: Axes, values: np.ndarray, mask: np.ndarray, limits: tuple[float | None, float | None]) -> None:
    """A map of positions stretched over the picture, with the outline on it."""
    height, width = mask.shape
    rows, columns = (STRIDE * count for count in values.shape)
    extent = (-0.5, columns - 0.5, rows - 0.5, -0.5)
    axes.imshow(values, cmap="viridis", vmin=limits[0], vmax=limits[1], extent=extent, interpolation="nearest")
    for colour, line in ((BLACK, 2.4), ("white", 1.1)):
        axes.contour(mask, levels=[0.5], colors=[colour], linewidths=line)
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))


def _bare(axes: Axes, title: str) -> None:
    axes.set(xticks=[], yticks=[])
    axes.set_frame_on(False)
    axes.set_title(title, fontsize=TEXT_SIZE + 1)


def _rendered(figure: Figure) -> np.ndarray:
    """`(H, W, 3)` uint8."""
    figure.set_dpi(_DOTS)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
