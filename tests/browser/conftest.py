"""A real JupyterLab on a copy of the lessons, and a page of headless Chromium in front of it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from notebook_page import open_lesson, restart_and_run_all
from running_lab import Lab, started

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SCREENSHOTS = ROOT / "reports" / "browser"  # ignored by git; only of tests that failed
BROWSER = pytest.StashKey()


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a learner opens, so that no test changes the lessons themselves."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    for name in ("checkpoints/shipped", "reports/published"):
        (folder / name).parent.mkdir()
        (folder / name).symlink_to(ROOT / name)
    (folder / "data").mkdir()
    return folder


@pytest.fixture(scope="session")
def lab(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab in the project's notebooks folder, in the fast profile on synthetic pictures."""
    with started(project / "notebooks", tmp_path_factory.mktemp("jupyter")) as lab:
        yield lab


@pytest.fixture(scope="session")
def chromium(request: pytest.FixtureRequest) -> Iterator:
    """Headless Chromium: $JAALNET_CHROMIUM, one on the path, or Playwright's own. None at all is a failure, no skip."""
    from playwright.sync_api import Error, sync_playwright

    named = os.environ.get("JAALNET_CHROMIUM") or next((found for name in NAMES if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
        try:
            browser = playwright.chromium.launch(executable_path=named, args=options)
        except Error as error:
            pytest.fail(
                f"no browser could be started ({error}); install chromium, or run `playwright install chromium`"
            )
        request.session.stash[BROWSER] = browser
        yield browser
        browser.close()


def new_page(chromium):
    """A page as wide as a laptop's."""
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(60_000)
    return page


@pytest.fixture
def page(chromium) -> Iterator:
    """An empty page for one test."""
    page = new_page(chromium)
    yield page
    page.close()


@pytest.fixture(scope="module")
def notebook(request: pytest.FixtureRequest, chromium, lab: Lab, project: Path) -> Iterator:
    """A notebook, run from top to bottom once for all tests of a module.

    The module names a lesson (`LESSON = "00_start_here.ipynb"`) or gives the code of cells of its own (`CELLS`).
    """
    name = getattr(request.module, "LESSON", None)
    if name is None:
        name = f"{request.module.__name__.rpartition('.')[2]}.ipynb"
        cells = [nbformat.v4.new_code_cell(code) for code in request.module.CELLS]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), project / "notebooks" / name)
    page = new_page(chromium)
    open_lesson(page, lab, name)
    restart_and_run_all(page)
    yield page
    page.close()
    lab.end_kernels()  # a lesson's holds a gigabyte


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """A test that fails, or whose notebook does not run, leaves a picture of every open page in reports/browser/."""
    report = yield
    if report.failed and BROWSER in item.session.stash:
        for picture in keep_screenshots(item.session.stash[BROWSER], f"{item.path.stem} {item.name}", SCREENSHOTS):
            report.sections.append(("screenshot", str(picture)))
    return report


def keep_screenshots(browser, name: str, folder: Path) -> list[Path]:
    """Write what every open page shows to `folder`; the paths of the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = []
    for number, page in enumerate(page for context in browser.contexts for page in context.pages):
        path = folder / f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}-{number}.png"
        page.screenshot(path=path, timeout=10_000)
        kept.append(path)
    return kept
