"""A running JupyterLab: started in a folder of notebooks, asked for pages, rid of its kernels, stopped."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

NO_NEWS = '{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}'
# every cell stays in the page, also those far from what is seen, so that a test can look at all of them
ALL_CELLS = '{"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}}'
STARTS_WITHIN = 120  # seconds


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: its address and token."""

    address: str
    token: str

    def page_of(self, notebook: str) -> str:
        """A notebook alone, in a workspace of its own: JupyterLab would open what earlier tests left open as well."""
        workspace = notebook.removesuffix(".ipynb")
        return f"{self.address}/lab/workspaces/{workspace}/tree/{notebook}?token={self.token}"

    def end_kernels(self) -> None:
        """End every kernel with its session, and so give back their memory."""
        for session in json.loads(self._answer("GET", "sessions")):
            self._answer("DELETE", f"sessions/{session['id']}")

    def _answer(self, method: str, what: str) -> bytes:
        asked = Request(f"{self.address}/api/{what}", method=method, headers={"Authorization": f"token {self.token}"})
        with urlopen(asked, timeout=30) as answer:
            return answer.read()


@contextlib.contextmanager
def started(notebooks: Path, settings: Path) -> Iterator[Lab]:
    """JupyterLab in the folder `notebooks`, in the fast profile on synthetic pictures, as long as the block lasts.

    Args:
        settings: an empty folder for its settings and its log.
    """
    (settings / "labconfig").mkdir()
    (settings / "labconfig" / "page_config.json").write_text(NO_NEWS)
    (settings / "labconfig" / "default_setting_overrides.json").write_text(ALL_CELLS)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lab = Lab(f"http://127.0.0.1:{port}", secrets.token_hex(16))
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    command += [f"--IdentityProvider.token={lab.token}", f"--ServerApp.root_dir={notebooks}"]
    course = {"JUPYTER_CONFIG_DIR": str(settings), "JAALNET_PROFILE": "fast", "JAALNET_DATA": "synthetic"}
    with (settings / "log").open("w") as log:
        server = subprocess.Popen(command, env={**os.environ, **course}, stdout=log, stderr=subprocess.STDOUT)
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
