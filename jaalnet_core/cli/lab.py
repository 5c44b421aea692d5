"""Open JupyterLab on this machine only, with a token, at the first lesson (or the notebooks folder)."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from jaalnet_core.errors import JaalnetError


@dataclass(frozen=True)
class Settings:
    """Settings of `jaalnet lab`."""

    notebooks: Path = Path("notebooks")
    """the folder of notebooks"""
    port: int = 8888
    """the first port to try"""
    browser: bool = True
    """open a browser window"""


def run(settings: Settings) -> int:
    """Start JupyterLab and stay until it ends; its exit status is ours."""
    command = lab_command(settings)
    if importlib.util.find_spec("jupyterlab") is None:
        raise JaalnetError("JupyterLab is not installed; pip install -e '.[course]' (or: make install)")
    try:
        return subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:  # JupyterLab has had the same Ctrl-C and ends by itself
        return 0


def lab_command(settings: Settings) -> list[str]:
    """The words that start JupyterLab: on localhost, with Jupyter's own random token.

    Raises:
        JaalnetError: the notebooks folder is missing.
    """
    folder = settings.notebooks
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing"
        raise JaalnetError(f"--notebooks {folder}: found {found}, expected the folder of notebooks of a checkout")
    lessons = sorted(folder.glob("00*.ipynb"))
    start = f"/lab/tree/{lessons[0].name}" if lessons else "/lab"
    command = [sys.executable, "-m", "jupyterlab", "--ip=localhost", f"--port={settings.port}"]
    command += [f"--ServerApp.root_dir={folder.resolve()}", f"--ServerApp.default_url={start}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container everybody is root, and Jupyter would refuse to start
    return command if settings.browser else [*command, "--no-browser"]
