"""Judge of lesson 8 about two recipes: better, worse, or undecided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from jaalnet_core.bootstrap import resample_weights
from jaalnet_core.course.judging import agrees, call, expect, generator

Answer = Callable[[Tensor, Tensor, int, int], tuple[float, float, str]]
SAMPLES = 1500
_ALLOWED = 0.35  # of the difference's standard deviation over resamples: about five of what chance moves an end
_ALLOWED_ON_AVERAGE = 0.2  # over the four pairs of recipes, which chance moves half as far
_WORDS = ("better", "worse", "undecided")


def judge_compare_recipes(compare_recipes: Answer) -> None:
    """8.3: an interval over images, the same for both, and over seeds, of each by itself; and a verdict."""
    draw = generator()
    better, base = hard_images(draw)
    recipes = [hard_images(draw), lucky_seeds(draw), same_seeds(draw), (base, better)]
    found = [_answer(call(compare_recipes, v.clone(), b.clone(), SAMPLES, int(draw.integers(999)))) for v, b in recipes]
    _judge_intervals([one[:2] for one in found], recipes)
    for (variant, other), (low, high, verdict) in zip(recipes, found, strict=True):
        ends = _ends(_differences(variant, other))
        true = "undecided" if ends[0] <= 0 <= ends[1] else ("better" if ends[0] > 0 else "worse")
        why = "0 lies inside the interval" if true == "undecided" else "0 lies outside, and there are several seeds"
        expect(verdict == true, f"{low:+.4f} to {high:+.4f} is right, but not the verdict {verdict!r}: {why}.")
    for variant, other in ((better[:1], base), (better, base[:1]), (base[:1], better[:1])):
        *_, verdict = _answer(call(compare_recipes, variant.clone(), other.clone(), 200, int(draw.integers(999))))
        expect(
            verdict == "undecided",
            f"{len(variant)} seed{'s' * (len(variant) > 1)} against {len(other)}, your verdict is {verdict!r}: a "
            "single seed says nothing of how far another would have fallen. Undecided, whatever the images say.",
        )
    nothing = torch.zeros(3, 7, dtype=torch.float64)
    low, high, verdict = _answer(call(compare_recipes, nothing.clone(), nothing.clone(), 50, 1))
    expect(
        (low, high, verdict) == (0, 0, "undecided"),
        f"two recipes with Dice 0 everywhere: found {low:.3g}, {high:.3g}, {verdict!r}, expected 0, 0, 'undecided': an "
        "interval that only touches 0 holds it.",
    )
    _judge_draws(compare_recipes, better, base, draw)


def hard_images(draw: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Images differ by half a Dice, the recipes by two hundredths in nearly each of them: the variant is better."""
    difficulty = draw.uniform(0.35, 0.95, int(draw.integers(25, 40)))
    base = difficulty + 0.002 * draw.standard_normal((2, 1)) + 0.004 * draw.standard_normal((2, len(difficulty)))
    gain = 0.02 + 0.015 * draw.standard_normal(len(difficulty))
    variant = difficulty + gain + 0.002 * draw.standard_normal((3, 1))
    return torch.from_numpy(variant), torch.from_numpy(base)


def lucky_seeds(draw: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Images agree, seeds do not: undecided, though the images alone would decide."""
    images = int(draw.integers(25, 40))
    offsets = [np.array([-0.06, -0.02, 0.0, 0.02, 0.06]) * draw.uniform(0.8, 1.2) for _ in range(2)]
    turned = offsets[1][[1, 4, 2, 0, 3]]  # hardly related to the other's
    variant = 0.84 + offsets[0][:, None] + 0.03 * draw.standard_normal((5, images))
    base = 0.82 + turned[:, None] + 0.03 * draw.standard_normal((5, images))
    return torch.from_numpy(variant), torch.from_numpy(base)


def same_seeds(draw: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Seed 1 of one happens to be as lucky as seed 1 of the other."""
    images = int(draw.integers(25, 40))
    offsets = draw.permutation([-0.06, -0.03, 0.0, 0.03, 0.06])[:, None]
    variant = 0.83 + offsets + 0.03 * draw.standard_normal((5, images))
    base = 0.81 + offsets + 0.03 * draw.standard_normal((5, images))
    return torch.from_numpy(variant), torch.from_numpy(base)


def _judge_intervals(found: list[tuple[float, float]], recipes: list[tuple[Tensor, Tensor]]) -> None:
    """Compare with many resamples; a mistake is named when it explains the intervals of all pairs of recipes."""
    drawn = [_differences(*pair) for pair in recipes]
    right = [_ends(one) for one in drawn]
    shift = np.array(
        [
            np.subtract(ends, expected) / one.std().item()
            for ends, expected, one in zip(found, right, drawn, strict=True)
        ]
    )
    off = np.abs(np.column_stack([shift, 0.78 * (shift[:, 1] - shift[:, 0])])).max(axis=1)  # the ends, the width
    worst = int(np.argmax(off))
    (low, high), (variant, base) = found[worst], recipes[worst]
    said = (
        f"{len(variant)} seeds against {len(base)}, {variant.shape[1]} images: your interval is {low:+.4f} to "
        f"{high:+.4f}, expected about {right[worst][0]:+.4f} to {right[worst][1]:+.4f}"
    )
    expect(low <= high, f"{said}: the lower end comes first.")
    if off.max() < _ALLOWED and np.abs(shift.mean(axis=0)).max() < _ALLOWED_ON_AVERAGE:
        return
    for words, mistaken in _MISTAKES.items():
        ends = [_ends(_differences(*pair, **mistaken.draws), mistaken.tail) for pair in recipes]
        ends = [(-high, -low) if mistaken.turned else (low, high) for low, high in ends]
        expect(not all(map(_alike, found, ends)), f"{said}: {words}")
    wide = (high - low) / (right[worst][1] - right[worst][0])
    expect(
        False,
        f"{said}, {wide:.2f} times as wide as it should be. Which draws are missing? And cut off 0.025 at either side.",
    )


@dataclass(frozen=True)
class _Mistake:
    draws: dict[str, bool] = field(default_factory=dict)
    tail: float = 0.025
    turned: bool = False


_MISTAKES = {
    "that is base minus variant; a better variant is above 0.": _Mistake(turned=True),
    "images are drawn for each recipe by itself. A hard image is hard for both, so draw the same images for both.": (
        _Mistake({"pair_images": False})
    ),
    "only images are drawn. Another seed would have given other weights, so draw seeds as well.": (
        _Mistake({"seeds": False})
    ),
    "only seeds are drawn. Other images could have been in the set, so draw images as well.": (
        _Mistake({"images": False})
    ),
    "seed 1 of one recipe is drawn together with seed 1 of the other. They have nothing in common: draw the seeds of "
    "each recipe by itself.": _Mistake({"pair_seeds": True}),
    "that is the middle 90%. Asked is 95%, so cut off 0.025 at either side.": _Mistake(tail=0.05),
}


def _alike(found: tuple[float, float], ends: tuple[float, float]) -> bool:
    """Whether an interval is another one, but for chance."""
    return max(abs(a - b) for a, b in zip(found, ends, strict=True)) < 0.12 * (ends[1] - ends[0])


def _judge_draws(answer: Answer, variant: Tensor, base: Tensor, draw: np.random.Generator) -> None:
    seed = int(draw.integers(999))

    def ends(samples: int, seed: int) -> tuple[float, float]:
        return _answer(call(answer, variant.clone(), base.clone(), samples, seed))[:2]

    once = ends(1, seed)
    expect(once[0] == once[1], "with samples=1 both ends are one difference. Draw exactly as often as `samples` says.")
    first, again = ends(40, seed), ends(40, seed)
    expect(first == again, "the same seed gave two intervals: make a generator from `seed`, and draw with it.")
    expect(
        {ends(40, seed + step) for step in (1, 2, 3)} != {first},
        "other seeds give the very same interval: the generator does not depend on `seed`.",
    )


def _differences(
    variant: Tensor,
    base: Tensor,
    *,
    images: bool = True,
    pair_images: bool = True,
    seeds: bool = True,
    pair_seeds: bool = False,
    samples: int = 8000,
) -> Tensor:
    """Differences of resampled means; the arguments make the usual mistakes."""
    shared = resample_weights(variant.shape[1], samples=samples, seed=1)
    alone = shared if pair_images else resample_weights(base.shape[1], samples=samples, seed=2)
    if not images:
        shared = alone = torch.full_like(shared, 1 / shared.shape[1])
    rows = [resample_weights(len(runs), samples=samples, seed=3 + place) for place, runs in enumerate((variant, base))]
    if pair_seeds and len(variant) == len(base):
        rows[1] = rows[0]
    if not seeds:
        rows = [torch.full_like(row, 1 / row.shape[1]) for row in rows]
    one, other = (
        (w @ runs.T * row).sum(1) for w, runs, row in zip((shared, alone), (variant, base), rows, strict=True)
    )
    return one - other


def _ends(drawn: Tensor, tail: float = 0.025) -> tuple[float, float]:
    low, high = torch.quantile(drawn, torch.tensor([tail, 1 - tail], dtype=torch.float64)).tolist()
    return low, high


def _answer(found: Any) -> tuple[float, float, str]:
    expect(
        isinstance(found, (tuple, list)) and len(found) == 3 and agrees(tuple(found[:2]), tuple(found[:2])),
        "expected three values, `return low, high, verdict`, two numbers and a word.",
    )
    verdict = found[2]
    expect(
        isinstance(verdict, str) and verdict.strip().lower() in _WORDS,
        f"the verdict is {verdict!r}, expected 'better', 'worse' or 'undecided'.",
    )
    return float(found[0]), float(found[1]), verdict.strip().lower()
