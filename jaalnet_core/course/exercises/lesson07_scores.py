"""Judges of lesson 7 about scores of counted pixels: the empty-mask rule, two averagings, and honest scores."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from jaalnet_core.course.exercises.diagnosing import letter_of
from jaalnet_core.course.exercises.recognising import recognise
from jaalnet_core.course.judging import Wrong, agrees, attempted, call, expect, generator
from jaalnet_core.metrics import confusion_counts, per_image, pooled, scores


def judge_dice_of_masks(dice_of_masks: Callable[[Tensor, Tensor], float]) -> None:
    """7.1: Dice of two masks, with the rule for empty ones."""
    draw = generator()
    for _ in range(6):
        predicted, lesion = _two_masks(draw)
        tp, fp, fn, tn = (int(n) for n in confusion_counts(predicted[None], lesion[None])[0])
        asked = tp + fp + fn
        mistakes = {
            "that is the IoU. Dice counts the common pixels twice, because both masks count them.": tp / asked,
            "that is half of it. Both masks count the common pixels, so they count twice above the line, too.": tp
            / (tp + asked),
            "that is the accuracy. Dice does not look at the pixels that both leave alone.": (tp + tn) / (asked + tn),
            "that is the sensitivity: the marked skin does not count in it.": tp / (tp + fn),
            "that is the share of marked pixels that are lesion: the missed lesion does not count in it.": tp
            / (tp + fp),
            "a constant was added above and below the line, to keep 0/0 away. It changes every score a little; "
            "treat the empty masks by themselves instead.": (2 * tp + 1) / (tp + asked + 1),
        }
        found = call(dice_of_masks, predicted.clone(), lesion.clone())
        recognise(found, 2 * tp / (tp + asked), mistakes, f"with tp {tp}, fp {fp}, fn {fn}, tn {tn} your Dice")
    _judge_empty_masks(dice_of_masks, draw)


def _judge_empty_masks(dice_of_masks: Callable[[Tensor, Tensor], float], draw: np.random.Generator) -> None:
    empty, speck = torch.zeros(int(draw.integers(5, 12)), 7, dtype=torch.int64), int(draw.integers(2, 5))
    for pixels in (1, speck):
        dust = empty.clone()
        dust[:pixels, int(draw.integers(7))] = 1
        cases = {"marked on a picture without a lesion": (dust, empty), "of lesion, and nothing marked": (empty, dust)}
        for words, (predicted, lesion) in cases.items():
            found = call(dice_of_masks, predicted.clone(), lesion.clone())
            expect(
                agrees(found, 0.0),
                f"with {pixels} pixel{'s' * (pixels > 1)} {words}, your Dice is {_short(found)}, expected 0: nothing "
                "is common. The rule is for two empty masks, not for one.",
            )
    why = "Where both masks are empty, 0 is divided by 0. The rule asks for 1 there: nothing to find, nothing marked."
    try:
        found = call(dice_of_masks, empty.clone(), empty.clone())
    except Wrong as raised:
        raise Wrong(f"for two empty masks {raised}. {why}") from raised
    expect(not _is_nan(found), f"for two empty masks your Dice is nan. {why}")
    expect(not agrees(found, 0.0), f"for two empty masks your Dice is 0, as if everything were missed. {why}")
    recognise(found, 1.0, {}, "the Dice of two empty masks")


def _two_masks(draw: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Two masks with all four kinds of pixels, no two counts alike."""
    height, width = (int(n) for n in draw.integers(9, 20, 2))
    tp, fp, fn = (int(n) for n in draw.choice(np.arange(2, 24), 3, replace=False))
    order = torch.as_tensor(draw.permutation(height * width))
    predicted, lesion = torch.zeros(2, height * width, dtype=torch.int64)
    predicted[order[: tp + fp]] = 1
    lesion[order[:tp]] = 1
    lesion[order[tp + fp : tp + fp + fn]] = 1
    return predicted.view(height, width), lesion.view(height, width)


def judge_two_averages(two_averages: Callable[[Tensor], tuple[float, float]]) -> None:
    """7.2: the mean of each image's Dice, and the Dice of all pixels."""
    draw = generator()
    for trial in range(6):
        counts = random_counts(int(draw.integers(4, 10)), draw)
        if trial >= 2:  # somewhere an image without lesion, left alone; then one with dust on it
            counts[int(draw.integers(3, len(counts)))] = torch.tensor([0, 0, 0, int(draw.integers(100, 900))])
            counts[1:3, :3] = torch.tensor([[3, 2, 5], [2, 5, 3]]) * int(
                draw.integers(1, 9)
            )  # fp or fn balance the rest
        if trial >= 4:
            counts[0] = torch.tensor([0, int(draw.integers(1, 9)), 0, int(draw.integers(100, 900))])
        _compare_averages(call(two_averages, counts.clone()), counts, trial >= 2)
    none = torch.tensor([[0, 0, 0, int(n)] for n in draw.integers(50, 90, 3)])
    found = call(two_averages, none.clone())
    _expect_two(found)
    expect(
        not any(_is_nan(one) for one in found) and agrees(tuple(found), (1.0, 1.0)),
        f"where no image has a lesion and nothing is marked, both averages are 1; yours are {_short(found)}. The rule "
        "for 0/0 belongs to the pooled table as well.",
    )


def _compare_averages(found: Any, counts: Tensor, some_empty: bool) -> None:
    where = " (one image of the set has no lesion, and nothing is marked)" if some_empty else ""
    _expect_two(found)
    each, total = scores(counts)["dice"], counts.sum(0)
    empty = counts[:, :3].sum(1) == 0
    right = per_image(counts)["dice"], pooled(counts)["dice"]
    expect(
        not agrees(tuple(found), right[::-1]),
        f"the two are in each other's place: {_short(found)}. First the mean over images, then the pooled one.",
    )
    expect(
        not _is_nan(found[0]),
        f"the mean over images is nan{where}: one undefined ratio spoils the whole mean. Let 0/0 count 1 before you "
        "take the mean.",
    )
    shifted = counts[:, [0, 2, 3, 1]]  # read as tp, tn, fp, fn
    mistakes_per_image: Mapping[str, Any] = {
        f"that is the pooled one{where}. Divide in each image first, then take the mean.": right[1],
        "the empty image counts 0 there; the rule says 1.": each[~empty].sum() / len(each),
        "the empty image was left out of the mean; the rule lets it count 1.": each[~empty].mean(),
        "that is the IoU; Dice counts tp twice.": scores(counts)["iou"].mean(),
        "the columns were read in another order; they are tp, fp, fn, tn.": scores(shifted)["dice"].mean(),
    }
    mistakes_pooled: Mapping[str, Any] = {
        "that is the mean over images once more. Sum the four counts over all images first, then divide once.": right[
            0
        ],
        "each image was weighted by all its pixels. Sum the counts, then divide once.": (
            (each * counts.sum(1)).sum() / counts.sum()
        ),
        "that is the IoU; Dice counts tp twice.": scores(total)["iou"],
        "the columns were read in another order; they are tp, fp, fn, tn.": scores(shifted.sum(0))["dice"],
    }
    recognise(found[0], right[0], mistakes_per_image, f"the mean over images{where}")
    recognise(found[1], right[1], mistakes_pooled, "the pooled Dice")


def _expect_two(found: Any) -> None:
    expect(
        isinstance(found, (tuple, list)) and len(found) == 2,
        f"expected two numbers, `return per_image, pooled`; found {_short(found)}.",
    )


def random_counts(images: int, draw: np.random.Generator) -> Tensor:
    """`(images, 4)` tables tp, fp, fn, tn with lesions of very different sizes, well and badly found."""
    rows = []
    for _ in range(images):
        lesion, skin = int(draw.integers(8, 400)), int(draw.integers(200, 900))
        found = int(lesion * draw.uniform(0.3, 0.99))
        marked = int(draw.integers(1, 2 + lesion // 2))
        rows.append([found, marked, lesion - found, max(skin - marked, 1)])
    return torch.tensor(rows)


def judge_honest_scores(report_scores: Callable[[Tensor], dict[str, float]], cause: Any) -> None:
    """7.4: the repository's scores, no longer divided by a constant."""
    attempted(cause)
    draw = generator()
    for trial in range(4):
        counts = random_counts(int(draw.integers(4, 10)), draw)
        whole = slice(None) if trial == 0 else 0  # the experts' own masks, handed in; or one image of them perfect
        counts[whole, 1:3] = 0
        found = call(report_scores, counts.clone())
        expect(
            isinstance(found, dict) and set(found) == {"dice", "iou"},
            'expected a dictionary with "dice" and "iou", as before; the mend should change nothing else.',
        )
        _compare_report(found, counts, perfect=trial == 0)
    expect(
        letter_of(cause) in tuple("abcd"),
        f'`cause` is {cause!r}, expected one of the letters "a", "b", "c" and "d".',
    )
    whys = {
        "a": "both scores are taken from the same tables in the same way, image by image.",
        "b": "there are no batches: one mean is taken over all images.",
        "d": "no image here is without a lesion, so no ratio is undefined.",
    }
    letter = letter_of(cause)
    expect(letter == "c", f"the mend is right, the diagnosis is not: {whys.get(letter, '')} What did you take out?")


def _compare_report(found: dict[str, float], counts: Tensor, perfect: bool) -> None:
    right, whole = per_image(counts), pooled(counts)
    for name, value in found.items():
        expect(_is_number(value), f"your {name} is {_short(value)}, expected one number.")
    ratios = {name: float(value) / right[name] for name, value in found.items()}
    for name, value in found.items():
        what, ratio = f"the {name} of the experts' own masks" if perfect else f"your {name}", ratios[name]
        clamped = (scores(counts)[name] / 0.97).clamp(max=1).mean()
        mistakes = {
            "that is pooled. The mend should leave the averaging as it was: each image's own score, then the mean.": (
                whole[name]
            ),
            "that follows from the mean Dice. The law between the two holds in each image; the mean of a curve is not "
            "the curve of the mean.": right["dice"] / (2 - right["dice"]),
            "that is the other score of the two.": right["iou" if name == "dice" else "dice"],
            "each score was cut off at 1. That hides the symptom in perfect images; the others stay too high.": clamped,
        }
        if perfect:
            expect(
                not ratio > 1 + 1e-6,
                f"{what} is {ratio:.4f}. No score is above 1, and honest ones of perfect masks are exactly 1.",
            )
        elif abs(ratios["dice"] - ratios["iou"]) < 1e-6 and abs(ratio - 1) > 1e-5:
            raise Wrong(
                f"both scores are still {ratio:.4f} times the honest ones: every score is scaled by a constant, "
                "whatever its name. No constant belongs there."
            )
        recognise(value, right[name], mistakes, what)


def _is_number(value: Any) -> bool:
    try:
        return not math.isnan(float(value))
    except (TypeError, ValueError, RuntimeError):  # a tensor of several numbers raises one of the latter two
        return False


def _is_nan(value: Any) -> bool:
    try:
        return math.isnan(float(value))
    except (TypeError, ValueError):
        return False


def _short(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return "(" + ", ".join(_short(one) for one in value) + ")"
    try:
        return f"{float(value):.4g}"
    except (TypeError, ValueError):
        return f"a {type(value).__name__}"
