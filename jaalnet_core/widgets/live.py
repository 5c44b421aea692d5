"""Watch a network train: curves, the same pictures growing right, and buttons that stop the run and go on with it.

    live = LiveTraining(settings, data)
    display(live)
    live.start()          # returns at once: the run has a thread of its own
    result = live.wait()  # in a later cell; or press the buttons and look

In a plain terminal, where no widget can be seen, the same lines train with a progress bar.
"""

from __future__ import annotations

import html
import time
from collections.abc import Sequence

import ipywidgets
import numpy as np

from jaalnet_core.data.source import LesionData
from jaalnet_core.figures.curves import training_curves
from jaalnet_core.figures.snapshots import snapshot_html
from jaalnet_core.figures.style import as_html
from jaalnet_core.run_log import COLUMNS
from jaalnet_core.snapshots import Snapshot, take_snapshot
from jaalnet_core.training.background import BackgroundTraining, State, in_notebook
from jaalnet_core.training.loop import RunResult
from jaalnet_core.training.run import Run
from jaalnet_core.training.settings import TrainSettings
from jaalnet_core.widgets.control_names import ControlNames

SHOWN = 4  # validation pictures
_RENEW_EVERY = 0.25  # seconds between two movements of the bar
_WAIT = 0.2
EpochLine = dict[str, float]


class LiveTraining(ipywidgets.VBox):
    """A run with its curves, four validation pictures after every epoch, and two buttons.

    Attributes:
        run: the training behind it, to start and stop by calls.
        lines: the log so far, one dictionary an epoch.
        pictures: the validation pictures that are shown.
        snapshots: what both networks made of them, one an epoch.
        go_button, stop_button, epoch, sentence, bar, shown, curves: the widgets inside.
    """

    def __init__(self, settings: TrainSettings, data: LesionData, *, title: str = "") -> None:
        """Show the buttons; nothing runs yet.

        Args:
            data: pictures to train on and to validate on.
            title: a line above the curves.
        """
        self.pictures = data.validation.take(range(min(SHOWN, len(data.validation))))
        self.lines: list[EpochLine] = []
        self.snapshots: list[Snapshot] = []
        self._title, self._moved, self._pressed = title, 0.0, False
        self.run = BackgroundTraining(
            settings,
            data=data,
            on_epoch=self._end_epoch,
            on_step=self._step,
            on_change=self._change,
            progress=not in_notebook(),
        )
        self.go_button = ipywidgets.Button(description="Start", icon="play", tooltip="Start, or go on after a stop")
        self.stop_button = ipywidgets.Button(
            description="Stop", icon="stop", disabled=True, tooltip="Stop after the step in hand, and save everything"
        )
        self.go_button.on_click(self._go_on_pressed)
        self.stop_button.on_click(self._stop_pressed)
        self.bar = ipywidgets.IntProgress(value=0, max=1, layout={"width": "14em"})
        self.steps = ipywidgets.HTML()
        self.sentence = ipywidgets.HTML()
        self.epoch = ipywidgets.IntSlider(  # its ends stay: the browser's slider keeps its first ones for Home and End
            value=1, min=1, max=settings.epochs, description="pictures after epoch", disabled=True
        )
        self.epoch.layout.width = "min(34em, 95%)"
        self.epoch.style.description_width = "11em"
        self.epoch.observe(self._look, names="value")
        self.shown, self.curves = ipywidgets.HTML(), ipywidgets.HTML()
        self._say(f"Ready: {settings.epochs} epochs of {len(data.train)} pictures. Press Start.")
        buttons = ipywidgets.HBox([self.go_button, self.stop_button, self.bar, self.steps])
        buttons.layout.flex_flow, buttons.layout.align_items = "row wrap", "center"
        super().__init__([buttons, self.sentence, self.epoch, self.shown, self.curves, ControlNames()])

    def start(self) -> None:
        """Start, or go on after a stop; returns at once."""
        self.run.start()

    def stop(self) -> None:
        """Stop after the step in hand; returns at once."""
        self.run.stop()

    def wait(self) -> RunResult:
        """Wait until the run is finished, also through a stop and a start by another thread.

        Interrupting the kernel (Ctrl-C) stops the run, saves it, and ends the waiting: while a cell waits, the kernel
        may not hear the buttons. Outside a notebook a stopped run ends the waiting, too.

        Raises:
            TrainingError: nothing was started.
            JaalnetError: whatever ended the run.
        """
        result = self.run.wait()
        while in_notebook() and not result.finished:
            time.sleep(_WAIT)
            result = self.run.wait()
        return result

    def _go_on_pressed(self, _button: ipywidgets.Button) -> None:
        self._pressed = True
        self.run.start()

    def _stop_pressed(self, _button: ipywidgets.Button) -> None:
        self._pressed = True
        self.run.stop()

    def _step(self, step: int, total: int) -> None:
        now = time.monotonic()
        if step < total and now - self._moved < _RENEW_EVERY:
            return
        self._moved = now
        self.bar.max, self.bar.value = total, step
        self.steps.value = f"step {step} of {total}"

    def _end_epoch(self, line: EpochLine, run: Run) -> None:
        """Take in one epoch: its line of the log and what the networks, as they now are, make of the pictures."""
        epoch = int(line["epoch"])
        # a run that ended with an error repeats what came after its last checkpoint
        self.lines = [old for old in self.lines if old["epoch"] < epoch] + [dict(line)]
        taken = take_snapshot(epoch, run.lf_net, run.da_net, self.pictures)
        following = not self.snapshots or self.epoch.value >= self.snapshots[-1].epoch
        self.snapshots = [old for old in self.snapshots if old.epoch < epoch] + [taken]
        self._say(epoch_in_words(line, run.settings.epochs))
        self.curves.value = as_html(training_curves(log_columns(self.lines), title=self._title))
        self.epoch.disabled = False
        if following and self.epoch.value != epoch:
            self.epoch.value = epoch  # looks
        else:
            self._look()

    def _look(self, _change: object = None) -> None:
        """Show the pictures of the epoch that was chosen; whoever asks for one to come gets the newest."""
        if not self.snapshots:
            return
        there = {one.epoch: one for one in self.snapshots}
        chosen = min(max(self.epoch.value, min(there)), max(there))
        if chosen != self.epoch.value:
            self.epoch.value = chosen  # looks again
        else:
            self.shown.value = snapshot_html(self.pictures, there[chosen])

    def _change(self, state: State) -> None:
        """Words and buttons for a new state of the run."""
        run = self.run
        self.stop_button.disabled = state != "running"
        self.go_button.disabled = state not in ("ready", "stopped", "failed")
        if run.step:
            self.go_button.description = "Go on"
            self.bar.value, self.steps.value = run.step, f"step {run.step} of {run.total_steps}"
        if state == "running":
            self._say("Going on." if run.step else "Training: pictures and curves appear after the first epoch.")
        elif state == "stopping":
            self._say("Stopping after the step in hand.")
        elif state == "stopped":
            self._say(
                f"Stopped after step {run.step} of {run.total_steps}, {run.result.epochs} whole epochs; everything is "
                "saved. Go on continues from there, as if there had been no stop."
            )
        elif state == "finished":
            self._say(finished_in_words(run.result))
        elif state == "failed":
            self._say(f"Ended by an error: {run.error}")
        if self._pressed and state in ("running", "stopped"):  # the button that was pressed is gone: go to its sister
            (self.stop_button if state == "running" else self.go_button).focus()
            self._pressed = False

    def _say(self, words: str) -> None:
        self.sentence.value = f'<p aria-live="polite" style="line-height: 1.4">{html.escape(words)}</p>'


def log_columns(lines: Sequence[EpochLine]) -> dict[str, np.ndarray]:
    """Lines of a log, as `train` reports them, to columns, as `training_curves` and `diagnose` read them.

    A quantity that a line does not have is nan.
    """
    return {name: np.array([line.get(name, np.nan) for line in lines], dtype=np.float64) for name in COLUMNS}


def epoch_in_words(line: EpochLine, epochs: int) -> str:
    """One epoch as a sentence: the score, DA-Net's opinions where there are any, and the time left."""
    epoch = int(line["epoch"])
    words = f"Epoch {epoch} of {epochs}: validation Dice {line['validation_dice']:.3f}"
    if "d_real" in line:
        words += f"; DA-Net calls real pairs {line['d_real']:.2f} and fake pairs {line['d_fake']:.2f} real"
    left = (epochs - epoch) * line["seconds"] / epoch
    return words + (f"; about {left:.0f} s of training left." if epoch < epochs else ".")


def finished_in_words(result: RunResult) -> str:
    """The end of a run as a sentence."""
    return (
        f"Finished: {result.epochs} epochs in {result.seconds:.0f} s of training; best validation Dice "
        f"{result.best_dice:.3f}, after epoch {result.best_epoch}."
    )
