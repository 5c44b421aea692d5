"""The live view of training in JupyterLab: a run that is watched, stopped and gone on with by its buttons."""

from __future__ import annotations

import re
import time

import pytest
from faults_of_page import faults
from notebook_page import cell_with, rewrite, told

pytestmark = pytest.mark.browser
SETUP = """
import itertools, tempfile
from pathlib import Path
from jaalnet_core import course
from jaalnet_core.data.source import LesionData
from jaalnet_core.training import TrainSettings
from jaalnet_core.widgets.live import LiveTraining

folder, number = tempfile.TemporaryDirectory(prefix="jaalnet-"), itertools.count()
pictures = course.synthetic_pictures(16, 32)
parts = [pictures.take(range(*part)) for part in ((0, 12), (12, 16), (0, 0))]
data = LesionData("few", Path("data"), *parts, (), ())

def view(kind=LiveTraining, epochs=12):
    where = dict(device="cpu", out=Path(folder.name) / str(next(number)))
    return kind(TrainSettings(preset="tiny", size=pictures.size, epochs=epochs, batch_size=2, **where), data)
"""
VIEW = "live = view()"
CELLS = [SETUP, f"{VIEW}\nlive", "'the asking cell'"]
EPOCHS, STEPS = 12, 72
PATIENCE = 100.0  # seconds; a busy machine trains slowly


class View:
    """A live view: its words, its buttons, its pictures."""

    def __init__(self, page, code: str) -> None:
        self.page, self.cell = page, cell_with(page, code)

    @property
    def sentence(self) -> str:
        return self.cell.locator("p[aria-live=polite]").text_content().strip()

    def button(self, name: str):
        return self.cell.get_by_role("button", name=name)

    def says(self, pattern: str, within: float = PATIENCE) -> re.Match:
        """Wait for a sentence; `AssertionError` where it does not come."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            if found := re.search(pattern, self.sentence):
                return found
            time.sleep(0.05)
        raise AssertionError(f"after {within:g} s the view does not say {pattern!r}, but {self.sentence!r}")

    def step(self) -> int:
        """The number of finished steps that stands beside the bar."""
        return int(re.search(rf"step (\d+) of {STEPS}", self.cell.inner_text())[1])

    def alts(self) -> list[str]:
        return self.cell.locator("img").evaluate_all("found => found.map(one => one.alt)")

    def pictured_epoch(self) -> int:
        """The epoch that the pictures are of."""
        return int(re.match(r"Picture 1 after epoch (\d+):", self.alts()[0])[1])


def check_stop(view: View, within: float = PATIENCE, stands_still: float = 3) -> int:
    """Press Stop in the middle of a run: it says that it stopped and where, and it stands still; the step.

    Args:
        within: seconds until it has to say so.
        stands_still: seconds that are waited for another step.

    Raises:
        AssertionError: something else happens, or nothing.
    """
    view.button("Stop").click()
    step = int(view.says(rf"^Stopped after step (\d+) of {STEPS}, \d+ whole epochs; everything is saved\.", within)[1])
    assert 0 < step < STEPS
    until = time.monotonic() + stands_still
    while time.monotonic() < until:
        assert view.step() == step, "it says that it stopped, and goes on"
        time.sleep(0.2)
    assert view.button("Stop").is_disabled()
    assert view.button("Go on").is_enabled()
    return step


def check_epochs_show(view: View, within: float = PATIENCE) -> None:
    """While it runs, sentence, pictures and curves become those of later epochs.

    Args:
        within: seconds until pictures and curves follow the sentence.

    Raises:
        AssertionError: they do not.
    """
    first = int(view.says(r"^Epoch (\d+) of 12: validation Dice 0\.\d+; DA-Net calls")[1])
    view.says(rf"^(Epoch (?!{first} )\d+ of|Finished)")
    until = time.monotonic() + within
    while time.monotonic() < until:
        alts = view.alts()
        if len(alts) == 9 and view.pictured_epoch() > first and not alts[8].startswith(f"Training curves, {first} "):
            assert re.match(r"DA-Net's opinion of picture 1 with LF-Net's drawing, .* mean 0\.\d\d\.", alts[1])
            return
        time.sleep(0.05)
    raise AssertionError(f"after {within:g} s the pictures and curves are still those of epoch {first}: {view.alts()}")


def test_nothing_runs_before_the_button_is_pressed(notebook) -> None:
    view = View(notebook, VIEW)
    assert view.sentence == "Ready: 12 epochs of 12 pictures. Press Start."
    assert view.button("Stop").is_disabled()
    assert view.alts() == []


def test_start_shows_epoch_after_epoch_and_stop_stops(notebook) -> None:
    view = View(notebook, VIEW)
    view.button("Start").click()
    check_epochs_show(view)
    step = check_stop(view)
    asking = rewrite(notebook, "'the asking cell'", "print(live.run.state, live.run.step, 'the asking cell')")
    told(asking, f"stopped {step} the asking cell")
    assert faults(notebook) == []


def test_the_slider_looks_back_by_the_keyboard(notebook) -> None:
    view = View(notebook, VIEW)
    assert view.pictured_epoch() > 1
    handle = view.cell.locator(".noUi-handle")
    handle.focus()
    notebook.keyboard.press("Home")
    until = time.monotonic() + PATIENCE
    while view.pictured_epoch() != 1:
        assert time.monotonic() < until, view.alts()
        time.sleep(0.05)


def test_go_on_by_the_keyboard_finishes_with_every_epoch(notebook) -> None:
    view = View(notebook, VIEW)
    stopped_at = view.step()
    view.button("Go on").focus()
    notebook.keyboard.press("Space")
    view.says(r"^(Going on|Epoch)")
    said = view.says(r"^Finished: 12 epochs in \d+ s of training; best validation Dice (0\.\d{3}), after epoch \d+\.$")
    assert float(said[1]) > 0
    assert view.step() == STEPS > stopped_at
    assert view.alts()[-1].startswith("Training curves, 12 epochs")
    assert view.pictured_epoch() == 1, "who looks back is left in peace"
    view.cell.locator(".noUi-handle").focus()
    notebook.keyboard.press("End")
    until = time.monotonic() + PATIENCE
    while view.pictured_epoch() != EPOCHS:
        assert time.monotonic() < until, view.alts()
        time.sleep(0.05)
    assert view.button("Go on").is_disabled()
    assert view.button("Stop").is_disabled()
    assert faults(notebook) == []


@pytest.mark.parametrize(
    ("broken", "check", "why"),
    [
        (
            "def _stop_pressed(self, button): pass",
            lambda view: check_stop(view, within=5),
            r"after 5 s the view does not say '\^Stopped",
        ),
        (
            "def _stop_pressed(self, button):\n"
            "        self._say(f'Stopped after step {self.run.step} of 72, 0 whole epochs; everything is saved.')\n"
            "        self._say = lambda words: None",
            lambda view: check_stop(view, stands_still=PATIENCE),
            "it says that it stopped, and goes on",
        ),
        (
            "def _end_epoch(self, line, run):\n"
            "        self._say(f\"Epoch {line['epoch']:.0f} of 12: validation Dice 0.5; DA-Net calls\")",
            lambda view: check_epochs_show(view, within=5),
            "after 5 s the pictures and curves are still",
        ),
    ],
    ids=["deaf", "says that it stopped, and does not", "pictures that never come"],
)
def test_a_view_that_is_broken_is_seen(notebook, broken: str, check, why: str) -> None:
    code = f"class Broken(LiveTraining):\n    {broken}\nfaulty = view(Broken)\nfaulty.start()\nfaulty"
    rewrite(notebook, "'the asking cell'", f"{code}  # 'the asking cell'")
    view = View(notebook, "faulty = view(Broken)")
    until = time.monotonic() + PATIENCE
    while not re.search(r"step [1-9]", view.cell.inner_text()):
        assert time.monotonic() < until, view.cell.inner_text()
        time.sleep(0.05)
    try:
        with pytest.raises(AssertionError, match=why):
            check(view)
    finally:
        end = rewrite(
            notebook, "'the asking cell'", "faulty.run.stop(); print(faulty.run.wait().epochs, 'the asking cell')"
        )
        assert re.fullmatch(r"\d+ the asking cell", told(end, "the asking cell")), "it left a run behind"
