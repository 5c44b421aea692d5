"""The quiz of lesson 09: a folder of one's own, fine-tuning, held-out pictures, the exported file."""

from __future__ import annotations

from jaalnet_core.course.quiz import Question

QUESTIONS = (
    Question(
        asks="Eight held-out pictures: the fine-tuned network is better on seven by 0.04 Dice each and worse on one by "
        "0.12. What is the mean gain?",
        answer=0.02,
        refresher="the mean of the paired differences counts every picture once: add them, losses with their sign, and "
        "divide by the number of pictures.",
        mistakes=[
            (0.04, "That leaves the picture out on which it became worse."),
            (0.05, "The loss counts with its sign: subtract it."),
        ],
        tolerance=0.0005,
    ),
    Question(
        asks="28 training pictures, batches of 4, 5 epochs. How many steps does the optimiser take?",
        answer=35,
        refresher="steps of an epoch are pictures divided by the batch size, rounded up; each epoch repeats them.",
        mistakes=[(7, "That is one epoch."), (140, "A step takes a whole batch, not one picture.")],
    ),
    Question(
        asks="The exported graph takes heights and widths that are multiples of 16. You have photographs of 200 x 150 "
        "(width x height) and pad at the right and the bottom. Which (height, width) do you give it?",
        answer=(160, 208),
        refresher="round each side up to the next multiple of 16. Tensors name the height first.",
        mistakes=[
            ((208, 160), "Tensors name the height first."),
            ((144, 192), "That would cut the photograph: round up."),
            ((150, 200), "Neither side is a multiple of 16."),
        ],
    ),
    Question(
        asks="A picture shows no lesion at all, and the network answers with a probability of 0.98 somewhere. Does "
        "that mean that there is a lesion? Answer True or False.",
        answer=False,
        refresher="the network has never seen a picture without a lesion. Near one means: like what was called "
        "lesion in training.",
    ),
    Question(
        asks="All pictures of one patient are spread over training and held-out pictures. Is the held-out score for "
        "new patients then too 'high', too 'low', or 'right'?",
        answer="high",
        refresher="the network has seen this skin and this camera: the held-out pictures are not as new as those of "
        "another patient will be.",
        mistakes=[
            ("right", "The held-out pictures are not new to it in every way: the skin and the camera are known.")
        ],
    ),
)
