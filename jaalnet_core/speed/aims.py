"""What JAAL-Net was meant to reach in speed and memory, beside what was measured: met or missed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

PICTURES = 859  # of ISBI2016 in our data folder: an epoch of the aims
_POSITIONS = 128 * 128  # of the aims for position attention

_Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Aim:
    """A figure and its limit.

    Attributes:
        what: the aim in words, its limit included.
        file: the file of figures that decides, without its ending.
        measured: the figure in the file, in the limit's unit; None where the machine could not tell it.
        shown: Python format of the figure.
        below: the figure must stay below it, where given.
        least: the smallest figure that meets the aim, where given.
    """

    what: str
    file: str
    measured: Callable[[_Figures], float | None]
    shown: str
    below: float | None = None
    least: float | None = None

    def row(self, figures: _Figures) -> list[str]:
        """The aim, the measured figure and the verdict, for a table."""
        measured = self.measured(figures)
        if measured is None:
            return [self.what, "", "not measured"]
        met = (self.least is None or measured >= self.least) and (self.below is None or measured < self.below)
        return [self.what, self.shown.format(measured), "met" if met else "**missed**"]


def _against_authors(what: str) -> Callable[[_Figures], float | None]:
    return lambda figures: (figures["step_against_authors"] or {}).get(what)


def _whole_epoch(figures: _Figures) -> float:
    """Seconds of an epoch over all pictures at the measured speed, validation, log and files included."""
    return PICTURES / figures["images_per_second"]


def _fused_peak(figures: _Figures, positions: int = _POSITIONS) -> float:
    (row,) = (row for row in figures["rows"] if (row["way"], row["positions"]) == ("fused", positions))
    return row["peak_mb"]


def _eager(figures: _Figures) -> float:
    return figures["ways"]["eager"]["milliseconds"]


def _growth(figures: _Figures) -> float | None:
    first, second = figures["peak_mb_halves"]
    return None if first is None or second is None else second / first


AIMS = (
    Aim(
        "whole adversarial step of `small`, batch 16: at least 15 times the images a second of the authors' (stand-in)",
        "training-small",
        _against_authors("speed"),
        "{:.1f} times",
        least=15,
    ),
    Aim("the same: under a fifth of their memory", "training-small", _against_authors("memory"), "{:.0%}", below=0.2),
    Aim(f"an epoch of `small` over {PICTURES} pictures: under 200 s", "epoch", _whole_epoch, "{:.0f} s", below=200),
    Aim(
        "position attention: the numbers of the explicit matrix within 1e-5",
        "attention",
        lambda figures: figures["largest_difference"],
        "{:.0e}",
        below=1e-5,
    ),
    Aim("its memory over 128x128 positions: under 1 GB", "attention", _fused_peak, "{:.0f} MB", below=1000),
    Aim(
        "its memory is linear: for 4 times the positions under 4.4 times as much",
        "attention",
        lambda figures: _fused_peak(figures) / _fused_peak(figures, _POSITIONS // 4),
        "{:.1f} times",
        below=4.4,
    ),
    Aim("LF-Net `small`, one picture, one core, as it is: under 100 ms", "inference", _eager, "{:.0f} ms", below=100),
    Aim(
        "a folder of pictures: memory of the second half under 1.05 times the first's",
        "folder",
        _growth,
        "{:.2f} times",
        below=1.05,
    ),
)
