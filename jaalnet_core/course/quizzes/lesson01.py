"""The quiz of lesson 1: data preparation."""

from __future__ import annotations

from jaalnet_core.course.quiz import Question

QUESTIONS = (
    Question(
        asks="Masks are called x_mask.png, x2_mask.png and x10_mask.png. At which place (0, 1 or 2) of the sorted "
        "list stands x_mask.png?",
        answer=2,
        refresher="sorting compares characters, one after the other: digits come before letters and the underscore, "
        "and the full stop before digits.",
        mistakes=[
            (0, "That is the place of x.jpg among the pictures: a full stop comes before digits, an underscore after."),
            (1, "Compare x_ with x1 and with x2, character by character."),
        ],
    ),
    Question(
        asks="A scanner stores the value 4000 in sixteen bits. Which number does .astype(np.uint8) make of it?",
        answer=160,
        refresher="a cast to bytes keeps the remainder after division by 256.",
        mistakes=[
            (255, "A cast does not stop at the largest byte."),
            (15, "That is how often 256 goes into it; the cast keeps the remainder."),
            (16, "A byte of the same brightness would be near that, but a cast does not scale."),
        ],
    ),
    Question(
        asks="A phone's file holds 96 rows of 128 pixels and the note 'turn by a quarter'. What is the shape of the "
        "array that read_picture returns?",
        answer=(128, 96, 3),
        refresher="height comes first in an array, and a quarter turn exchanges height and width. A viewer follows "
        "the note, and so must a program.",
        mistakes=[((96, 128, 3), "That is the picture on its side."), ((128, 96), "A photograph has three channels.")],
    ),
    Question(
        asks="A mask is made three times smaller. A new pixel covers nine old ones, and four of them are lesion. "
        "Which value does the new pixel get in this course?",
        answer=0,
        refresher="average the mask over each new pixel; lesion, if at least half of it is.",
        mistakes=[
            (1, "Four of nine are less than half. Counting every touched pixel makes lesions grow."),
            (4 / 9, "A mask holds answers, 0 or 1, and nothing between."),
        ],
        tolerance=0.006,
    ),
    Question(
        asks="Pictures whose hash lies below 0.1 are held back. You raise the limit to 0.2. Does any picture that "
        "was held back before become one to learn from? Answer True or False.",
        answer=False,
        refresher="a larger share keeps everything that a smaller one held: whoever lies below 0.1 lies below 0.2.",
    ),
)
