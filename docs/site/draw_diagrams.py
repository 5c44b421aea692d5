"""Draw the course's Mermaid diagrams for the site, in JupyterLab: `python docs/site/draw_diagrams.py`.

Needs JupyterLab and Chromium, as `make test-browser` does. All diagrams are shown in one scratch notebook, the SVG that
JupyterLab made of each is written to `docs/site/diagrams/`, and drawings that nothing asks for any more are deleted.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote
from urllib.request import urlopen

import nbformat
from diagrams import DRAWN, ROOT, drawing_of, sources
from playwright.sync_api import Page, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WITHIN = 120  # seconds for JupyterLab to start, and for all diagrams to be drawn
SETTINGS = {
    "page_config.json": '{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}',
    "default_setting_overrides.json": '{"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}}',
}


def main() -> int:
    """Draw what is missing, delete what is left over, and say what was done."""
    wanted = {drawing_of(source): source for source in all_sources()}
    missing = {place: source for place, source in wanted.items() if not place.is_file()}
    if missing:
        DRAWN.mkdir(exist_ok=True)
        for place, svg in zip(missing, drawn_in_jupyterlab(list(missing.values())), strict=True):
            place.write_text(svg + "\n", encoding="utf-8")
    left_over = [path for path in DRAWN.glob("*.svg") if path not in wanted]
    for path in left_over:
        path.unlink()
    print(f"{len(wanted)} diagrams: {len(missing)} drawn, {len(left_over)} old drawings deleted")
    return 0


def all_sources() -> list[str]:
    """The diagrams of every lesson and document."""
    texts = []
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        texts += [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown"]
    for folder in (ROOT, ROOT / "docs"):
        texts += [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md"))]
    return [source for text in texts for source in sources(text)]


def drawn_in_jupyterlab(diagrams: list[str]) -> list[str]:
    """The SVG of each diagram."""
    with tempfile.TemporaryDirectory() as scratch, lab(Path(scratch), diagrams) as address, sync_playwright() as driver:
        named = os.environ.get("JAALNET_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
        browser = driver.chromium.launch(executable_path=named, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address, wait_until="domcontentloaded")
        found = [svg_of(source) for source in pictures_of(page, len(diagrams))]
        browser.close()
    return found


def pictures_of(page: Page, count: int) -> list[str]:
    """The `src` of every drawn diagram, once there are `count`."""
    until = time.monotonic() + WITHIN
    while time.monotonic() < until:
        pictures = page.locator(".jp-RenderedMermaid img")
        if pictures.count() == count:
            return pictures.evaluate_all("found => found.map(one => one.src)")
        time.sleep(0.5)
    raise SystemExit(f"JupyterLab drew {pictures.count()} of {count} diagrams in {WITHIN} s")


def svg_of(source: str) -> str:
    """The SVG in a `data:` address, without its prologue, its size in pixels where a page looks for it."""
    whole = unquote(source)
    svg = whole[whole.index("<svg") : whole.rindex("</svg>") + len("</svg>")]
    width, height = re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', svg).groups()
    head, rest = svg.split(">", 1)
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)
    return f'{head} width="{float(width):.0f}" height="{float(height):.0f}">{rest}'


@contextlib.contextmanager
def lab(folder: Path, diagrams: list[str]) -> Iterator[str]:
    """JupyterLab on a notebook that holds the diagrams; gives the notebook's address."""
    cells = [nbformat.v4.new_markdown_cell(f"```mermaid\n{source}```") for source in diagrams]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "diagrams.ipynb")
    (folder / "labconfig").mkdir()
    for name, text in SETTINGS.items():
        (folder / "labconfig" / name).write_text(text)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token, address = secrets.token_hex(16), f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    command += [f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, env={**os.environ, "JUPYTER_CONFIG_DIR": str(folder)}, **quiet)
    try:
        until = time.monotonic() + WITHIN
        while time.monotonic() < until and server.poll() is None:
            with contextlib.suppress(OSError), urlopen(f"{address}/api?token={token}", timeout=5):
                break
            time.sleep(0.5)
        yield f"{address}/lab/tree/diagrams.ipynb?token={token}"
    finally:
        server.terminate()
        server.wait(20)


if __name__ == "__main__":
    sys.exit(main())
