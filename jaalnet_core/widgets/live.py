"""Curves that grow while a network trains: hand it to `train` as `on_epoch`."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Sequence

import ipywidgets
import numpy as np

from jaalnet_core.figures.curves import training_curves
from jaalnet_core.figures.style import as_html
from jaalnet_core.run_log import COLUMNS

EpochLine = dict[str, float]


class LiveCurves(ipywidgets.VBox):
    """A sentence and the training curves, renewed after every epoch.

    `train(settings, on_epoch=curves)` calls it with each line of the log, and shows a plain progress bar besides: who
    cannot see widgets still sees how far the run is.

    Attributes:
        lines: the log so far, one dictionary an epoch.
        sentence, picture: the widgets inside.
    """

    def __init__(self, epochs: int, *, title: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        """Start empty.

        Args:
            epochs: how many the run will have.
            title: a line above the curves.
            clock: seconds; for the time left.
        """
        self.epochs, self.title, self.lines = epochs, title, []
        self._clock, self._started = clock, clock()
        self.sentence = ipywidgets.HTML()
        self.picture = ipywidgets.HTML()
        self._say("Training begins; the curves appear after the first epoch.")
        super().__init__([self.sentence, self.picture])

    def __call__(self, line: EpochLine) -> None:
        """Take in one epoch's line of the log and draw again."""
        self.lines.append(dict(line))
        seconds_each = (self._clock() - self._started) / len(self.lines)
        self._say(epoch_in_words(line, self.epochs, seconds_each))
        self.picture.value = as_html(training_curves(log_columns(self.lines), title=self.title))

    def _say(self, words: str) -> None:
        self.sentence.value = f'<p aria-live="polite" style="line-height: 1.4">{html.escape(words)}</p>'


def log_columns(lines: Sequence[EpochLine]) -> dict[str, np.ndarray]:
    """Lines of a log, as `train` reports them, to columns, as `training_curves` and `diagnose` read them.

    A quantity that a line does not have is nan.
    """
    return {name: np.array([line.get(name, np.nan) for line in lines], dtype=np.float64) for name in COLUMNS}


def epoch_in_words(line: EpochLine, epochs: int, seconds_each: float) -> str:
    """One epoch as a sentence: the score, DA-Net's opinions where there are any, and the time left."""
    epoch = int(line["epoch"])
    words = f"Epoch {epoch} of {epochs}: validation Dice {line['validation_dice']:.3f}"
    if "d_real" in line:
        words += f"; DA-Net calls real pairs {line['d_real']:.2f} and fake pairs {line['d_fake']:.2f} real"
    left = (epochs - epoch) * seconds_each
    return words + (f"; about {left:.0f} s left." if epoch < epochs else ". Finished.")
