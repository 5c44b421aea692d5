"""How the files of the repository become pages: what is changed on the way, and where the front page goes.

Lessons and documents are read where they lie, so that the links between them hold on the site as they do in a clone.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import ClassVar

from diagrams import with_drawings
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util import logging
from still_widgets import with_stills

LOG = logging.getLogger(__name__)
FRONT = "README"
FORWARD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>JAAL-Net course</title>
<script>location.replace("index.html" + location.search + location.hash)</script></head>
<body><main><h1>JAAL-Net course</h1><p>This page is <a href="index.html">the front page</a>.</p></main></body></html>
"""
CONTENTS = Path(__file__).with_name("contents.md")


class SiteBuilder(StandaloneHTMLBuilder):
    """Pages as Sphinx writes them, the README as the front page."""

    name = "html"
    supported_image_types: ClassVar[list[str]] = [*StandaloneHTMLBuilder.supported_image_types, "image/webp"]

    def get_target_uri(self, docname: str, typ: str | None = None) -> str:
        """The address of a page from the site's root."""
        return super().get_target_uri("index" if docname == FRONT else docname, typ)

    def get_output_path(self, page_name: str, /) -> Path:
        """The file of a page."""
        return super().get_output_path("index" if page_name == FRONT else page_name)


def read_source(app: Sphinx, docname: str, source: list[str]) -> None:
    """Prepare a file's text: still panels and drawn diagrams; the README gets the list of all pages."""

    def complain(words: str) -> None:
        LOG.warning(words, location=docname)

    if app.env.doc2path(docname).suffix == ".ipynb":
        notebook = json.loads(source[0])
        for fault in with_stills(notebook):
            complain(fault)
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = with_drawings("".join(cell["source"]), complain)
        source[0] = json.dumps(notebook, ensure_ascii=False)
    else:
        source[0] = with_drawings(source[0], complain)
    if docname == FRONT:
        head, mark, rest = source[0].partition("\n## ")
        source[0] = f"{head}\n\n{CONTENTS.read_text(encoding='utf-8')}{mark}{rest}"
        app.env.note_dependency(str(CONTENTS))


def check_alternatives(app: Sphinx, document: nodes.document) -> None:
    """A picture in the text needs words for who cannot see it."""
    for image in document.findall(nodes.image):
        if not image.get("alt") or re.fullmatch(r"\S+\.\w{3,4}", image["alt"]):
            LOG.warning("the picture %s has no words for who cannot see it", image["uri"], location=image)


def write_forward(app: Sphinx, exception: Exception | None) -> None:
    """The search knows the front page by the name of its file: send whoever comes from there on."""
    if exception is None:
        (Path(app.outdir) / f"{FRONT}.html").write_text(FORWARD, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the builder and the changes."""
    app.add_builder(SiteBuilder, override=True)
    app.connect("source-read", read_source)
    app.connect("doctree-read", check_alternatives)
    app.connect("build-finished", write_forward)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
