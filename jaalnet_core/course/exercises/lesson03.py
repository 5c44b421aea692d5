"""Exercises of lesson 3: what taking apart saves, two faults with dilation, and two blocks of one's own."""

from __future__ import annotations

from jaalnet_core.convolution_cost import plain_cost, separable_cost
from jaalnet_core.course.exercise import Exercise
from jaalnet_core.course.exercises.lesson03_blocks import judge_cross, judge_residual_dense
from jaalnet_core.course.exercises.lesson03_dilation import judge_padding, judge_pointwise
from jaalnet_core.course.exercises.recognising import recognise
from jaalnet_core.course.judging import call, generator


def judge_saving(separable_saving) -> None:
    """3.1: the ratio of two counts, whatever the channels read."""
    random = generator()
    for kernel_size in (int(random.choice([6, 7, 8, 10])), 5, 3, 2):
        out_channels = int(random.integers(150, 400))
        channels = int(random.integers(1, 99))
        plain = plain_cost(channels, out_channels, kernel_size).weights
        apart = separable_cost(channels, out_channels, kernel_size).weights
        expected = plain / apart
        what = f"separable_saving({out_channels}, {kernel_size})"
        found = call(separable_saving, out_channels, kernel_size)
        mistakes = {
            "that is the share that is left, not how many times fewer: turn the fraction over.": 1 / expected,
            "that counts the depthwise part only; the pointwise one multiplies too.": out_channels,
            "that counts the pointwise part only; the depthwise one multiplies too.": kernel_size**2,
            "a filter has kernel_size rows and as many columns: square it.": 1 / (1 / out_channels + 1 / kernel_size),
            "that is right for a kernel of 3 only: use kernel_size.": 1 / (1 / out_channels + 1 / 9),
            "that is rounded down to a whole number.": expected // 1,
            "that is rounded to a whole number.": round(expected),
        }
        recognise(found, expected, mistakes, what)


EXERCISES = (
    Exercise(
        number="3.1",
        title="What taking apart saves",
        difficulty=1,
        minutes=5,
        points=1,
        hints=(
            "What does one pixel cost with a plain convolution, and what taken apart? Write both for C channels read.",
            "Plain: k * k * C * C'. Taken apart: k * k * C for the depthwise part, and C * C' for the pointwise one.",
            "Divide the one by the other. C stands in every term and drops out; what remains holds 1 / C' and "
            "1 / (k * k).",
        ),
        judge=judge_saving,
    ),
    Exercise(
        number="3.2",
        title="Outlines that drift towards the frame",
        difficulty=2,
        minutes=12,
        points=2,
        hints=(
            "Print features.shape after each convolution, before the resize. When does it change?",
            "A kernel of 3 with dilation d reaches d pixels to each side. How many pixels must be added at each side "
            "so that the first output can lie on the first input pixel?",
            "Give each convolution the padding that fits its own dilation; then nothing is left for the resize to do.",
        ),
        judge=judge_padding,
    ),
    Exercise(
        number="3.3",
        title="A dilation that does nothing",
        difficulty=2,
        minutes=10,
        points=2,
        hints=(
            "Which of the two convolutions looks at neighbours at all?",
            "Dilation spreads the weights of a kernel. How many weights a channel has each of the two kernels?",
            "Move the dilation to the 3x3 convolution, and think of its padding (exercise 3.2).",
        ),
        judge=judge_pointwise,
    ),
    Exercise(
        number="3.4",
        title="Taken apart once more",
        difficulty=2,
        minutes=20,
        points=2,
        hints=(
            "Start from MyDDSConv of this lesson. Which of its parts is replaced, and by what two?",
            "nn.Conv2d takes pairs: kernel_size=(1, 5) is one row of five weights. Padding and dilation take pairs "
            "too, rows first.",
            "A kernel of k with dilation d reaches d * (k - 1) // 2 pixels to each side, and only along its own "
            "direction: padding=(0, reach) for the row, (reach, 0) for the column. Both need groups=in_channels.",
        ),
        judge=judge_cross,
    ),
    Exercise(
        number="3.5",
        title="A residual dense block",
        difficulty=3,
        minutes=30,
        points=3,
        hints=(
            "How many channels has the concatenation after the input and k layers? Write the books first, as the "
            "lesson does.",
            "Keep the input under its own name: the concatenation grows, and the input is needed again at the end.",
            "nn.init.zeros_(convolution.weight) makes a convolution return 0 at first. What does the block return "
            "then? And what would a ReLU after the sum do to a negative input?",
        ),
        judge=judge_residual_dense,
        allowed=("jaalnet_core.blocks.DDSConv",),
    ),
)
