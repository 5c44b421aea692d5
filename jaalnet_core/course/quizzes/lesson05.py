"""Quiz of lesson 5: sizes, views, costs, and the losses."""

from __future__ import annotations

from jaalnet_core.course.quiz import Question

QUESTIONS = (
    Question(
        asks="LF-Net has five levels and halves the map between them. It is given a picture of 200 x 300 pixels "
        "(height x width). How large is the map at the bottleneck? Answer as (height, width).",
        answer=(13, 19),
        refresher="the picture is padded to the next multiples of 16, because four halvings divide by 16; then each "
        "side is divided by 16.",
        mistakes=[
            ((12, 18), "That is rounded down: a picture is padded, never cut."),
            ((208, 304), "That is the padded picture; it is halved four times after that."),
            ((7, 10), "Five levels have four halvings between them."),
        ],
    ),
    Question(
        asks="Four 4x4 convolutions of stride 2 stand one after another. How many pixels a side does one output value "
        "depend on?",
        answer=46,
        refresher="each layer adds (kernel_size - 1) * the product of the strides before it: 3 * 1, then 3 * 2, then "
        "3 * 4, and so on. The first pixel counts as well.",
        mistakes=[
            (45, "Start from one pixel, not from none."),
            (16, "That is how far apart two neighbouring outputs lie, not how far one of them sees."),
            (22, "That is three of them."),
            (13, "Strides multiply: a step in the second layer is two pixels in the picture."),
        ],
    ),
    Question(
        asks="A plain 3x3 convolution reads C channels and writes C channels at full size. You halve C. By which "
        "factor does its arithmetic fall?",
        answer=4,
        refresher="each of the C channels that are written looks at each of the C that are read: C * C filters.",
        mistakes=[
            (2, "Both the channels read and the channels written are halved."),
            (0.25, "That is what is left of it; by which factor has it fallen?"),
        ],
    ),
    Question(
        asks="Predicted and true mask have one channel, and their mean absolute difference is 0.02. How large is 100 "
        "L1 + 50 EPE?",
        answer=3.0,
        refresher="EPE is the length of each pixel's difference vector, averaged. What is the length of a vector with "
        "one entry?",
        mistakes=[
            (2.0, "That is 100 L1 alone; EPE is not zero."),
            (2.02, "EPE takes the root of the square again, so nothing stays squared."),
        ],
        tolerance=1e-6,
    ),
    Question(
        asks="A network ends in a sigmoid by mistake, and its loss and its prediction apply the sigmoid once more. "
        "What is the largest probability that it can express? Two decimals will do.",
        answer=0.731,
        refresher="after the first sigmoid the 'logits' lie between 0 and 1. Which probability belongs to the logit 1?",
        mistakes=[
            (1.0, "That would need a logit without limit; here it is at most 1."),
            (0.5, "That is the smallest: the sigmoid of 0."),
        ],
        tolerance=0.006,
    ),
)
