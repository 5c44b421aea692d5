"""The quiz of lesson 4: shapes, shares and gradients of attention."""

from __future__ import annotations

from jaalnet_core.course.quiz import Question

QUESTIONS = (
    Question(
        asks="A map has 32x32 positions. How many numbers has the matrix of position attention for one picture?",
        answer=1024 * 1024,
        refresher="N = height * width positions, and each of them has a share for each of them: N * N.",
        mistakes=[
            (1024, "That is N, one row of the matrix."),
            (32 * 32 * 32, "Both axes of the matrix have all positions, not one side of the map."),
        ],
    ),
    Question(
        asks="Two pictures of 20 positions each go through position attention. What is the sum of all its weights?",
        answer=40,
        refresher="each position of each picture distributes attention that sums to 1.",
        mistakes=[
            (2, "It is every position that distributes 1, not every picture."),
            (20, "There are two pictures."),
            (1, "Each row sums to 1, and there are many rows."),
        ],
        tolerance=1e-3,
    ),
    Question(
        asks="Features have the shape (2, 16, 6, 5). What is the shape of channel attention's weights?",
        answer=(2, 16, 16),
        refresher="every channel is compared with every other one, for each picture; the positions are summed up in "
        "the dot products.",
        mistakes=[
            ((2, 30, 30), "That is the shape for position attention."),
            ((16, 16), "Each picture of the batch has its own."),
        ],
    ),
    Question(
        asks="A row of the Gram matrix is [5, 2, 4]. Which channel gets the largest share once the row is turned "
        "round, as in DANet? Count from 0.",
        answer=1,
        refresher="row maximum minus entry makes the smallest entry the largest.",
        mistakes=[(0, "That is so with a plain softmax; turned round, likeness counts against a channel.")],
    ),
    Question(
        asks="A position attention was just made, so gamma is 0. Does its query convolution get a gradient other than "
        "0 in the first backward pass? Answer True or False.",
        answer=False,
        refresher="everything in the mixture stands behind the factor gamma, and so does its gradient; gamma itself "
        "moves first.",
    ),
)
