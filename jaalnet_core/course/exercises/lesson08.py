"""The exercises of lesson 8: a law and an audit, two recipes compared, and an epoch chosen by the wrong pictures."""

from __future__ import annotations

from jaalnet_core.course.exercise import Exercise
from jaalnet_core.course.exercises.lesson08_recipes import judge_compare_recipes
from jaalnet_core.course.exercises.lesson08_scores import (
    judge_dice_of_iou,
    judge_fits_one_table,
    judge_kept_and_reported,
)

EXERCISES = (
    Exercise(
        number="8.1",
        title="The Dice that belongs to an IoU",
        difficulty=1,
        minutes=5,
        points=1,
        hints=(
            "In one table i = d / (2 - d). Which Dice belongs to IoU 1, and which to IoU 0? Your line must give both.",
            "Multiply by 2 - d, bring everything with d to one side, and divide by what stands before it.",
            "2 i - i d = d, so d (1 + i) = 2 i.",
        ),
        judge=judge_dice_of_iou,
    ),
    Exercise(
        number="8.2",
        title="An audit in two lines",
        difficulty=2,
        minutes=15,
        points=2,
        hints=(
            "A published Dice of 91.53 was rounded. Between which two values did it lie before? Which IoU belongs to "
            "each of them?",
            "The law grows with the Dice, so its two ends give the two ends of the IoU. And the published IoU was "
            "rounded as well.",
            "In percent the law is 100 d / (200 - d). Take it at dice - 0.005 and at dice + 0.005, and allow another "
            "0.005 beyond both ends.",
        ),
        judge=judge_fits_one_table,
    ),
    Exercise(
        number="8.3",
        title="Better, worse, or undecided",
        difficulty=3,
        minutes=30,
        points=3,
        hints=(
            "What could have fallen otherwise: the images, or the seeds? Which of the two do both recipes share?",
            "One resample: draw images once, for both. Draw seeds for the variant, and seeds for the base anew. Take "
            "the mean of the rows and columns drawn in each, and the difference of the two means.",
            "variant[rows][:, images].mean() is the first of the two means. After the loop torch.quantile gives both "
            'ends; start from "undecided", and change it only with two seeds or more on either side.',
        ),
        judge=judge_compare_recipes,
    ),
    Exercise(
        number="8.4",
        title="Find the bug: good on the test, worse ever after",
        difficulty=2,
        minutes=10,
        points=2,
        hints=(
            "The function gets two splits. Which of them is never read?",
            "The highest of many noisy scores is too high. It may be used to choose, if other pictures then give the "
            "score.",
            "Compare the means of validation[epoch], and report the mean of test at the epoch that wins.",
        ),
        judge=judge_kept_and_reported,
    ),
)
