"""Quiz of lesson 6: margins, gradients that add up, clipping, averages, and who is shown what."""

from __future__ import annotations

from jaalnet_core.course.quiz import Question

QUESTIONS = (
    Question(
        asks="DA-Net is trained by the hinge loss with margin 1. What does a real pair's patch with logit 0.25 cost?",
        answer=0.75,
        refresher="a real patch should have at least 1, a fake one at most -1. The loss is what is missing, and 0 "
        "where nothing is.",
        mistakes=[
            (0, "Its sign is right, but it is not beyond the margin."),
            (1.25, "That would be a fake patch with this logit."),
        ],
        tolerance=1e-6,
    ),
    Question(
        asks="A weight's gradient is 2 for a batch. You call backward on three equal batches in a row and never "
        "clear the gradient. What is in .grad then?",
        answer=6,
        refresher="backward adds to .grad; it never replaces what is there.",
        mistakes=[
            (2, "That would be so with zero_grad before each backward."),
            (4, "That is after two of them."),
            (8, "The gradients add up: one more each time; they do not double."),
        ],
    ),
    Question(
        asks="All gradients of a network are two numbers, 3 and 4, and are clipped to norm 1. What becomes of the 3?",
        answer=0.6,
        refresher="the length of (3, 4) is the root of 9 + 16. Clipping divides the whole vector by one number, so "
        "that its length becomes 1.",
        mistakes=[
            (1, "Clipping by norm does not cut off single entries."),
            (3 / 7, "The length is the root of the sum of squares, not the sum."),
        ],
        tolerance=1e-3,
    ),
    Question(
        asks="In one step of the course's recipe LF-Net draws once, and DA-Net is shown three kinds of pairs. How many "
        "forward passes of DA-Net are made?",
        answer=4,
        refresher="DA-Net's turn needs an opinion on each kind of pair. Then DA-Net has changed: what does LF-Net's "
        "turn need?",
        mistakes=[
            (3, "LF-Net's turn asks the DA-Net that has just learnt, through a drawing that is not detached."),
            (6, "LF-Net's turn needs its opinion on one kind only: photograph and drawing."),
            (2, "Each kind of pair is a pass of its own in DA-Net's turn."),
        ],
    ),
    Question(
        asks="A weight is averaged by an exponential moving average with decay 0.9. The average stands at 10, the "
        "trained weight at 20. What is the new average?",
        answer=11,
        refresher="the decay is the share that is kept of the average; the rest comes from the trained weight.",
        mistakes=[
            (19, "The decay is what is kept of the average, not what is taken of the new weight."),
            (15, "That would be a decay of 0.5."),
        ],
        tolerance=1e-6,
    ),
)
