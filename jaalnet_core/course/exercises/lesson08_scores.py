"""Judges of lesson 8 about published numbers and chosen epochs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from jaalnet_core.course.exercises.diagnosing import letter_of
from jaalnet_core.course.exercises.recognising import recognise
from jaalnet_core.course.judging import Wrong, attempted, call, expect, generator
from jaalnet_core.metrics import scores

_EDGE = 1e-4  # percent: nearer to the edge of what is possible no pair is asked for


def judge_dice_of_iou(dice_of_iou: Callable[[float], float]) -> None:
    """8.1: the Dice that belongs to an IoU in one table."""
    draw = generator()
    for trial in range(8):
        table = torch.from_numpy(draw.integers(1, 60, 4))
        if trial >= 6:  # nothing found; everything right
            table[0 if trial == 6 else slice(1, 3)] = 0
        right = {name: value.item() for name, value in scores(table).items()}
        iou, dice = right["iou"], right["dice"]
        mistakes = {
            "that is the law the other way round, from Dice to IoU. Solve it for the Dice. (In one table the Dice is "
            "never below the IoU.)": iou / (2 - iou),
            "doubling forgets that the common pixels also count twice below the line.": 2 * iou,
            "below the line the sign is wrong: try IoU 1, which must give Dice 1.": 2 * iou / (2 - iou),
            "that is in percent; both are asked as fractions.": 100 * dice,
            "the accuracy belongs to a table with its spared skin; none is given here.": right["accuracy"],
        }
        recognise(call(dice_of_iou, iou), dice, mistakes, f"for the IoU {iou:.4f} your Dice")


def judge_fits_one_table(fits_one_table: Callable[[float, float], bool]) -> None:
    """8.2: whether a published Dice and IoU, rounded, can come from one table."""
    pairs = _pairs_near_the_edges()
    found = [_truth(call(fits_one_table, dice, iou)) for dice, iou in pairs]
    right = [_possible(dice, iou) for dice, iou in pairs]
    if found == right:
        return
    for words, mistaken in _MISTAKES.items():
        if found == [mistaken(dice, iou) for dice, iou in pairs]:
            raise Wrong(words)
    (dice, iou), said = next((pair, one) for pair, one, true in zip(pairs, found, right, strict=True) if one != true)
    low, high = _reach(dice)
    raise Wrong(
        f"Dice {dice:.2f} and IoU {iou:.2f}: you say {said}, expected {not said}. A Dice from {dice - 0.005:.3f} to "
        f"{dice + 0.005:.3f} has in one table an IoU from {low + 0.005:.4f} to {high - 0.005:.4f}, and the published "
        f"IoU stands for {iou - 0.005:.3f} to {iou + 0.005:.3f}."
    )


def _iou(dice: float) -> float:
    return 100 * dice / (200 - dice)


def _reach(dice: float) -> tuple[float, float]:
    """The published IoUs that fit a published Dice: from, to."""
    return _iou(dice - 0.005) - 0.005, _iou(dice + 0.005) + 0.005


def _possible(dice: float, iou: float) -> bool:
    low, high = _reach(dice)
    return low <= iou <= high


_MISTAKES: dict[str, Callable[[float, float], bool]] = {
    "you say True to every pair. Dice 91.53 with IoU 89.68 is one that no single table has.": lambda d, i: True,
    "you say False to every pair; some of them are taken from a real table.": lambda d, i: False,
    "pairs from a real table are refused, because the Dice is taken as exact: 91.53 stands for everything from 91.525 "
    "to 91.535, and near 100 the IoU moves twice as fast as the Dice.": lambda d, i: abs(_iou(d) - i) <= 0.005,
    "pairs from a real table are refused, because the unrounded IoU never is a number of two decimals: allow for the "
    "rounding of both.": lambda d, i: _iou(d) == i,
    "some impossible pairs are let through and some possible ones refused: how far rounding can move the IoU depends "
    "on the Dice, so one fixed distance of 0.01 does not do.": lambda d, i: abs(_iou(d) - i) <= 0.01,
    "impossible pairs are let through: your distance is larger than rounding explains.": (
        lambda d, i: abs(_iou(d) - i) <= 0.05
    ),
    "the rounding of the Dice is allowed for, that of the IoU is not: it may be 0.005 off as well.": (
        lambda d, i: _iou(d - 0.005) <= i <= _iou(d + 0.005)
    ),
    "that is the law of means over images, where the IoU may lie anywhere between d / (2 - d) and d. In one table it "
    "has one value.": lambda d, i: _reach(d)[0] <= i <= d,
    "an IoU that is too high is let through: there is an upper end, too.": lambda d, i: _reach(d)[0] <= i,
    "an IoU that is too low is let through: there is a lower end, too.": lambda d, i: i <= _reach(d)[1],
    "the answers are in each other's place: True means that the pair can come from one table.": (
        lambda d, i: not _possible(d, i)
    ),
    "the law is used the other way round: the IoU is the smaller one.": lambda d, i: _possible(i, d),
}


def _pairs_near_the_edges() -> list[tuple[float, float]]:
    """Published pairs on both sides of what is possible, as near as two decimals allow."""
    draw = generator()
    pairs = [(91.53, 89.68), (100.0, 100.0), (0.0, 0.0), (91.53, 70.0), (70.0, 75.0)]
    for dice in np.round(draw.uniform(20, 98, 60), 2).tolist():
        low, high = _reach(dice)
        inside, outside = np.ceil(100 * low) / 100, np.floor(100 * high) / 100
        pairs += [(dice, inside), (dice, inside - 0.01), (dice, outside), (dice, outside + 0.01)]
    rounded = [(dice, round(float(iou), 2)) for dice, iou in pairs]
    return [(d, i) for d, i in rounded if min(abs(i - end) for end in _reach(d)) > _EDGE]


def _truth(found: Any) -> bool:
    if isinstance(found, Tensor) and found.numel() == 1:
        found = found.item()
    expect(isinstance(found, (bool, np.bool_)), f"expected True or False, found a {type(found).__name__}.")
    return bool(found)


def judge_kept_and_reported(kept_and_reported: Callable[[Tensor, Tensor], tuple[int, float]], cause: Any) -> None:
    """8.4: the epoch is chosen by the validation pictures."""
    attempted(cause)
    draw = generator()
    for trial in range(6):
        validation, test = _scores_of_epochs(draw, first=trial == 2, twice=trial == 3)
        if trial == 4:
            validation = torch.zeros_like(validation)
        _judge_choice(call(kept_and_reported, validation.clone(), test.clone()), validation, test)
    letter = letter_of(cause)
    expect(letter in tuple("abcd"), f'`cause` is {cause!r}, expected one of the letters "a", "b", "c" and "d".')
    whys = {
        "b": "the function gets the two splits as they are, and makes neither of them.",
        "c": "the weights of the best epoch are kept, not of the last.",
        "d": "each image's Dice counts the same there, and that is as it should be.",
    }
    expect(letter == "a", f"the mend is right, the diagnosis is not: {whys.get(letter, '')} What did you change?")


def _scores_of_epochs(draw: np.random.Generator, first: bool, twice: bool) -> tuple[Tensor, Tensor]:
    """`(epochs, images)` Dice on two splits, such that every mistaken choice is another epoch.

    Args:
        first: the first epoch is the best on the validation pictures; otherwise it is not.
        twice: a later epoch is as good.
    """
    while True:
        epochs = int(draw.integers(8, 14))
        validation, test = (
            torch.from_numpy(draw.uniform(0.5, 0.98, (epochs, int(draw.integers(5, 12))))) for _ in range(2)
        )
        best = int(validation.mean(1).argmax())
        if twice:
            validation[int(draw.integers(best, epochs))] = validation[best]
        choices = [best, best - 1, epochs - 1, *_tempting(validation, test).values()]
        if twice:
            choices.append(_ties(validation)[-1])
        if len(set(choices)) == len(choices) and first == (best == 0):
            return validation, test


def _tempting(validation: Tensor, test: Tensor) -> dict[str, int]:
    by_validation, by_test = validation.mean(1), test.mean(1)
    return {
        "test": int(by_test.argmax()),
        "both": int((by_validation + by_test).argmax()),
        "worst": int(by_validation.argmin()),
    }


def _ties(validation: Tensor) -> list[int]:
    means = validation.mean(1)
    return torch.nonzero(means >= means.max() - 1e-12).flatten().tolist()


def _judge_choice(found: Any, validation: Tensor, test: Tensor) -> None:
    expect(isinstance(found, (tuple, list)) and len(found) == 2, "expected two values, the epoch and its test Dice.")
    by_validation, by_test = validation.mean(1), test.mean(1)
    ties, tempting = _ties(validation), _tempting(validation, test)
    right = ties[0] + 1
    what = f"of {len(test)} epochs, the epoch kept"
    mistakes = {
        "that is the epoch with the best *test* Dice. Pictures that give the score may not choose what is scored.": (
            tempting["test"] + 1
        ),
        "the test pictures still have a say: that is the best epoch of both splits together.": tempting["both"] + 1,
        "of several epochs as good, keep the first.": ties[-1] + 1,
        "that is the last epoch. Keep the one with the best validation Dice.": len(test),
        "that is the worst of them on the validation pictures.": tempting["worst"] + 1,
        "epochs are counted from 1, as before.": right - 1,
    }
    recognise(found[0], right, mistakes, what)
    mistakes = {
        "that is the validation Dice, which chose the epoch and is too good for that. Report the test Dice.": (
            by_validation[right - 1]
        ),
        "that is the highest test Dice of all epochs, and not that of the epoch kept.": by_test.max(),
    }
    recognise(found[1], by_test[right - 1], mistakes, "the Dice reported")
