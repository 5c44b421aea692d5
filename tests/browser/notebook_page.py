"""A notebook in JupyterLab, driven as a learner drives it."""

from __future__ import annotations

import re
import time
from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
RUN_WITHIN = 420  # seconds for a whole lesson on a busy machine
_RAISED = re.compile(r"Traceback \(most recent call last\)|^\w*(Error|Exception|Interrupt): ", re.M)
IDLE = ".jp-Notebook-ExecutionIndicator[data-status=idle]"


def open_lesson(page, lab, notebook: str) -> None:
    """Open a lesson and wait until its cells are there and its kernel answers (a restart before that hangs)."""
    page.goto(lab.page_of(notebook), wait_until="domcontentloaded")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=120_000)
    page.wait_for_selector(IDLE, timeout=120_000)
    page.wait_for_selector("text=| Idle", timeout=120_000)


def restart_and_run_all(page) -> None:
    """Menu Run, `Restart Kernel and Run All Cells…`, confirm, and wait until the last cell has run."""
    page.click(".jp-Notebook", position={"x": 5, "y": 5})
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Restart Kernel and Run All Cells…").click()
    page.click(".jp-Dialog button.jp-mod-accept")
    page.wait_for_selector(IDLE, state="detached")  # the old numbers are still there until the kernel is back
    until = time.monotonic() + RUN_WITHIN
    while time.monotonic() < until:
        idle = page.locator(IDLE).count()
        numbers = prompts(page)
        if idle and numbers == [f"[{i}]:" for i in range(1, len(numbers) + 1)]:
            return
        if idle and errors(page):  # the cells below it will never run
            raise AssertionError(f"the notebook stopped at an error: {errors(page)[0][-1000:]}")
        time.sleep(0.5)
    raise AssertionError(f"the lesson did not run to its end in {RUN_WITHIN} s: {prompts(page)}")


def prompts(page) -> list[str]:
    """What stands left of the code cells."""
    return page.eval_on_selector_all(".jp-CodeCell .jp-InputPrompt", "found => found.map(one => one.textContent)")


def errors(place) -> list[str]:
    """The text of every error output of a page or a cell. It looks like what is printed to stderr; the words decide."""
    red = place.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").all_text_contents()
    return [text for text in red if _RAISED.search(text)]


def overflowing(page) -> list[str]:
    """Outputs and prose that are wider than the place they have, by their first words."""
    return page.eval_on_selector_all(
        ".jp-RenderedHTMLCommon, .jp-RenderedText, .jp-OutputArea-output",
        """found => found.filter(one => one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 2)
                         .map(one => one.textContent.trim().slice(0, 60))""",
    )


def broken_pictures(page) -> list[str]:
    """Pictures that did not load, or have no words for who cannot see them; JupyterLab calls those `Image`."""
    return page.eval_on_selector_all(
        ".jp-OutputArea-output img",
        """found => found.filter(one => !one.complete || one.naturalWidth == 0 || !one.alt || one.alt == "Image")
                         .map(one => one.alt || one.src.slice(0, 40))""",
    )


def cell_with(page, code: str):
    """The cell whose code holds some text, scrolled into view."""
    cell = page.locator(".jp-CodeCell", has_text=code).last
    cell.scroll_into_view_if_needed()
    return cell


def rewrite(page, code: str, new: str):
    """Replace the code of the cell that holds `code`, by the keyboard, and run it to its end; the cell.

    Raises:
        AssertionError: the cell did not take the code or did not run, or it ended with an error.
    """
    cell = cell_with(page, code)
    number = page.locator(".jp-CodeCell").evaluate_all("(all, one) => all.indexOf(one)", cell.element_handle())
    cell = page.locator(".jp-CodeCell").nth(number)  # it need not hold `code` any longer
    editor = cell.locator(".cm-content")
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(new)
    until = time.monotonic() + 10
    while (typed := editor.inner_text()).split() != new.split():
        assert time.monotonic() < until, f"the cell did not take {new!r}; it holds {typed!r}"
        time.sleep(0.05)
    run(page, cell)
    return cell


def run(page, cell, within: float = 100) -> None:
    """Run a cell by the keyboard, and wait for its end: what it showed before is gone then.

    Raises:
        AssertionError: it did not run, or ended with an error.
    """
    prompt = cell.locator(".jp-InputPrompt")
    before, until = prompt.text_content(), time.monotonic() + within
    cell.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    while not re.fullmatch(r"\[\d+\]:", number := prompt.text_content()) or number == before:
        assert time.monotonic() < until, f"after {within:g} s the cell has not run; {number} stands beside it"
        time.sleep(0.05)
    assert not errors(cell), f"the cell ended with an error: {errors(cell)[0][-1000:]}"


def told(cell, expected: str, within: float = 30) -> str:
    """What a cell prints, once that holds what is expected, on one line."""
    said, until = "", time.monotonic() + within
    while time.monotonic() < until:
        said = " ".join(" ".join(cell.locator(".jp-OutputArea-output").all_inner_texts()).split())
        if expected in said:
            return said
        time.sleep(0.1)
    raise AssertionError(f"after {within} s the cell does not say {expected!r}, but: {said!r}")


def code_cells(name: str) -> list[str]:
    """The code of a lesson's cells."""
    return [cell.source for cell in nbformat.read(NOTEBOOKS / name, as_version=4).cells if cell.cell_type == "code"]
