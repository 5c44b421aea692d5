"""The exercises of lesson 1: masks that stay binary, pairs that stay together, splits that stay put."""

from __future__ import annotations

from jaalnet_core.course.exercise import Exercise
from jaalnet_core.course.exercises.lesson01_files import judge_hold_back, judge_pairs
from jaalnet_core.course.exercises.lesson01_pictures import (
    judge_augmented_pairs,
    judge_enlarge_mask,
    judge_turn_and_brighten,
)

_SALTED = "jaalnet_core.course.exercises.lesson01_files.salted_hash"  # stands in for `hash` while an answer is judged

EXERCISES = (
    Exercise(
        number="1.1",
        title="Enlarge a mask",
        difficulty=1,
        minutes=5,
        points=1,
        hints=(
            "A mask of two pixels, 0 and 1, is made three times as wide. Which six numbers do you want to see?",
            "Each of them stands there three times in a row: no value is mixed from two. That is called nearest "
            "neighbour.",
            "np.repeat repeats entries along one axis, and a mask has two. Or cv2.resize, with the right "
            "interpolation and the size as (width, height).",
        ),
        judge=judge_enlarge_mask,
    ),
    Exercise(
        number="1.2",
        title="Find the bug: two loaders",
        difficulty=2,
        minutes=15,
        points=2,
        hints=(
            "Read the two names in each line of the table. From which line on do they not belong together, and what "
            "is special about the one before?",
            "Nothing in the code compares a picture's name with a mask's. What do the two names share?",
            "Build a dictionary from id to mask: the id is the mask's stem without its suffix (str.removesuffix). "
            "Then ask it for each picture's stem, and skip what is not in it.",
        ),
        judge=judge_pairs,
    ),
    Exercise(
        number="1.3",
        title="Turn together, brighten alone",
        difficulty=2,
        minutes=15,
        points=2,
        hints=(
            "Which of the random numbers concern where a pixel lies, and which concern its colour? Who needs which?",
            "Draw three numbers first: quarter turns 0 to 3, mirrored 0 or 1, and a brightness. Only then touch the "
            "tensors.",
            "torch.rot90(x, turns, (-2, -1)) and x.flip(-1) turn a tensor; torch.randint and torch.rand take "
            "generator=…; torch.rand lies in 0..1: stretch it to a width of 0.4 and shift it.",
        ),
        judge=judge_turn_and_brighten,
    ),
    Exercise(
        number="1.4",
        title="Find the bug: pictures that wander",
        difficulty=2,
        minutes=15,
        points=2,
        hints=(
            "The table counts, at every start, the pictures held back. Why are there more of them each time?",
            "What would make the choice the same in every start, on every machine, and also after new pictures have "
            "come?",
            "hashlib.sha256(id.encode()) gives bytes or hexadecimal digits. Make a number of the first few, divide "
            "it by the largest possible one, and compare with the share. No file needs to move.",
        ),
        judge=judge_hold_back,
        allowed=(_SALTED,),
    ),
    Exercise(
        number="1.5",
        title="Build your own data set",
        difficulty=3,
        minutes=25,
        points=3,
        hints=(
            "A run broke off after item 7 of epoch 3 and goes on with item 8. What has to be known to draw item 8 as "
            "it would have been drawn?",
            "Three numbers are known: seed, epoch, index. Make one seed of the three in __getitem__, and a new "
            "torch.Generator with it. Adding them will not do: which other item has the same sum?",
            "np.random.SeedSequence([a, b, c]).generate_state(1)[0] mixes three numbers into one; manual_seed wants "
            "an int and returns the generator. For the tensors: permute, float, / 255; a mask gets its channel by "
            "[None].",
        ),
        judge=judge_augmented_pairs,
        allowed=(_SALTED, "jaalnet_core.course.exercises.lesson01_pictures"),
    ),
)
