"""Answers to the exercises of lesson 7: written otherwise than in the notebook, and wrong in plausible ways."""

from __future__ import annotations

import numpy as np
import torch
from exercise_cases import Cases, Fault

from jaalnet_core.bootstrap import metric_intervals
from jaalnet_core.metrics import confusion_counts, per_image, pooled

# 7.1: Dice and the empty-mask rule


def dice_by_counting(predicted, lesion):
    tp = fp = fn = 0
    for p, m in zip(predicted.flatten().tolist(), lesion.flatten().tolist(), strict=True):
        tp, fp, fn = tp + p * m, fp + p * (1 - m), fn + (1 - p) * m
    if tp + fp + fn == 0:
        return 1
    return 2 * tp / (2 * tp + fp + fn)


def dice_by_sets(predicted, lesion):
    a, b = predicted.bool(), lesion.bool()
    both = a.sum() + b.sum()
    return torch.where(both == 0, 1.0, 2.0 * (a & b).sum() / both.clamp(min=1))


def dice_with_tiny_constant(predicted, lesion):
    a, b = predicted.double(), lesion.double()
    return ((2 * (a * b).sum() + 1e-9) / (a.sum() + b.sum() + 1e-9)).item()


def dice_divides_by_zero(predicted, lesion):
    common = (predicted * lesion).sum().item()
    return 2 * common / (predicted.sum().item() + lesion.sum().item())


def dice_nan(predicted, lesion):
    return 2 * (predicted * lesion).sum() / (predicted.sum() + lesion.sum())


def dice_empty_is_zero(predicted, lesion):
    return 2 * (predicted * lesion).sum() / (predicted.sum() + lesion.sum() + 1e-8)


def dice_smoothed(predicted, lesion):
    return (2 * (predicted * lesion).sum() + 1) / (predicted.sum() + lesion.sum() + 1)


def dice_forgives_dust(predicted, lesion):
    if lesion.sum() == 0 or predicted.sum() == 0:
        return 1.0
    return dice_nan(predicted, lesion)


def iou_instead(predicted, lesion):
    union = (predicted | lesion).sum()
    return (predicted & lesion).sum() / union if union else 1.0


def dice_without_two(predicted, lesion):
    pixels = (predicted.sum() + lesion.sum()).item()
    return (predicted * lesion).sum().item() / pixels if pixels else 1.0


def accuracy_instead(predicted, lesion):
    return (predicted == lesion).double().mean()


def sensitivity_instead(predicted, lesion):
    return (predicted * lesion).sum() / lesion.sum() if lesion.sum() else 1.0


# 7.2: two averagings


def averages_by_loop(counts):
    def dice(tp, fp, fn, tn):
        return 2 * tp / (2 * tp + fp + fn) if tp + fp + fn > 0 else 1.0

    rows = counts.tolist()
    each = [dice(*row) for row in rows]
    return sum(each) / len(each), dice(*(sum(column) for column in zip(*rows, strict=True)))


def averages_in_numpy(counts):
    table = np.concatenate([counts.numpy(), counts.numpy().sum(0, keepdims=True)]).astype(float)
    wrong = table[:, 1] + table[:, 2]
    quotient = np.ones(len(table))
    np.divide(2 * table[:, 0], 2 * table[:, 0] + wrong, out=quotient, where=table[:, :3].sum(1) > 0)
    return quotient[:-1].mean(), quotient[-1]


def averages_of_mean_counts(counts):
    def dice(tables):
        tp, fp, fn, _ = tables.double().unbind(-1)
        return torch.nan_to_num(2 * tp / (2 * tp + fp + fn), nan=1.0)

    return [dice(counts).mean().item(), dice(counts.double().mean(0)).item()]


def swapped(counts):
    return averages_by_loop(counts)[::-1]


def without_rule(counts):
    tp, fp, fn, _ = counts.double().unbind(-1)
    total = counts.double().sum(0)
    return (2 * tp / (2 * tp + fp + fn)).mean(), 2 * total[0] / (2 * total[0] + total[1] + total[2])


def empty_left_out(counts):
    return averages_by_loop(counts[counts[:, :3].sum(1) > 0])[0], averages_by_loop(counts)[1]


def empty_counts_zero(counts):
    tp, fp, fn, _ = counts.double().unbind(-1)
    return (2 * tp / (2 * tp + fp + fn).clamp(min=1)).mean(), averages_by_loop(counts)[1]


def rule_per_image_only(counts):
    return averages_by_loop(counts)[0], without_rule(counts)[1]


def mean_twice(counts):
    mean = averages_by_loop(counts)[0]
    return mean, mean


def pooled_twice(counts):
    total = averages_by_loop(counts)[1]
    return total, total


def iou_averages(counts):
    tp, fp, fn, _ = counts.double().unbind(-1)
    each = torch.nan_to_num(tp / (tp + fp + fn), nan=1.0)
    return each.mean().item(), (tp.sum() / (tp + fp + fn).sum()).item()


def columns_misread(counts):
    return averages_by_loop(counts[:, [0, 2, 3, 1]])


# 7.3: a bootstrap interval of the pooled Dice


def interval_by_loop(counts, samples, seed):
    draw = torch.Generator().manual_seed(seed)
    values = []
    for _ in range(samples):
        tp, fp, fn, _ = counts[torch.randint(len(counts), (len(counts),), generator=draw)].sum(0).tolist()
        values.append(2 * tp / (2 * tp + fp + fn))
    return tuple(np.quantile(values, [0.025, 0.975]))


def interval_by_weights(counts, samples, seed):
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=samples)
    tp, fp, fn, _ = (weights @ counts.numpy()).T
    dice = np.sort(2 * tp / (2 * tp + fp + fn))
    return dice[int(0.025 * (samples - 1))], dice[round(0.975 * (samples - 1))]


def interval(counts, samples, seed, *, drawn=None, replace=True, tail=0.025):
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(samples):
        total = counts.numpy()[rng.choice(len(counts), drawn or len(counts), replace=replace)].sum(0)
        values.append(2 * total[0] / (2 * total[0] + total[1] + total[2]))
    return np.quantile(values, tail), np.quantile(values, 1 - tail)


def per_image_interval(counts, samples, seed):
    rng = np.random.default_rng(seed)
    tp, fp, fn, _ = counts.double().numpy().T
    dice = 2 * tp / (2 * tp + fp + fn)
    return tuple(np.quantile(rng.choice(dice, (samples, len(dice))).mean(1), [0.025, 0.975]))


def pixels_drawn(counts, samples, seed):
    total = counts.sum(0).numpy()
    drawn = np.random.default_rng(seed).multinomial(total.sum(), total / total.sum(), size=samples)
    dice = 2 * drawn[:, 0] / (2 * drawn[:, 0] + drawn[:, 1] + drawn[:, 2])
    return tuple(np.quantile(dice, [0.025, 0.975]))


def spread_of_images(counts, samples, seed):
    tp, fp, fn, _ = counts.double().numpy().T
    return tuple(np.quantile(2 * tp / (2 * tp + fp + fn), [0.025, 0.975]))


def unseeded(counts, samples, seed):
    return interval(counts, samples, None)


def always_seed_zero(counts, samples, seed):
    return interval(counts, samples, 0)


# 7.4: scores divided by a constant


def mended_by_loop(counts):
    rows = [row[:3] for row in counts.tolist()]
    return {
        "iou": sum(tp / (tp + fp + fn) for tp, fp, fn in rows) / len(rows),
        "dice": sum(2 * tp / (2 * tp + fp + fn) for tp, fp, fn in rows) / len(rows),
    }


def mended_with_guard(counts):
    tp, fp, fn, _ = counts.double().unbind(dim=1)
    wrong = fp + fn
    return {
        "dice": torch.nan_to_num(2 * tp / (2 * tp + wrong), nan=1.0).mean(),
        "iou": torch.nan_to_num(tp / (tp + wrong), nan=1.0).mean(),
    }


def scaled(factor):
    def report_scores(counts):
        return {name: value * factor for name, value in mended_by_loop(counts).items()}

    return report_scores


def cut_off(counts):
    return {name: min(1.0, value) for name, value in scaled(1 / 0.97)(counts).items()}


def cut_off_each(counts):
    tp, fp, fn, _ = counts.double().unbind(dim=1)
    dice, iou = 2 * tp / (2 * tp + fp + fn), tp / (tp + fp + fn)
    return {name: (value / 0.97).clamp(max=1).mean().item() for name, value in (("dice", dice), ("iou", iou))}


def only_dice_mended(counts):
    honest, divided = mended_by_loop(counts), scaled(1 / 0.97)(counts)
    return {"dice": honest["dice"], "iou": divided["iou"]}


def became_pooled(counts):
    tp, fp, fn, _ = counts.double().sum(0)
    return {"dice": (2 * tp / (2 * tp + fp + fn)).item(), "iou": (tp / (tp + fp + fn)).item()}


def iou_from_mean_dice(counts):
    dice = mended_by_loop(counts)["dice"]
    return {"dice": dice, "iou": dice / (2 - dice)}


CASES = {
    "7.1": Cases(
        right={
            "by counting": dice_by_counting,
            "by sets": dice_by_sets,
            "a constant too small to matter": dice_with_tiny_constant,
        },
        wrong={
            "no rule, plain numbers": Fault(dice_divides_by_zero, "ZeroDivisionError"),
            "no rule, tensors": Fault(dice_nan, "for two empty masks your Dice is nan"),
            "two empty masks count 0": Fault(dice_empty_is_zero, "as if everything were missed"),
            "smoothed": Fault(dice_smoothed, "a constant was added above and below"),
            "one empty mask is enough": Fault(dice_forgives_dust, "for two empty masks, not for one"),
            "IoU": Fault(iou_instead, "that is the IoU"),
            "half": Fault(dice_without_two, "that is half of it"),
            "accuracy": Fault(accuracy_instead, "that is the accuracy"),
            "sensitivity": Fault(sensitivity_instead, "that is the sensitivity"),
        },
        own={"the package's": lambda a, b: per_image(confusion_counts(a[None], b[None]))["dice"]},
    ),
    "7.2": Cases(
        right={
            "by loop": averages_by_loop,
            "in NumPy": averages_in_numpy,
            "of mean counts": averages_of_mean_counts,
        },
        wrong={
            "swapped": Fault(swapped, "in each other's place"),
            "without the rule": Fault(without_rule, "one undefined ratio spoils the whole mean"),
            "empty image left out": Fault(empty_left_out, "was left out of the mean"),
            "empty image counts 0": Fault(empty_counts_zero, "the empty image counts 0 there"),
            "no rule when pooled": Fault(rule_per_image_only, "belongs to the pooled table as well"),
            "mean twice": Fault(mean_twice, "that is the mean over images once more"),
            "pooled twice": Fault(pooled_twice, "Divide in each image first"),
            "IoU": Fault(iou_averages, "that is the IoU"),
            "columns misread": Fault(columns_misread, "the columns were read in another order"),
            "one number": Fault(lambda counts: averages_by_loop(counts)[0], "expected two numbers"),
        },
        own={"the package's": lambda counts: (per_image(counts)["dice"], pooled(counts)["dice"])},
    ),
    "7.3": Cases(
        right={"by loop": interval_by_loop, "by weights": interval_by_weights},
        wrong={
            "without replacement": Fault(
                lambda c, samples, seed: interval(c, samples, seed, replace=False), "with* replacement"
            ),
            "mean over images": Fault(per_image_interval, "the interval of the mean over images"),
            "pixels drawn": Fault(pixels_drawn, "single pixels had been drawn"),
            "spread of images": Fault(spread_of_images, "ends of the single images' Dice"),
            "90 percent": Fault(lambda c, samples, seed: interval(c, samples, seed, tail=0.05), "too narrow, 0."),
            "one tail of 5%": Fault(
                lambda c, samples, seed: (interval(c, samples, seed, tail=0.05)[0], interval(c, samples, seed)[1]),
                "Cut off 0.025 at either side",
            ),
            "half as many images": Fault(
                lambda c, samples, seed: interval(c, samples, seed, drawn=len(c) // 2), "fewer make a shakier Dice"
            ),
            "ends swapped": Fault(
                lambda c, samples, seed: interval(c, samples, seed)[::-1], "the lower end comes first"
            ),
            "seed ignored": Fault(unseeded, "the same seed gave"),
            "seed fixed": Fault(always_seed_zero, "does not depend on `seed`"),
            "samples ignored": Fault(lambda c, samples, seed: interval(c, 2000, seed), "as `samples` says"),
        },
        equivalent={
            "draw = torch.Generator().manual_seed(seed)  ->  draw = torch.manual_seed(seed)": "PyTorch's own generator "
            "is seeded and drawn from: the same numbers",
        },
        own={"the package's": lambda c, samples, seed: metric_intervals(c, samples=samples)["pooled"]["dice"]},
    ),
    "7.4": Cases(
        right={"by loop": (mended_by_loop, "c"), "guarded": (mended_with_guard, " C ")},
        wrong={
            "not mended": Fault((scaled(1 / 0.97), "c"), "No score is above 1"),
            "another constant": Fault((scaled(1 / 0.99), "c"), "own masks is 1.0101"),
            "cut off at 1": Fault((cut_off, "c"), "every score is scaled by a constant"),
            "each cut off at 1": Fault((cut_off_each, "c"), "each score was cut off at 1"),
            "only Dice mended": Fault((only_dice_mended, "c"), "the iou of the experts' own masks is 1.03"),
            "pooled now": Fault((became_pooled, "c"), "The mend should leave the averaging as it was"),
            "IoU from the mean Dice": Fault((iou_from_mean_dice, "c"), "curve of the mean"),
            "wrong diagnosis": Fault((mended_by_loop, "a"), "the diagnosis is not"),
            "no letter": Fault((mended_by_loop, "the constant"), "expected one of the letters"),
        },
        own={"the package's": (lambda c: {name: per_image(c)[name] for name in ("dice", "iou")}, "c")},
    ),
}
