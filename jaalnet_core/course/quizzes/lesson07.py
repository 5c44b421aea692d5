"""Quiz of lesson 7: counts, averages over batches, the law between scores, thresholds, and calibration."""

from __future__ import annotations

from jaalnet_core.course.quiz import Question

QUESTIONS = (
    Question(
        asks="In an image tp is 30, fp 10, fn 20 and tn 940. What is the Dice? Two decimals will do.",
        answer=2 / 3,
        refresher="Dice = 2 tp / (2 tp + fp + fn). The spared skin, tn, is not in it.",
        mistakes=[
            (0.5, "That is the IoU: there the common pixels count once."),
            (0.97, "That is the accuracy, which tn lifts."),
            (0.6, "That is the sensitivity: tp / (tp + fn)."),
            (0.75, "That is the share of marked pixels that are lesion: tp / (tp + fp)."),
        ],
        tolerance=0.0075,
    ),
    Question(
        asks="Three images have Dice 0.9, 0.9 and 0.3. A loop takes them in batches of two and averages the batches' "
        "means. Which number does it print?",
        answer=0.6,
        refresher="it prints the mean of two means, of the first batch and of the last, which is an image by itself. "
        "How much does that image weigh?",
        mistakes=[(0.7, "That is the mean over images, which it should print: here the last image weighs a half.")],
        tolerance=1e-6,
    ),
    Question(
        asks="All pixels of a test set are pooled, and the Dice is 0.8. What is the pooled IoU? Two decimals will do.",
        answer=0.8 / 1.2,
        refresher="with one table the IoU follows from the Dice d: d / (2 - d).",
        mistakes=[
            (0.8 * 2 / 1.8, "That is the way back, from IoU to Dice. IoU is never above Dice."),
            (0.64, "That is the square. Write both with tp and fp + fn."),
            (0.4, "Halving is right only near 0."),
        ],
        tolerance=0.0075,
    ),
    Question(
        asks="You raise the threshold from 0.3 to 0.7. Which score cannot rise: 'sensitivity' or 'specificity'?",
        answer="sensitivity",
        refresher="with a higher threshold fewer pixels are marked: some of them were lesion, some skin. Which score "
        "counts the lesion that was found?",
        mistakes=[("specificity", "Fewer pixels marked means more skin left alone, so it rises or stays.")],
    ),
    Question(
        asks="A network gives 200 pixels a probability near 0.9, and 150 of them are lesion. How large is the gap in "
        "this bin of the reliability diagram?",
        answer=0.15,
        refresher="the gap is the distance between what was promised and the share of pixels that are lesion.",
        mistakes=[
            (0.75, "That is the share that was found; how far is it from what was promised?"),
            (-0.15, "The gap is counted as a distance, so it is not negative."),
            (0.25, "The promise was 0.9, not 1."),
        ],
        tolerance=1e-6,
    ),
)
