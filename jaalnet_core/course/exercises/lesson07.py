"""The exercises of lesson 7: the empty-mask rule, two averagings, a bootstrap interval, and scores too good."""

from __future__ import annotations

from jaalnet_core.course.exercise import Exercise
from jaalnet_core.course.exercises.lesson07_intervals import judge_pooled_interval
from jaalnet_core.course.exercises.lesson07_scores import (
    judge_dice_of_masks,
    judge_honest_scores,
    judge_two_averages,
)

EXERCISES = (
    Exercise(
        number="7.1",
        title="Dice, and what 0/0 is worth",
        difficulty=1,
        minutes=5,
        points=1,
        hints=(
            "Write Dice with words first: twice the common pixels, over all that both masks count. When is the lower "
            "number 0?",
            "With common = (predicted * lesion).sum() and pixels = predicted.sum() + lesion.sum(), when is pixels 0? "
            "Only when both masks are empty. Keep that case apart.",
            "Above the line stands 2 * common, below it pixels; `... if pixels else ...` keeps the empty masks apart. "
            "Nothing is added to either: a small constant would change every other score.",
        ),
        judge=judge_dice_of_masks,
    ),
    Exercise(
        number="7.2",
        title="Per image, and pooled",
        difficulty=2,
        minutes=10,
        points=2,
        hints=(
            "What is summed, and what is divided? The two averagings do the same two things in the opposite order.",
            "Per image: divide in every row, then take the mean of the quotients. Pooled: sum the rows, then divide "
            "once. Where the lower number is 0, the quotient is 1, before any mean is taken.",
            "A small function dice(tp, fp, fn) with the rule for 0/0 serves both: once for each row of `counts`, once "
            "for `counts.sum(dim=0)`.",
        ),
        judge=judge_two_averages,
    ),
    Exercise(
        number="7.3",
        title="An interval around a pooled Dice",
        difficulty=3,
        minutes=25,
        points=3,
        hints=(
            "The lesson resampled the Dice of each image. A pooled Dice is no mean of those. What has to be drawn "
            "instead, so that it can be pooled afterwards?",
            "Draw whole rows of `counts`: as many indices as there are images, with replacement. Sum the rows drawn, "
            "divide once, keep the quotient; that, `samples` times.",
            "torch.randint(n, (samples, n), generator=...) makes all indices at once; counts[indices] then has shape "
            "(samples, n, 4). Which axis has to be summed? torch.quantile cuts off the tails.",
        ),
        judge=judge_pooled_interval,
    ),
    Exercise(
        number="7.4",
        title="Find the bug: better than perfect",
        difficulty=2,
        minutes=15,
        points=2,
        hints=(
            "Hand in the experts' own masks: every prediction is perfect. Follow one image by hand, with tp 10, fp 0 "
            "and fn 0. At which line does its Dice leave 1?",
            "A comment says what its author meant, not what the line does. Does `smooth` ever meet a denominator that "
            "could be 0?",
            "Nothing needs protecting here, since every image has a lesion. Return the plain means of the two ratios.",
        ),
        judge=judge_honest_scores,
    ),
)
