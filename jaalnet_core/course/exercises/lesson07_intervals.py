"""Judge of lesson 7 about the bootstrap: an interval around a pooled Dice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from jaalnet_core.bootstrap import bootstrap_interval, resample_weights
from jaalnet_core.course.judging import Wrong, agrees, call, expect, generator
from jaalnet_core.metrics import pooled, scores

SAMPLES = 2500  # an end is then known to about a twentieth of the score's standard deviation
_ALLOWED = 0.3  # of that deviation
_ALLOWED_ON_AVERAGE = 0.2  # over both sets


def judge_pooled_interval(pooled_interval: Callable[[Tensor, int, int], tuple[float, float]]) -> None:
    """7.3: the middle 95% of the pooled Dice over resampled images."""
    draw = generator()
    shift = []
    for _ in range(2):
        counts = _uneven_counts(int(draw.integers(25, 45)), draw)
        low, high = _two_ends(call(pooled_interval, counts.clone(), SAMPLES, int(draw.integers(1000))))
        shift.append(_judge_ends(low, high, counts))
    for end, by in zip(("lower", "upper"), np.mean(shift, axis=0), strict=True):
        expect(
            abs(by) < _ALLOWED_ON_AVERAGE,
            f"your {end} end is off by {by:+.2f} of the Dice's standard deviation. Cut off 0.025 at either side.",
        )
    few, seed = _uneven_counts(int(draw.integers(8, 14)), draw), int(draw.integers(1000))
    once = _two_ends(call(pooled_interval, few.clone(), 1, seed))
    expect(
        once[0] == once[1],
        f"with samples=1 there is one resample, so both ends are its Dice; yours are {once[0]:.4f} and {once[1]:.4f}. "
        "Draw exactly as many resamples as `samples` says.",
    )
    first, again = (_two_ends(call(pooled_interval, few.clone(), 40, seed)) for _ in range(2))
    expect(
        first == again,
        f"the same seed gave {first[0]:.4f} to {first[1]:.4f}, and then {again[0]:.4f} to {again[1]:.4f}: make a "
        "generator from `seed` inside the function, and draw with it.",
    )
    others = {_two_ends(call(pooled_interval, few.clone(), 40, seed + step)) for step in (1, 2, 3)}
    expect(
        others != {first},
        "other seeds give the very same interval: the generator does not depend on `seed`.",
    )


def _judge_ends(low: float, high: float, counts: Tensor) -> tuple[float, float]:
    """Compare with many resamples of the package's, and name what a mistaken interval looks like.

    Returns:
        how far each end is off, in standard deviations of the Dice.
    """
    right, spread = _ends(counts, lambda means: scores(means)["dice"])
    width, ours = right[1] - right[0], high - low
    said = f"yours goes from {low:.4f} to {high:.4f}, expected about {right[0]:.4f} to {right[1]:.4f}"
    expect(low <= high, f"{said}: the lower end comes first.")
    expect(
        ours > 1e-9,
        f"{said}: every resample has the same Dice. Draw *with* replacement, so that some images come twice and others "
        "not at all.",
    )

    def near(ends: Any) -> bool:
        return all(abs(a - b) < _ALLOWED * spread for a, b in zip((low, high), ends, strict=True))

    if near(right) and abs(ours - width) < 1.4 * _ALLOWED * spread:
        return (low - right[0]) / spread, (high - right[1]) / spread
    each = scores(counts)["dice"]
    expect(
        not agrees((low, high), tuple(torch.quantile(each, _tails()).tolist()), 0.01),
        f"{said}. Those are the ends of the single images' Dice: how far one image lies from the next. Asked is how "
        "far the *average* of a whole set would move.",
    )
    expect(
        not near(_ends(each[:, None], lambda means: means[:, 0])[0]),
        f"{said}. That is the interval of the mean over images. Pooled: sum the counts of the images drawn, then "
        "divide once.",
    )
    expect(ours > 0.35 * width, f"{said}: {_too_narrow(counts, ours)}")
    ratio = f"{ours / width:.2f} times as wide as it should be"
    expect(
        ours < 1.07 * width,
        f"{said}: too wide, {ratio}. Draw as many images as the set has (fewer make a shakier Dice), and cut off 0.025 "
        "at either side.",
    )
    expect(
        ours > 0.93 * width,
        f"{said}: too narrow, {ratio} (the middle 90% would be 0.84 times as wide). Cut off 0.025 at either side, and "
        "draw as many images as the set has.",
    )
    middle = pooled(counts)["dice"]
    raise Wrong(f"{said}. The pooled Dice of the whole set is {middle:.4f}: what are your resamples' Dice made of?")


def _uneven_counts(images: int, draw: np.random.Generator) -> Tensor:
    """`(images, 4)` tables: small lesions badly found and large ones well, so that the averagings differ."""
    size = draw.uniform(0.02, 1, images)
    lesion, skin = (600 * size).astype(int) + 5, draw.integers(700, 900, images)
    found = (lesion * (0.2 + 0.6 * size + 0.18 * draw.random(images))).astype(int)
    marked = (lesion * draw.uniform(0.05, 0.35, images)).astype(int)
    return torch.from_numpy(np.stack([found, marked, lesion - found, skin - marked], axis=1))


def _too_narrow(counts: Tensor, ours: float) -> str:
    total = counts.sum(0).double()
    drawn = np.random.default_rng(0).multinomial(int(total.sum()), (total / total.sum()).numpy(), 1000)
    low, high = torch.quantile(scores(torch.from_numpy(drawn))["dice"], _tails()).tolist()
    if 0.7 < ours / (high - low) < 1.4:
        return (
            "as narrow as if single pixels had been drawn. The pixels of one image fail together, so draw whole images."
        )
    return f"{ours / (high - low):.1f} times as wide as if single pixels had been drawn, and far too narrow for images."


def _ends(
    counts: Tensor, statistic: Callable[[Tensor], Tensor], level: float = 0.95
) -> tuple[tuple[float, ...], float]:
    """The interval from many resamples, and the statistic's standard deviation over them."""
    ends = bootstrap_interval(counts, statistic, samples=10_000, level=level)
    values = statistic(resample_weights(len(counts), samples=2000) @ counts.double())
    return tuple(ends.tolist()), values.std().item()


def _tails() -> Tensor:
    return torch.tensor([0.025, 0.975], dtype=torch.float64)


def _two_ends(found: Any) -> tuple[float, float]:
    expect(
        isinstance(found, (tuple, list)) and len(found) == 2 and agrees(tuple(found), tuple(found)),
        "expected two numbers, `return low, high`.",
    )
    return float(found[0]), float(found[1])
