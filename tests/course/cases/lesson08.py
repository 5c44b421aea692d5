"""Answers to the exercises of lesson 8: written otherwise than in the notebook, and wrong in plausible ways."""

from __future__ import annotations

import math

import numpy as np
import torch
from exercise_cases import Cases, Fault

from jaalnet_core.ablation import paired_difference
from jaalnet_core.audit import RULES, audit
from jaalnet_core.metrics import scores

# 8.1: the Dice that belongs to an IoU


def dice_by_table(iou):
    tp, wrong = iou, 1 - iou  # shares of the union
    return torch.tensor(2 * tp / (2 * tp + wrong), dtype=torch.float64)


def dice_by_search(iou):
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if middle / (2 - middle) < iou else (low, middle)
    return np.float64(low)


# 8.2: a published pair


def iou_of(dice):
    return 100 * dice / (200 - dice)


def fits_by_dice(dice, iou):
    ends = [200 * one / (100 + one) for one in (iou - 0.005, iou + 0.005)]
    return max(ends[0], dice - 0.005) <= min(ends[1], dice + 0.005)


def fits_by_trying(dice, iou):
    tried = np.linspace(dice - 0.005, dice + 0.005, 2001)
    return (np.abs(100 * tried / (200 - tried) - iou) <= 0.005).any()


def fits_rounded(dice, iou):
    return round(iou_of(dice), 2) == iou


# 8.3: two recipes


def compare_in_numpy(variant, base, samples, seed):
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(samples):
        images = rng.integers(0, variant.shape[1], variant.shape[1])
        a = variant.numpy()[rng.integers(0, len(variant), len(variant))][:, images]
        b = base.numpy()[rng.integers(0, len(base), len(base))][:, images]
        found.append(a.mean() - b.mean())
    low, high = np.quantile(found, (0.025, 0.975))
    if len(variant) == 1 or len(base) == 1 or low * high <= 0:
        return low, high, "undecided"
    return low, high, "better" if low > 0 else "worse"


def weights(count, samples, rng):
    return torch.from_numpy(rng.multinomial(count, [1 / count] * count, size=samples) / count)


def compare_by_weights(variant, base, samples, seed):
    rng = np.random.default_rng(seed)
    images = weights(variant.shape[1], samples, rng)
    one, other = ((images @ runs.T * weights(len(runs), samples, rng)).sum(1) for runs in (variant, base))
    low, high = np.quantile((one - other).numpy(), [0.025, 0.975])
    decided = min(len(variant), len(base)) >= 2 and not low <= 0 <= high
    return low, high, {True: "better", False: "worse"}[bool(low > 0)] if decided else "Undecided"


def compare(
    variant, base, samples, seed, *, seeds=True, images=True, pair=True, together=False, single=False, tail=0.025
):
    """The same, with the mistakes that its arguments name."""
    rng = np.random.default_rng(seed)
    n, found = variant.shape[1], []
    for _ in range(samples):
        mine = rng.integers(0, n, n) if images else np.arange(n)
        theirs = mine if pair else rng.integers(0, n, n)
        rows = [rng.integers(0, len(runs), len(runs)) if seeds else np.arange(len(runs)) for runs in (variant, base)]
        if together and len(variant) == len(base):
            rows[1] = rows[0]
        found.append(variant.numpy()[rows[0]][:, mine].mean() - base.numpy()[rows[1]][:, theirs].mean())
    low, high = np.quantile(found, [tail, 1 - tail])
    few = min(len(variant), len(base)) < 2 and not single
    return low, high, "undecided" if few or low <= 0 <= high else ("better" if low > 0 else "worse")


def mistaken(**arguments):
    return lambda variant, base, samples, seed: compare(variant, base, samples, seed, **arguments)


def one_sided(variant, base, samples, seed):
    _, high, verdict = compare(variant, base, samples, seed)
    return compare(variant, base, samples, seed, tail=0.05)[0], high, verdict


def by_the_mean(variant, base, samples, seed):
    low, high, _ = compare(variant, base, samples, seed)
    return low, high, "better" if variant.mean() > base.mean() else "worse"


def turned(variant, base, samples, seed):
    return compare(base, variant, samples, seed)


def always_undecided(variant, base, samples, seed):
    return (*compare(variant, base, samples, seed)[:2], "undecided")


def touching_is_better(variant, base, samples, seed):
    low, high, verdict = compare(variant, base, samples, seed)
    return low, high, "better" if low == 0 else verdict


# 8.4: an epoch chosen by the test pictures


def kept_by_loop(validation, test):
    best, kept = -math.inf, 0
    for epoch, values in enumerate(validation.tolist(), 1):
        if sum(values) / len(values) > best:
            best, kept = sum(values) / len(values), epoch
    return kept, test[kept - 1].mean()


def kept_by_sorting(validation, test):
    order = sorted(range(len(validation)), key=lambda epoch: (-validation[epoch].mean().item(), epoch))
    return torch.tensor(order[0] + 1), float(test[order[0]].mean())


def kept_by(choose, report=None, first=1):
    def kept_and_reported(validation, test):
        kept = int(choose(validation, test))
        return kept + first, test[kept].mean() if report is None else report(validation, test, kept)

    return kept_and_reported


def by_validation(validation, test):
    return validation.mean(1).argmax()


def last_of_ties(validation, test):
    return len(validation) - 1 - int(validation.mean(1).flip(0).argmax())


CASES = {
    "8.1": Cases(
        right={"by a table": dice_by_table, "by search": dice_by_search},
        wrong={
            "the law as it stands": Fault(lambda iou: iou / (2 - iou), "the law the other way round"),
            "doubled": Fault(lambda iou: 2 * iou, "doubling forgets"),
            "a sign": Fault(lambda iou: 2 * iou / (2 - iou), "the sign is wrong"),
            "percent": Fault(lambda iou: 200 * iou / (1 + iou), "that is in percent"),
            "divides by zero at 1": Fault(lambda iou: 2 * iou / (1 - iou), "for the IoU 0."),
        },
        own={"the package's": lambda iou: scores(torch.tensor([iou, 1 - iou, 0, 0]))["dice"]},
    ),
    "8.2": Cases(
        right={"by the Dice": fits_by_dice, "by trying": fits_by_trying},
        wrong={
            "Dice taken as exact": Fault(fits_rounded, "the Dice is taken as exact"),
            "nothing rounded": Fault(lambda dice, iou: iou_of(dice) == iou, "allow for the rounding of both"),
            "one hundredth": Fault(lambda dice, iou: abs(iou_of(dice) - iou) <= 0.01, "one fixed distance"),
            "too lenient": Fault(lambda dice, iou: abs(iou_of(dice) - iou) < 0.05, "larger than rounding explains"),
            "IoU taken as exact": Fault(
                lambda dice, iou: iou_of(dice - 0.005) <= iou <= iou_of(dice + 0.005), "that of the IoU is not"
            ),
            "law of means": Fault(
                lambda dice, iou: iou_of(dice - 0.005) - 0.005 <= iou <= dice, "the law of means over images"
            ),
            "no upper end": Fault(lambda dice, iou: iou >= iou_of(dice - 0.005) - 0.005, "there is an upper end, too"),
            "turned round": Fault(lambda dice, iou: not fits_by_dice(dice, iou), "in each other's place"),
            "anything goes": Fault(lambda dice, iou: True, "you say True to every pair"),
            "roundings added up": Fault(
                lambda dice, iou: iou_of(dice - 0.01) - 0.01 <= iou <= iou_of(dice + 0.01) + 0.01, "stands for"
            ),
            "a number": Fault(lambda dice, iou: abs(iou_of(dice) - iou), "expected True or False"),
        },
        equivalent={
            "return lowest - half <= iou <= highest + half  ->  return lowest - half < iou <= highest + half": "no "
            "pair is asked for on the very edge, where rounding of the arithmetic decides",
        },
        own={
            "the package's": lambda dice, iou: (
                audit(dice=f"{dice:.2f}", iou=f"{iou:.2f}", rules=[r for r in RULES if r.name == "pooled"])
                .findings[0]
                .possible
            )
        },
    ),
    "8.3": Cases(
        right={"in NumPy": compare_in_numpy, "by weights": compare_by_weights},
        wrong={
            "not paired": Fault(mistaken(pair=False), "images are drawn for each recipe by itself"),
            "images only": Fault(mistaken(seeds=False), "only images are drawn"),
            "seeds only": Fault(mistaken(images=False), "only seeds are drawn"),
            "seeds together": Fault(mistaken(together=True), "seed 1 of one recipe is drawn together"),
            "one seed decides": Fault(mistaken(single=True), "a single seed says nothing"),
            "90 percent": Fault(mistaken(tail=0.05), "that is the middle 90%"),
            "one tail of 5%": Fault(one_sided, "cut off 0.025 at either side"),
            "by the mean": Fault(by_the_mean, "0 lies inside the interval"),
            "never decided": Fault(always_undecided, "0 lies outside"),
            "turned": Fault(turned, "base minus variant"),
            "touching": Fault(touching_is_better, "only touches 0"),
            "samples ignored": Fault(lambda v, b, samples, seed: compare(v, b, 1500, seed), "as `samples` says"),
            "seed ignored": Fault(lambda v, b, samples, seed: compare(v, b, samples, None), "gave two intervals"),
            "seed fixed": Fault(lambda v, b, samples, seed: compare(v, b, samples, 0), "does not depend on `seed`"),
            "no verdict": Fault(lambda v, b, samples, seed: compare(v, b, samples, seed)[:2], "three values"),
        },
        equivalent={
            "draw = torch.Generator().manual_seed(seed)  ->  draw = torch.manual_seed(seed)": "PyTorch's own generator "
            "is seeded and drawn from: the same numbers",
        },
        own={
            "the package's": lambda v, b, samples, seed: (
                (found := paired_difference(v, b, samples=samples, seed=seed)).low,
                found.high,
                found.verdict,
            )
        },
    ),
    "8.4": Cases(
        right={"by loop": (kept_by_loop, "a"), "by sorting": (kept_by_sorting, "A")},
        wrong={
            "not mended": Fault((kept_by(lambda v, t: t.mean(1).argmax()), "a"), "may not choose what is scored"),
            "both splits": Fault(
                (kept_by(lambda v, t: (v.mean(1) + t.mean(1)).argmax()), "a"), "the test pictures still have a say"
            ),
            "validation reported": Fault(
                (kept_by(by_validation, lambda v, t, kept: v[kept].mean()), "a"), "too good for that"
            ),
            "highest test reported": Fault(
                (kept_by(by_validation, lambda v, t, kept: t.mean(1).max()), "a"), "not that of the epoch kept"
            ),
            "last epoch": Fault((kept_by(lambda v, t: len(v) - 1), "a"), "that is the last epoch"),
            "counted from 0": Fault((kept_by(by_validation, first=0), "a"), "counted from 1"),
            "last of ties": Fault((kept_by(last_of_ties), "a"), "keep the first"),
            "lowest": Fault((kept_by(lambda v, t: v.mean(1).argmin()), "a"), "the worst of them"),
            "wrong diagnosis": Fault((kept_by(by_validation), "c"), "the diagnosis is not"),
            "no letter": Fault((kept_by(by_validation), "test"), "expected one of the letters"),
        },
    ),
}
