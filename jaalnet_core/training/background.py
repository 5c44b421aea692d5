"""A run in a thread of its own: whoever started it stays free to look at it, to stop it, and to go on with it.

run = BackgroundTraining(settings, data=data)
run.start()
run.stop()           # after the step in hand; everything is saved
run.start()          # goes on, as `--resume` does
result = run.wait()
"""

from __future__ import annotations

import atexit
import dataclasses
import threading
from collections.abc import Callable
from typing import Any, Literal

from jaalnet_core.data.source import LesionData
from jaalnet_core.errors import TrainingError
from jaalnet_core.training.interrupt import StopRequest
from jaalnet_core.training.loop import RunResult, train
from jaalnet_core.training.run import Run
from jaalnet_core.training.settings import TrainSettings

State = Literal["ready", "running", "stopping", "stopped", "finished", "failed"]
_LEAVE_WITHIN = 10.0  # seconds that an ending process waits for a run to save itself
_LOOK_EVERY = 0.2  # seconds; waiting without an end would keep Ctrl-C from being heard on some systems


class BackgroundTraining:
    """One run of `train`, stopped and resumed at will; the same weights as without a stop.

    Attributes:
        settings: the run's; every start after the first adds `resume`.
        state: `ready`, `running`, `stopping`, `stopped`, `finished` or `failed`.
        step, total_steps: how far it is; 0 of 0 before the first step.
        said: the sentences of `train`.
        result: of the last start that ended without an error.
        error: what ended the last start, if anything did.
    """

    def __init__(
        self,
        settings: TrainSettings,
        *,
        data: LesionData | None = None,
        on_epoch: Callable[[dict[str, float], Run], None] | None = None,
        on_step: Callable[[int, int], None] | None = None,
        on_change: Callable[[State], None] | None = None,
        progress: bool = False,
    ) -> None:
        """Make everything ready; nothing runs yet. All callbacks are called from the run's thread.

        Args:
            data: pictures in memory; None opens `settings.data`.
            on_epoch: takes each epoch's line of the log, and the run, to look at and not to change.
            on_step: takes the number of finished steps, and of all.
            on_change: takes each new state.
            progress: show a bar with the time left, as in a terminal.
        """
        self.settings, self._data, self._progress = settings, data, progress
        self._on_epoch, self._on_step, self._on_change = on_epoch, on_step, on_change
        self.state: State = "ready"
        self.step = self.total_steps = 0
        self.said: list[str] = []
        self.result: RunResult | None = None
        self.error: BaseException | None = None
        self._run: Run | None = None
        self._stop = StopRequest()
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()  # not Thread.join, which believes after a Ctrl-C that the thread has ended
        self._starting = threading.RLock()  # a callback may start or stop, too

    def start(self) -> None:
        """Start, or go on after a stop; nothing happens while it runs or when it is finished."""
        with self._starting:
            if self.state in ("running", "stopping", "finished"):
                return
            if self.step:
                self.settings = dataclasses.replace(self.settings, resume=True)
            self._stop, self.error = StopRequest(), None
            self._ended.clear()
            self._thread = threading.Thread(target=self._go, name="jaalnet-training", daemon=True)
            self._change("running")
            self._thread.start()

    def stop(self) -> None:
        """Ask for a stop after the step in hand; returns at once. Nothing happens while nothing runs."""
        with self._starting:
            if self.state == "running":
                self._change("stopping")
                self._stop.request()

    def wait(self, seconds: float | None = None) -> RunResult | None:
        """Wait until the run has ended or was stopped. Ctrl-C meanwhile stops it, and lets it save itself first.

        Args:
            seconds: wait at most so long.

        Returns:
            How the last start ended; None while it still runs.

        Raises:
            TrainingError: nothing was started.
            JaalnetError: whatever ended the run.
        """
        if self._thread is None:
            raise TrainingError("wait: found a run that was never started, expected start() before it.")
        try:
            while not self._ended.wait(_LOOK_EVERY if seconds is None else seconds):
                if seconds is not None:
                    return None
        except KeyboardInterrupt:
            self.stop()
            self._ended.wait()
            raise
        if self.error is not None:
            raise self.error
        return self.result

    def _go(self) -> None:
        """One start, in its thread."""
        atexit.register(self._leave)
        try:
            self.result = train(
                self.settings,
                data=self._data,
                on_epoch=self._epoch,
                on_step=self._stepped,
                stop=self._stop,
                progress=self._progress,
                say=self.said.append,
            )
            end: State = "finished" if self.result.finished else "stopped"
        except BaseException as error:  # told by `wait` and by the state: a thread has nobody to raise to
            self.error, end = error, "failed"
        finally:
            self._run = None
            atexit.unregister(self._leave)
        with self._starting:
            try:
                self._change(end)
            finally:
                if self.state == end:  # else a callback has started it again
                    self._ended.set()

    def _stepped(self, run: Run, total_steps: int) -> None:
        self._run, self.step, self.total_steps = run, run.progress.step, total_steps
        if self._on_step is not None:
            self._on_step(self.step, total_steps)

    def _epoch(self, line: dict[str, float]) -> None:
        if self._on_epoch is not None and self._run is not None:
            self._on_epoch(line, self._run)

    def _change(self, state: State) -> None:
        self.state = state
        if self._on_change is not None:
            self._on_change(state)

    def _leave(self) -> None:
        """The process ends: leave a checkpoint behind rather than a torn run."""
        self._stop.request()
        self._ended.wait(_LEAVE_WITHIN)


def in_notebook() -> bool:
    """Whether this runs in a Jupyter kernel, where widgets can be seen; not in a terminal's Python or IPython."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    shell: Any = get_ipython()
    return shell is not None and hasattr(shell, "kernel")
