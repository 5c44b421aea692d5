"""A panel of `jaalnet_core.widgets` in a notebook, driven as a learner drives it: every act has to show."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from notebook_page import cell_with

PATIENCE = 20.0  # seconds until a change has to show
STILL = 0.4  # seconds without another change, the kernel idle, until it counts as the last


class PanelPage:
    """One panel: its controls by their labels, its picture, its sentence.

    Each act waits until the picture and the sentence are others than before and the picture's text alternative is
    the sentence, and returns the sentence. An `AssertionError` says which of the three is not so.
    """

    def __init__(self, page, code: str, patience: float = PATIENCE) -> None:
        """The panel below the last cell that holds `code`.

        Args:
            patience: seconds until a change has to show.
        """
        self.page, self.patience = page, patience
        self.cell = cell_with(page, code)
        self._settled(("", ""), "nothing was done, and")

    @property
    def sentence(self) -> str:
        """What the panel says."""
        return self._now()[0]

    def control(self, label: str):
        """The row of a control."""
        named = self.page.locator(".widget-label", has_text=re.compile(rf"^{re.escape(label)}$"))
        return self.cell.locator(".widget-inline-hbox").filter(has=named)

    def reading(self, label: str) -> str:
        """The number or word that stands right of a slider."""
        return self.control(label).locator(".widget-readout").inner_text()

    def press(self, label: str, key: str, times: int = 1) -> str:
        """Focus a slider and press a key."""

        def act() -> None:
            self.cell.get_by_role("slider", name=label, exact=True).focus()
            for _ in range(times):
                self.page.keyboard.press(key)

        return self.after(act, f"{key} on {label!r}")

    def drag(self, label: str, share: float) -> str:
        """Drag a slider's handle with the mouse to a share (0..1) of its track."""

        def act() -> None:
            handle = self.control(label).locator(".noUi-handle")
            handle.scroll_into_view_if_needed()
            place, track = handle.bounding_box(), self.control(label).locator(".noUi-target").bounding_box()
            height = place["y"] + place["height"] / 2
            self.page.mouse.move(place["x"] + place["width"] / 2, height)
            self.page.mouse.down()
            self.page.mouse.move(track["x"] + track["width"] * share, height, steps=5)
            self.page.mouse.up()

        return self.after(act, f"dragging {label!r}")

    def choose(self, label: str, option: str | int) -> str:
        """Choose from a list, by the option's words or its place."""
        by = {"index": option} if isinstance(option, int) else {"label": option}
        return self.after(lambda: self.control(label).locator("select").select_option(**by), f"choosing {option!r}")

    def tick(self, label: str) -> str:
        """Click a checkbox."""
        box = self.cell.get_by_role("checkbox", name=label)
        return self.after(box.click, f"ticking {label!r}")

    def upload(self, label: str, path: Path) -> str:
        """Press the upload button, choose a file, and wait for its outline."""
        return self.after(lambda: self.give(label, path), f"uploading {path.name}")

    def give(self, label: str, path: Path) -> None:
        """Press the upload button and choose a file, whatever comes of it."""
        with self.page.expect_file_chooser() as chooser:
            self.cell.get_by_role("button", name=label).click()
        chooser.value.set_files(path)

    def refusal(self, act: Callable[[], object]) -> str:
        """Act, and wait until the panel says why it is not possible and shows no picture."""
        act()
        until = time.monotonic() + self.patience
        while time.monotonic() < until:
            said, source, *_ = self._now()
            if said.startswith("Not possible: ") and not source:
                return said
            time.sleep(0.05)
        raise AssertionError(f"after {self.patience:g} s nothing is refused; the panel says: {said!r}")

    def after(self, act: Callable[[], object], name: str) -> str:
        """Act, and wait until picture and sentence have changed; the sentence."""
        before = self._now()[:2]
        act()
        return self._settled(before, name)

    def _settled(self, before: tuple[str, str], name: str) -> str:
        now, since, until = ("", "", "", ""), time.monotonic(), time.monotonic() + self.patience
        while time.monotonic() < until:
            seen = self._now()
            if seen != now:
                now, since = seen, time.monotonic()
            if not _faults(before, now) and now[3] == "idle" and time.monotonic() - since >= STILL:
                return now[0]
            time.sleep(0.05)
        wrong = " and ".join(_faults(before, now)) or "it has not come to rest"
        raise AssertionError(f"{name}: after {self.patience:g} s {wrong}; it says {now[0]!r}")

    def _now(self) -> tuple[str, str, str, str]:
        """Sentence, source and text alternative of the picture, and what the kernel does."""
        return tuple(
            self.cell.evaluate(
                """cell => {
                    const picture = cell.querySelector(".widget-html img");
                    const sentence = cell.querySelector("p[aria-live=polite]");
                    const kernel = document.querySelector(".jp-Notebook-ExecutionIndicator").dataset.status;
                    return [sentence?.textContent.trim() ?? "", picture?.src ?? "", picture?.alt ?? "", kernel];
                }"""
            )
        )


def _faults(before: tuple[str, str], now: tuple[str, str, str, str]) -> list[str]:
    sentence, source, alt, _ = now
    found = []
    if sentence == before[0]:
        found.append("the sentence did not change")
    if source in ("", before[1]):
        found.append("the picture did not change")
    if alt != sentence:
        found.append("the picture's text alternative is not the sentence")
    return found
