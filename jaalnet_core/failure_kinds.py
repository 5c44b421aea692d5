"""Which pictures a network fails on, and in which of four ways: what the counted pixels alone say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.errors import SettingsError
from jaalnet_core.metrics import METRICS, scores

KINDS = {
    "missed": "nothing of the lesion is marked",
    "too much": "at least twice as many pixels marked in vain as lesion pixels left out",
    "too little": "at least twice as many lesion pixels left out as pixels marked in vain",
    "shifted": "as much marked in vain as left out, or nearly",
}
WANTED = 10


@dataclass(frozen=True)
class Found:
    """A picture among the worst.

    Attributes:
        index: in the arrays.
        picture: its id.
        value: of the score that it was chosen by.
        kind: one of `KINDS`.
    """

    index: int
    picture: str
    value: float
    kind: str


def kind_of(counts: Sequence[int] | Tensor) -> str:
    """Which of `KINDS` a picture's tp, fp, fn, tn are; ties between the last three are `shifted`."""
    tp, fp, fn, _ = (int(count) for count in counts)
    if tp == 0 and fn > 0:
        return "missed"
    if fp >= 2 * fn and fp > 0:
        return "too much"
    return "too little" if fn >= 2 * fp and fn > 0 else "shifted"


def find_worst(arrays: LesionArrays, counts: Tensor, score: str = "dice", count: int = WANTED) -> list[Found]:
    """The pictures with the lowest score, the worst first; ties keep the pictures' order.

    Args:
        counts: `(N, 4)` tp, fp, fn, tn of each picture, as `evaluate_network(...).counts`.
        score: one of `metrics.METRICS`.

    Raises:
        SettingsError: no such score, or other numbers of pictures and counts.
    """
    if score not in METRICS:
        raise SettingsError(f"score: found {score!r}, expected one of {', '.join(METRICS)}.")
    if len(arrays) != len(counts):
        raise SettingsError(f"found {len(arrays)} pictures and {len(counts)} counts, expected as many.")
    values = scores(counts)[score].numpy()
    chosen = np.argsort(values, kind="stable")[:count]
    return [Found(int(i), arrays.ids[i], float(values[i]), kind_of(counts[i])) for i in chosen]
