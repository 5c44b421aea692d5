"""How long a training run should take on a GPU, from counts alone: a prediction, to be held against a measurement."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """What its maker's data sheet promises of a GPU, and one guess.

    Attributes:
        flop_per_second: in bf16, dense.
        bytes_per_second: of its memory.
        seconds_an_operation: what the program takes to hand over one operation, forward or back; a guess from
            PyTorch's usual 5 to 10 microseconds.
    """

    name: str
    flop_per_second: float
    bytes_per_second: float
    seconds_an_operation: float = 8e-6


H200 = Card("H200", 989e12, 4.8e12)


@dataclass(frozen=True)
class PredictedSeconds:
    """What each of three limits alone would make a run take, uncompiled.

    Moving and multiplying are floors by the card's data sheet. Handing over is none: it rests on a guess, and a
    compiled step hands over fewer operations.
    """

    steps: int
    handing_over: float
    moving: float
    multiplying: float

    @property
    def longest(self) -> float:
        """The prediction: operations are handed over one by one, and all else can happen meanwhile."""
        return max(self.handing_over, self.moving, self.multiplying)


def predict_run(
    *, operations: int, gflop: float, megabytes: float, pictures: int, epochs: int, batch_size: int, card: Card = H200
) -> PredictedSeconds:
    """How long a run takes, from the counts of a step.

    Args:
        operations: of a step, whatever its batch.
        gflop: of a step, a picture.
        megabytes: read and written in a step, a picture, in float32; half as much is moved in bf16.
    """
    steps = epochs * math.ceil(pictures / batch_size)
    learnt = epochs * pictures
    return PredictedSeconds(
        steps=steps,
        handing_over=steps * operations * card.seconds_an_operation,
        moving=learnt * megabytes / 2 * 1e6 / card.bytes_per_second,
        multiplying=learnt * gflop * 1e9 / card.flop_per_second,
    )
