"""Exercises of lesson 6: DA-Net's loss, clipping, two faults of adversarial code, and a step of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_

from jaalnet_core.course.exercise import Exercise
from jaalnet_core.course.exercises.lesson06_faults import judge_game, judge_turn
from jaalnet_core.course.exercises.lesson06_step import judge_step
from jaalnet_core.course.exercises.recognising import recognise
from jaalnet_core.course.judging import Wrong, agrees, call, close, expect, generator, same_shape


def judge_loss(answer: Callable[..., Any]) -> None:
    """The hinge loss of DA-Net over three kinds of pairs: half for the real ones, a quarter for each fake kind."""
    shapes = generator()
    for ease in (2.0, 0.0, -1.0):  # at first most patches are beyond their margins
        shape = tuple(int(n) for n in shapes.integers(3, 6, 2))
        real, fake, second = (sign * ease + 1.5 * torch.randn(2, 1, *shape) for sign in (1, -1, -1))
        found = call(answer, real.clone(), fake.clone(), second.clone())
        same_shape(torch.as_tensor(found), (), "your loss")
        expected = _hinge(real, fake, second)
        recognise(found, expected, _hinge_mistakes(real, fake, second), "the loss of three random maps of logits")


def _hinge(real: Tensor, fake: Tensor, second: Tensor, margin: float = 1.0) -> Tensor:
    """Worked out with `maximum` instead of the lesson's clamp."""
    nothing = torch.zeros(())
    parts = [torch.maximum(nothing, margin + sign * x).mean() for sign, x in ((-1, real), (1, fake), (1, second))]
    return parts[0] / 2 + parts[1] / 4 + parts[2] / 4


def _hinge_mistakes(real: Tensor, fake: Tensor, second: Tensor) -> dict[str, Tensor]:
    parts = [functional.relu(1 - real).mean(), functional.relu(1 + fake).mean(), functional.relu(1 + second).mean()]
    late = [(1 - real).mean().relu(), (1 + fake).mean().relu(), (1 + second).mean().relu()]
    bce = [functional.softplus(-real).mean(), functional.softplus(fake).mean(), functional.softplus(second).mean()]
    return {
        "the signs are exchanged: a real patch should be above 1, a fake one below -1.": _hinge(-real, -fake, -second),
        "there is no margin: a patch pays until it is beyond 1 or -1, not until it has the right sign.": _hinge(
            real, fake, second, margin=0.0
        ),
        "the three kinds weigh alike; the real pairs weigh as much as both fake kinds together.": sum(parts) / 3,
        "the two fake kinds are added up, not averaged.": (parts[0] + parts[1] + parts[2]) / 2,
        "the halving at the end is missing: it is the mean of real and fake.": parts[0] + (parts[1] + parts[2]) / 2,
        "the three parts are added up without their weights.": sum(parts),
        "the second fake kind is missing.": (parts[0] + parts[1]) / 2,
        "the mean comes first and the margin last; each patch has its own margin.": (late[0] + (late[1] + late[2]) / 2)
        / 2,
        "patches beyond their margin pay a negative amount; they should cost nothing.": (
            (1 - real).mean() + ((1 + fake).mean() + (1 + second).mean()) / 2
        )
        / 2,
        "that is the cross-entropy; the task asks for the hinge loss.": (bce[0] + (bce[1] + bce[2]) / 2) / 2,
        "the patches are added up; take their mean.": _hinge(real, fake, second) * real.numel(),
    }


def judge_clipping(answer: Callable[..., Any]) -> None:
    """All gradients together are one vector; it is shortened to `max_norm` where it is longer, and else left alone."""
    shapes = generator()
    for trial in range(4):
        sizes = [tuple(int(n) for n in shapes.integers(1, 5, int(shapes.integers(1, 4)))) for _ in range(3)]
        gradients = [torch.randn(size) * float(shapes.uniform(0.2, 3)) for size in sizes]
        length = _length(gradients)
        too_long = trial % 2 == 0
        max_norm = float(length) * float(shapes.uniform(0.03, 0.07) if too_long else shapes.uniform(1.2, 3))
        found = call(answer, [gradient.clone() for gradient in gradients], max_norm)
        expect(
            isinstance(found, (list, tuple)) and len(found) == 3,
            f"for a list of 3 gradients you return a {type(found).__name__}, expected a list of 3 tensors.",
        )
        for place, (one, size) in enumerate(zip(found, sizes, strict=True), 1):
            same_shape(one, size, f"gradient {place} of 3")
        words = f"gradients of length {length:.3g} with max_norm {max_norm:.3g}"
        _clipped_right(list(found), gradients, max_norm, words)
    still = call(answer, [torch.zeros(2, 3), torch.zeros(4)], 1.0)
    expect(
        all(bool((gradient == 0).all()) for gradient in still),
        "gradients of 0 do not stay 0: their length is 0, and you divide by it.",
    )


def _length(gradients: list[Tensor]) -> Tensor:
    return torch.linalg.vector_norm(torch.cat([gradient.flatten() for gradient in gradients]))


def _clipped_right(found: list[Tensor], gradients: list[Tensor], max_norm: float, words: str) -> None:
    expected = _by_torch(gradients, max_norm)
    if agrees(found, expected, 1e-4):
        return
    for mistake, other in _clipping_mistakes(gradients, max_norm).items():
        if agrees(found, other, 1e-4):
            raise Wrong(f"{words}: {mistake}")
    close(found, expected, words, 1e-4)


def _by_torch(gradients: list[Tensor], max_norm: float) -> list[Tensor]:
    weights = [torch.zeros_like(gradient) for gradient in gradients]
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = gradient.clone()
    clip_grad_norm_(weights, max_norm)
    return [weight.grad for weight in weights]


def _clipping_mistakes(gradients: list[Tensor], max_norm: float) -> dict[str, list[Tensor]]:
    lengths = [gradient.norm() for gradient in gradients]
    length, longest, absolute = _length(gradients), max(lengths), sum(g.abs().sum() for g in gradients)

    def scaled(by: Tensor | float) -> list[Tensor]:
        return [gradient * by for gradient in gradients]

    return {
        "a vector longer than max_norm is left as it is.": scaled(1.0),
        "each tensor is clipped on its own, which turns the step; all together are one vector, with one length.": [
            gradient * min(1.0, max_norm / float(own)) for gradient, own in zip(gradients, lengths, strict=True)
        ],
        "single entries are cut off at max_norm, which turns the step; the whole vector is to be shortened.": [
            gradient.clamp(-max_norm, max_norm) for gradient in gradients
        ],
        "a vector shorter than max_norm was made longer; it stays as it is.": scaled(max_norm / length),
        "the vector was divided by its length, but not multiplied by max_norm.": scaled(1 / length),
        "the lengths of the tensors were added up; square them, add, and take the root.": scaled(
            min(1.0, max_norm / float(sum(lengths)))
        ),
        "the square root is missing in the length.": scaled(min(1.0, max_norm / float(length**2))),
        "the longest tensor's length was taken for that of all.": scaled(min(1.0, max_norm / float(longest))),
        "the length is the root of the sum of squares, not the sum of absolute values.": scaled(
            min(1.0, max_norm / float(absolute))
        ),
    }


EXERCISES = (
    Exercise(
        number="6.1",
        title="What DA-Net pays",
        difficulty=1,
        minutes=8,
        points=1,
        hints=(
            "A real patch has logit 0.4. How much is missing to its margin? And for a fake patch with logit 0.4?",
            "What is missing is (1 - logit) for real and (1 + logit) for fake, and 0 where that is negative: clamp.",
            "First the mean over the patches of each kind; then the mean of the two fake kinds; then the mean of real "
            "and fake.",
        ),
        judge=judge_loss,
    ),
    Exercise(
        number="6.2",
        title="Clip gradients by hand",
        difficulty=2,
        minutes=12,
        points=2,
        hints=(
            "A list of tensors is one long vector that is stored in pieces. How long is that vector?",
            "Its length is the root of the sum of all squares, over all tensors. If that is above max_norm, every "
            "tensor is multiplied by the same factor.",
            "The factor is max_norm / length where length > max_norm, and 1 elsewhere: then 0 is never divided by.",
        ),
        judge=judge_clipping,
    ),
    Exercise(
        number="6.3",
        title="Find the bug: steps that get longer and longer",
        difficulty=2,
        minutes=12,
        points=2,
        hints=(
            "What is in .grad when the first step is made? And when the second one is made?",
            "backward adds to .grad, whatever is there already. Which line makes .grad empty, and where must it stand?",
            "Right before each backward that is followed by a step, the optimiser clears: before the first one too, "
            "since LF-Net's turn has left something behind.",
        ),
        judge=judge_turn,
    ),
    Exercise(
        number="6.4",
        title="Find the bug: a game with one player",
        difficulty=2,
        minutes=18,
        points=2,
        hints=(
            "Which weights does an optimiser change? Look at what it was given.",
            "Each network needs an optimiser of its own, and each loss its own backward: DA-Net must not learn from "
            "LF-Net's loss, which asks it to be wrong.",
            "DA-Net: clear, d_loss.backward(), step. LF-Net: clear, g_loss.backward(), step. Clear DA-Net's gradients "
            "right before its own backward, since LF-Net's loss passes through it. Compute g_loss after DA-Net's step, "
            "or take both backward passes before any step.",
        ),
        judge=judge_game,
        allowed=("jaalnet_core.da_net.pair",),
    ),
    Exercise(
        number="6.5",
        title="An adversarial step of your own",
        difficulty=3,
        minutes=30,
        points=3,
        hints=(
            "Which of the two networks may each of the two losses change? What keeps it from the other?",
            "DA-Net's turn: it judges the drawing, detached. Clear, backward, clip, step. LF-Net's turn: DA-Net judges "
            "the same drawing again, this time not detached.",
            "In LF-Net's turn gradients flow through DA-Net into the drawing. Either freeze DA-Net meanwhile (and "
            "free it again), or rely on clearing its gradients before its own next backward.",
        ),
        judge=judge_step,
        allowed=("jaalnet_core.da_net.pair",),
    ),
)
