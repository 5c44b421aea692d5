"""A real JupyterLab on a copy of the lessons, and a page of headless Chromium in front of it."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NO_NEWS = '{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}'
# every cell stays in the page, also those far from what is seen, so that a test can look at all of them
ALL_CELLS = '{"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}}'
STARTS_WITHIN = 120  # seconds
SCREENSHOTS = ROOT / "reports" / "browser"  # ignored by git; only of tests that failed


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: its address and token."""

    address: str
    token: str

    def page_of(self, notebook: str) -> str:
        """A notebook alone, in a workspace of its own: JupyterLab would open what earlier tests left open as well."""
        workspace = notebook.removesuffix(".ipynb")
        return f"{self.address}/lab/workspaces/{workspace}/tree/{notebook}?token={self.token}"


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
    settings = tmp_path_factory.mktemp("jupyter")
    (settings / "labconfig").mkdir()
    (settings / "labconfig" / "page_config.json").write_text(NO_NEWS)
    (settings / "labconfig" / "default_setting_overrides.json").write_text(ALL_CELLS)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lab = Lab(f"http://127.0.0.1:{port}", secrets.token_hex(16))
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    command += [f"--IdentityProvider.token={lab.token}", f"--ServerApp.root_dir={project / 'notebooks'}"]
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(settings), "JAALNET_PROFILE": "fast"}
    with (settings / "log").open("w") as log:
        server = subprocess.Popen(
            command, env={**environment, "JAALNET_DATA": "synthetic"}, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait_for(lab, server, settings / "log")
            yield lab
        finally:
            server.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(20)
            server.kill()


def _wait_for(lab: Lab, server: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(OSError), urlopen(f"{lab.address}/api?token={lab.token}", timeout=5):
            return
        time.sleep(0.5)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def chromium() -> Iterator:
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
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, request: pytest.FixtureRequest) -> Iterator:
    """A page as wide as a laptop's; a failing test leaves its picture in reports/browser/."""
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(60_000)
    yield page
    if getattr(request.node, "failed", False):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{re.sub(r'[^a-z0-9]+', '-', request.node.name.lower())}.png")
    page.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    if call.when == "call":
        item.failed = report.failed
    return report
