"""A contact sheet of the best, the median and the worst outlines, and how the scores spread."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal, Stroke

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.figures.outlines import EXPERT_COLOUR, PREDICTED_COLOUR, draw_outlines
from jaalnet_core.figures.style import BLUE, TEXT_SIZE, VERMILION, dress, new_figure

_THUMBNAIL_SIDE = 320  # pixels of the shorter side: outlines are drawn finer than a 128-pixel photograph allows
_LONGEST_ID = 14  # characters that fit under a thumbnail


def best_median_worst(dice: np.ndarray, count: int) -> dict[str, np.ndarray]:
    """Which images to look at: indices of the `count` best, those around the median, and the worst.

    Args:
        dice: `(N,)`, one score an image; ties keep the order of the images.
        count: images a group; less where there are fewer than three groups' worth, never an image twice.

    Returns:
        `{"best", "median", "worst"}`, each sorted from its highest score to its lowest.
    """
    order = np.argsort(-np.asarray(dice, dtype=np.float64), kind="stable")
    count = min(count, max(1, len(order) // 3))
    middle = max(count, (len(order) - count) // 2)
    worst = max(middle + count, len(order) - count)
    return {
        "best": order[:count],
        "median": order[middle : middle + count],
        "worst": order[worst:],
    }


def contact_sheet(
    arrays: LesionArrays, predictions: np.ndarray, dice: np.ndarray, *, columns: int = 5, title: str = ""
) -> Figure:
    """Three rows of pictures with both outlines: the best, those around the median, and the worst by Dice.

    Args:
        arrays: `N` pictures with the experts' masks.
        predictions: `(N, H, W)` boolean or 0/1, the network's masks at the pictures' size.
        dice: `(N,)` per-image Dice in 0..1.
        columns: pictures a row.
        title: a line above the sheet.

    Returns:
        A figure about 6 inches wide; each picture carries its id and its Dice.

    Raises:
        ValueError: no picture at all, or counts that differ.
    """
    if not len(arrays) or predictions.shape != arrays.masks.shape or np.shape(dice) != (len(arrays),):
        raise ValueError(
            f"found {len(arrays)} pictures of {arrays.size}, predictions {predictions.shape} and "
            f"{np.shape(dice)} scores; expected at least one picture, predictions {arrays.masks.shape} and "
            "a score each."
        )
    groups = {name: chosen for name, chosen in best_median_worst(dice, columns).items() if len(chosen)}
    columns = max(len(chosen) for chosen in groups.values())
    cell = min(1.25 * arrays.size.height / arrays.size.width, 2.5)
    heading = 0.25 if title else 0.0
    figure = new_figure(max(3.0, 1.25 * columns), len(groups) * (cell + 0.34) + 0.3 + heading)
    grid = figure.subplots(len(groups), columns, squeeze=False)
    for (name, chosen), row in zip(groups.items(), grid, strict=True):
        for axes in row:
            axes.set(xticks=[], yticks=[])
            axes.set_frame_on(False)
        row[0].set_ylabel(name, fontsize=TEXT_SIZE + 1, fontweight="bold")
        for axes, index in zip(row, chosen, strict=False):
            picture, expert, predicted = arrays.images[index], arrays.masks[index], predictions[index]
            axes.imshow(
                draw_outlines(picture, expert=expert, predicted=predicted, line_width=3, enlarge_to=_THUMBNAIL_SIDE)
            )
            empty = "" if np.any(predictions[index]) else ", no outline"
            label = f"{_shortened(arrays.ids[index])}\nDice {dice[index]:.3f}{empty}"
            axes.set_xlabel(label, fontsize=TEXT_SIZE - 1, labelpad=2)
    if title:
        figure.suptitle(title, fontsize=TEXT_SIZE + 2, x=0.01, ha="left")
    _legend(figure)
    figure.alt = "The expert's outline, solid, and the predicted one, dashed, on photographs. " + " ".join(
        f"{name.capitalize()}: Dice {', '.join(f'{dice[index]:.3f}' for index in chosen)}."
        for name, chosen in groups.items()
    )
    return figure


def dice_histogram(dice: np.ndarray, *, title: str = "Dice of each image") -> Figure:
    """How per-image Dice spreads: bars of width 0.05 over 0..1 with the mean and the median marked.

    Args:
        dice: `(N,)` in 0..1, at least one.
    """
    dice = np.asarray(dice, dtype=np.float64)
    figure = new_figure(6.0, 2.4)
    axes = figure.subplots()
    edges = np.linspace(0, 1, 21)
    axes.hist(dice, bins=edges, color=BLUE, edgecolor="white", linewidth=0.6)
    mean, median = dice.mean(), np.median(dice)
    axes.axvline(mean, color=VERMILION, linewidth=1.6, label=f"mean {mean:.3f}")
    axes.axvline(median, color="black", linewidth=1.6, linestyle=(0, (4, 2)), label=f"median {median:.3f}")
    axes.set_xlim(0, 1)
    axes.yaxis.get_major_locator().set_params(integer=True)
    dress(axes, f"{title} ({len(dice)} images)", "Dice", "images")
    axes.legend(fontsize=TEXT_SIZE, frameon=False, loc="upper left")
    figure.alt = (
        f"{title} of {len(dice)} images as a histogram: mean {mean:.3f}, median {median:.3f}, lowest {dice.min():.3f}, "
        f"{(dice < 0.5).sum()} below 0.5."
    )
    return figure


def _legend(figure: Figure) -> None:
    """Both line styles, with the casing they have on the photographs."""
    casing = [Stroke(linewidth=4, foreground="black"), Normal()]
    lines = [
        Line2D([], [], color=EXPERT_COLOUR, linewidth=2, label="expert", path_effects=casing),
        Line2D([], [], color=PREDICTED_COLOUR, linewidth=2, label="predicted", path_effects=casing),
    ]
    lines[1].set_linestyle((0, (3, 2)))
    figure.legend(
        handles=lines, loc="outside lower right", ncols=2, fontsize=TEXT_SIZE, frameon=False, handlelength=3.5
    )


def _shortened(name: str) -> str:
    """A long id with its middle left out: names of one camera differ at the end."""
    if len(name) <= _LONGEST_ID:
        return name
    return f"{name[:5]}…{name[-(_LONGEST_ID - 6) :]}"
