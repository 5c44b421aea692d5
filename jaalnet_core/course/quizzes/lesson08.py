"""Quiz of lesson 8: laws between scores, what a comparison may say, and who may choose."""

from __future__ import annotations

from jaalnet_core.course.quiz import Question

QUESTIONS = (
    Question(
        asks="In a pooled table the lesion holds a quarter of the pixels, sensitivity is 90 percent and specificity "
        "96. What is the accuracy, in percent?",
        answer=94.5,
        refresher="the right pixels are the lesion found and the skin left alone: share * sensitivity + (1 - share) * "
        "specificity.",
        mistakes=[
            (93.0, "That is the plain mean; skin has three times as many pixels as lesion."),
            (91.5, "The weights are in each other's place: the quarter belongs to the sensitivity."),
        ],
        tolerance=1e-6,
    ),
    Question(
        asks="An interval over 82 validation pictures is twice as wide as you can use. About how many pictures do you "
        "need for one half as wide?",
        answer=328,
        refresher="the width falls with the square root of the number of images.",
        mistakes=[
            (164, "Twice as many make it narrower by the root of two only."),
            (41, "Fewer images make it wider."),
        ],
        tolerance=2,
    ),
    Question(
        asks="The paired difference of two recipes with five seeds each is +0.005, its interval -0.002 to +0.012. "
        "Better, worse or undecided?",
        answer="undecided",
        refresher="where does 0 lie, inside the interval or outside?",
        mistakes=[
            ("better", "The mean is above 0, but the interval holds 0: another draw may turn the sign."),
            ("worse", "The mean is above 0, so it would be better, if anything."),
        ],
    ),
    Question(
        asks="Forty variants without any effect are compared with the base, each with a 95% interval. How many of them "
        "look decided, on average?",
        answer=2,
        refresher="without an effect an interval leaves 0 out in one case of twenty.",
        mistakes=[
            (0, "That would need intervals that never err; these err in 5% of the cases."),
            (1, "That is for twenty."),
            (38, "Those are the ones that stay undecided."),
            (0.05, "That is the share; of how many?"),
        ],
        tolerance=1e-6,
    ),
    Question(
        asks="Which pictures may choose the epoch whose weights are kept: 'training', 'validation' or 'test'?",
        answer="validation",
        refresher="the choice needs pictures from which nothing was learnt, and which do not give the reported score.",
        mistakes=[
            ("test", "Then the highest of many noisy scores is reported, and it is too high."),
            ("training", "On those the network grows better and better, also while it forgets everything else."),
        ],
    ),
)
