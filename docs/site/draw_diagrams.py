"""Draw the course's Mermaid diagrams for the site, in JupyterLab: `python docs/site/draw_diagrams.py`.

Needs JupyterLab and Chromium, as `make test-browser` does. All diagrams are shown in one scratch notebook, the SVG that
JupyterLab made of each is written to `docs/site/diagrams/`, and drawings that nothing asks for any more are deleted.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import unquote

import nbformat
from diagrams import DRAWN, ROOT, drawing_of, sources
from playwright.sync_api import Page, sync_playwright

sys.path.append(str(ROOT / "tests" / "browser"))
from running_lab import started

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WITHIN = 120  # seconds for all diagrams


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
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as driver:
        folder, settings = Path(scratch) / "notebooks", Path(scratch) / "settings"
        folder.mkdir()
        settings.mkdir()
        cells = [nbformat.v4.new_markdown_cell(f"```mermaid\n{source}```") for source in diagrams]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "diagrams.ipynb")
        named = os.environ.get("JAALNET_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
        browser = driver.chromium.launch(executable_path=named, args=["--no-sandbox", "--disable-gpu"])
        with started(folder, settings) as lab:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(lab.page_of("diagrams.ipynb"), wait_until="domcontentloaded")
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


if __name__ == "__main__":
    sys.exit(main())
