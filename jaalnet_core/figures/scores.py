"""How scores spread over images: a dot for each image and their mean, side by side, or against the lesion's size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.ticker import FuncFormatter
from numpy.typing import ArrayLike

from jaalnet_core.figures.style import BLACK, BLUE, GREY, TEXT_SIZE, VERMILION, NotebookFigure, dress, new_figure

LOW = 0.5  # a Dice below it is called a failure in words
_ROOM = 0.32  # half the width of a column of dots
_COLUMNS = 40  # dots that lie nearer than one fortieth of the axis stand beside each other


@dataclass(frozen=True)
class Spread:
    """Scores of `count` images in numbers: mean, median, lowest and highest, and how many lie below one half."""

    count: int
    mean: float
    median: float
    lowest: float
    highest: float
    failed: int


def spread(scores: ArrayLike) -> Spread:
    """What `score_spread` says of one group of scores, `(N,)` in 0..1.

    Raises:
        ValueError: no score, or one that is not finite.
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ValueError(f"scores: found shape {values.shape}, expected (N,) finite values, at least one.")
    return Spread(
        len(values),
        float(values.mean()),
        float(np.median(values)),
        float(values.min()),
        float(values.max()),
        int((values < LOW).sum()),
    )


def side_steps(scores: ArrayLike) -> np.ndarray:
    """Where to put dots so that like scores stand beside each other: `(N,)` in -1..1, the same on every call.

    A dot alone at its height stands in the middle; a crowd fills the width evenly.
    """
    values = np.asarray(scores, dtype=np.float64)
    rows = np.round(values * _COLUMNS).astype(int)
    fullest = max(np.bincount(rows - rows.min()).max(), 2)
    steps = np.zeros(len(values))
    for row in np.unique(rows):
        there = np.flatnonzero(rows == row)
        steps[there] = (np.arange(len(there)) - (len(there) - 1) / 2) * 2 / (fullest - 1)
    return steps


def score_spread(
    groups: Mapping[str, ArrayLike],
    *,
    score: str = "Dice",
    title: str = "",
    linked: bool = False,
    floor: float | None = None,
) -> NotebookFigure:
    """A column for each group: a dot an image, a bar and a number for the mean.

    Args:
        groups: name to scores `(N,)` in 0..1.
        score: what they are, for the axis.
        title: a line above.
        linked: the groups hold the same images in the same order: join each image's dots with a line.
        floor: where the axis begins, so that several figures can be compared; a lower score lowers it. By default
            just below the lowest score.

    Raises:
        ValueError: no group, an empty one, or linked groups of different length.
    """
    values = {name: np.asarray(scores, dtype=np.float64) for name, scores in groups.items()}
    if not values or (linked and len({len(scores) for scores in values.values()}) > 1):
        raise ValueError(
            f"groups: found lengths {[len(scores) for scores in values.values()]}, expected at least one group, "
            "and as many images in each where they are linked."
        )
    numbers = {name: spread(scores) for name, scores in values.items()}
    figure = new_figure(min(6.4, 1.4 + 1.1 * len(values)), 2.9)
    axes = figure.subplots()
    if linked:
        axes.plot(range(len(values)), np.stack(list(values.values())), color=GREY, alpha=0.35, linewidth=0.6)
    for place, (name, scores) in enumerate(values.items()):
        shift = np.zeros(len(scores)) if linked else _ROOM * side_steps(scores)
        axes.scatter(place + shift, scores, s=9, color=BLUE, alpha=0.65, linewidths=0, zorder=2)
        mean = numbers[name].mean
        axes.plot([place - 0.3, place + 0.3], [mean, mean], color=VERMILION, linewidth=2.4, zorder=3)
        label = axes.text(place + 0.35, mean, f"{mean:.3f}", fontsize=TEXT_SIZE, color=BLACK, va="center", zorder=4)
        label.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6})
    dress(axes, title or f"{score} of each image, and the mean", y=score)
    axes.set_xticks(range(len(values)), list(values), fontsize=TEXT_SIZE)
    axes.set_xlim(-0.5, len(values) - 0.25)
    lowest = min(one.lowest for one in numbers.values())
    axes.set_ylim(max(-0.03, min(lowest - 0.06, 1.0 if floor is None else floor)), 1.02)
    figure.alt = f"{score} of each image. " + " ".join(_in_words(name, one) for name, one in numbers.items())
    return figure


def _in_words(name: str, numbers: Spread) -> str:
    failed = f", {numbers.failed} below {LOW}" if numbers.failed else ""
    label = " ".join(name.split())
    return f"{label}: mean {numbers.mean:.3f}, lowest {numbers.lowest:.3f}{failed}, {numbers.count} images."


def mean_by_size(shares: ArrayLike, scores: ArrayLike, edges: Sequence[float]) -> list[tuple[int, float]]:
    """How many images have a lesion whose share of the frame lies in `[edge, next edge)`, and their mean score.

    The last interval includes its upper end; the mean of no image is nan.

    Raises:
        ValueError: other numbers of shares and scores, or edges that do not rise.
    """
    shares, scores = np.asarray(shares, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if shares.shape != scores.shape or len(edges) < 2 or np.any(np.diff(edges) <= 0):
        raise ValueError(
            f"shares {shares.shape}, scores {scores.shape}, edges {list(edges)}: expected as many shares as scores, "
            "and at least two edges that rise."
        )
    found = []
    for low, high in pairwise(edges):
        inside = (shares >= low) & ((shares <= high) if high == edges[-1] else (shares < high))
        found.append((int(inside.sum()), float(scores[inside].mean()) if inside.any() else float("nan")))
    return found


def score_against_size(
    shares: ArrayLike,
    scores: ArrayLike,
    *,
    edges: Sequence[float] = (0.0, 0.05, 0.1, 0.2, 0.4, 0.6, 1.0),
    score: str = "Dice",
    title: str = "",
) -> NotebookFigure:
    """A dot for each image at its lesion's share of the frame (logarithmic), and the mean of each range of sizes.

    Args:
        shares: `(N,)` above 0, at most 1.
        scores: `(N,)` in 0..1.
        edges: of the ranges whose means are drawn.
        score: what the scores are.
        title: a line above.
    """
    shares, scores = np.asarray(shares, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    means = mean_by_size(shares, scores, edges)
    smallest = shares[shares > 0].min() * 0.8
    figure = new_figure(6.0, 2.9)
    axes = figure.subplots()
    axes.scatter(shares, scores, s=9, color=BLUE, alpha=0.6, linewidths=0)
    words = []
    for (low, high), (count, mean) in zip(pairwise(edges), means, strict=True):
        if count:
            axes.plot([max(low, smallest), high], [mean, mean], color=VERMILION, linewidth=2.4)
            words.append(f"{low:.0%} to {high:.0%} of the frame: mean {mean:.3f} of {count}")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
    axes.set_xlim(smallest, 1.05)
    axes.set_ylim(min(0.0, scores.min() - 0.05), 1.02)
    dress(axes, title or f"{score} and the size of the lesion", "share of the frame that is lesion", score)
    figure.alt = f"{score} of {len(scores)} images against the size of the lesion; " + "; ".join(words) + "."
    return figure
