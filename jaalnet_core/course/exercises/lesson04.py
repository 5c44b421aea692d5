"""Exercises of lesson 4: the axis of the softmax, position and channel attention, a lost input, a cheaper block."""

from __future__ import annotations

import torch

from jaalnet_core.course.exercise import Exercise
from jaalnet_core.course.exercises.lesson04_attention import judge_channel_attention, judge_position_attention
from jaalnet_core.course.exercises.lesson04_blocks import judge_gated_residual, judge_global_context
from jaalnet_core.course.judging import agrees, call, close, expect, generator, same_shape


def judge_shares(attention_shares) -> None:
    """4.1: shares over the keys, which are the rows here; then with scores so large that exponentials overflow."""
    random = generator()
    for size in (1.0, 2.0, 300.0):
        batch, keys, queries = (int(one) for one in random.permutation(range(3, 9))[:3])
        scores = size * torch.randn(batch, keys, queries)
        what = f"the shares for scores of shape {tuple(scores.shape)}"
        found = call(attention_shares, scores.clone())
        same_shape(found, scores.shape, f"the result for scores of shape {tuple(scores.shape)}")
        expect(
            bool(torch.isfinite(torch.as_tensor(found)).all()),
            "with scores of several hundred some shares are nan or infinite: the exponential of a large score "
            "overflows.",
        )
        expected = torch.stack([torch.softmax(column, dim=-1) for column in scores.unbind(-1)], dim=-1)
        if agrees(found, expected):
            continue
        mistakes = {
            "each row sums to 1, but a row belongs to one key here; it is the queries that distribute": scores.softmax(
                2
            ),
            "the pictures of the batch share out among themselves; each picture is on its own": scores.softmax(0),
            "all keys and queries of a picture together sum to 1; each query distributes its own": (
                scores.flatten(1).softmax(1).reshape(scores.shape)
            ),
            "they are divided by their sum without the exponential, and negative ones stay": (
                scores / scores.sum(dim=1, keepdim=True)
            ),
            "a sigmoid squashes each score on its own; shares must sum to 1": scores.sigmoid(),
            "those are logarithms of shares": scores.log_softmax(1),
            "the scores were scaled first; DANet does not": (scores / keys**0.5).softmax(1),
        }
        for reason, value in mistakes.items():
            expect(not agrees(found, value), f"{what} are not right: {reason}.")
        close(found, expected, what)


EXERCISES = (
    Exercise(
        number="4.1",
        title="Who distributes?",
        difficulty=1,
        minutes=6,
        points=1,
        hints=(
            "Which of the three axes belongs to the one who distributes, and over which one does it distribute?",
            "A query has one unit of attention to give. So the sum over the keys must be 1, for each query.",
            "torch.softmax(scores, dim=...) makes the sum along that axis 1. The keys are axis 1 here, not the last.",
        ),
        judge=judge_shares,
    ),
    Exercise(
        number="4.2",
        title="Position attention in einsum",
        difficulty=2,
        minutes=15,
        points=2,
        hints=(
            "flatten(2) makes (B, C, N) of the features. Which letters have query, key and value then?",
            "A 1x1 convolution is einsum('dc,bcn->bdn', matrix, flat). The scores are a sum over d, and keep one n for "
            "the query and another letter for the key.",
            "Scores 'bdi,bdj->bij', softmax over j, mixture 'bij,bcj->bci': its axes are in the right order already, "
            "and it only needs reshape.",
        ),
        judge=judge_position_attention,
    ),
    Exercise(
        number="4.3",
        title="Channel attention, turned round",
        difficulty=2,
        minutes=12,
        points=2,
        hints=(
            "What shape has the matrix that compares channels, and along which axis is the sum of its dot products?",
            "The Gram matrix is flat @ flat.transpose(1, 2), with flat of shape (B, C, N).",
            "Row maximum: amax(dim=-1, keepdim=True). Subtract the matrix from it, not it from the matrix.",
        ),
        judge=judge_channel_attention,
    ),
    Exercise(
        number="4.4",
        title="Features that do not matter",
        difficulty=2,
        minutes=10,
        points=2,
        hints=(
            "Follow the features through the function, line by line. Where are they used for the last time?",
            "Print the shape of each line. Which one has a single channel, where you expected as many as the features?",
            "A gate is there to multiply something. Which two things does this one multiply?",
        ),
        judge=judge_gated_residual,
    ),
    Exercise(
        number="4.5",
        title="One summary for all positions",
        difficulty=3,
        minutes=25,
        points=3,
        hints=(
            "What does the map of attention look like if every position has the same? How many numbers has it, for a "
            "picture of N positions?",
            "key(features) is (B, 1, H, W). Flatten it, and let the softmax run over all N positions at once.",
            "The weighted sum of the features is einsum('bn,bcn->bc', shares, flat). Give it two axes of length 1, "
            "and the value convolution takes it as a map of one pixel; the sum with the features broadcasts.",
        ),
        judge=judge_global_context,
    ),
)
