"""The quiz of lesson 3: what the blocks cost, what they read, and how far they look."""

from __future__ import annotations

from jaalnet_core.course.quiz import Question

QUESTIONS = (
    Question(
        asks="A DDSConv makes 9 channels from 64. How many times fewer multiplications than a plain 3x3 convolution?",
        answer=4.5,
        refresher="1 / (1 / made + 1 / 9): the channels read stand in every term and drop out.",
        mistakes=[
            (1 / (1 / 64 + 1 / 9), "That is the answer for 64 channels made; 64 are read here."),
            (9, "Nine is the limit for very many channels made."),
            (2 / 9, "That is the share that is left."),
        ],
        tolerance=0.01,
    ),
    Question(
        asks="A layer with a kernel of 5 and dilation 2 must keep height and width. Which padding does it need?",
        answer=4,
        refresher="the kernel reaches dilation * (kernel - 1) / 2 pixels to each side, and the padding must equal "
        "that reach.",
        mistakes=[(2, "That is for dilation 1, or for a kernel of 3."), (8, "That is the reach of both sides.")],
    ),
    Question(
        asks="A dense block reads 64 channels and has four layers of growth rate 32. How many channels does its "
        "transition read?",
        answer=192,
        refresher="the transition reads the concatenation of the block's input and what every layer made.",
        mistakes=[
            (128, "Those are the layers' channels alone; the block's input is there too."),
            (160, "That is what the fourth layer reads; its own channels are added after that."),
        ],
    ),
    Question(
        asks="Three 3x3 layers with dilations 1, 2 and 4, one after another. How many pixels wide is the square that "
        "one output pixel sees?",
        answer=15,
        refresher="each layer widens the view by its dilation on both sides: 1 + 2 * (the sum of all dilations).",
        mistakes=[
            (9, "That is the last layer alone; the reaches of a chain add up."),
            (8, "Both sides count, and the pixel itself."),
            (14, "The pixel in the middle counts too."),
        ],
    ),
    Question(
        asks="A map of 16 pixels a side is to become exactly twice as large. Which kernel of a transposed convolution "
        "with stride 2 and padding 1 does that?",
        answer=4,
        refresher="size after = (size - 1) * stride - 2 * padding + kernel, for a transposed convolution.",
        mistakes=[
            (2, "A kernel of 2 doubles with padding 0; a padding of 1 then cuts off a pixel at each end."),
            (3, "That makes 31 pixels a side, and paints unevenly besides."),
        ],
    ),
)
