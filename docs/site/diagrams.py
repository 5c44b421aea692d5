"""Mermaid diagrams on the site: drawn beforehand, in JupyterLab, and kept as SVG files in `diagrams/`.

The pages need no script for them, and the build no browser. A drawing is found by a hash of its source, so that a
diagram that was changed and not drawn again fails the build. `draw_diagrams.py` draws what is missing.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DRAWN = Path(__file__).resolve().parent / "diagrams"
FENCE = re.compile(r"^```mermaid\n(?P<source>.*?)^```$", re.DOTALL | re.MULTILINE)


def sources(text: str) -> Iterator[str]:
    """The Mermaid source of every fenced diagram in a Markdown text."""
    return (found["source"] for found in FENCE.finditer(text))


def drawing_of(source: str) -> Path:
    """Where the drawing of a diagram is kept, drawn or not."""
    return DRAWN / f"{hashlib.sha256(source.encode()).hexdigest()[:16]}.svg"


def text_alternative(source: str) -> str:
    """What the diagram says in words: its `accTitle` and `accDescr`, empty where it has neither."""
    found = (re.search(rf"^\s*{name}:\s*(.+)$", source, re.MULTILINE) for name in ("accTitle", "accDescr"))
    return ": ".join(match[1].strip() for match in found if match)


def with_drawings(text: str, complain: Callable[[str], None]) -> str:
    """Markdown with its Mermaid fences replaced by their drawings.

    Args:
        complain: told, in a sentence, of a diagram that was never drawn or has no words for who cannot see it; its
            source then stays on the page.
    """

    def replaced(fence: re.Match[str]) -> str:
        source = fence["source"]
        drawing, words = drawing_of(source), text_alternative(source)
        if not drawing.is_file():
            first = words.split(":")[0] or source.strip().splitlines()[0]
            complain(f"the diagram {first!r} has no drawing; run: python docs/site/draw_diagrams.py")
            return f"```text\n{source}```"
        if not words:
            complain(f"the diagram {drawing.name} has no words: give it accTitle and accDescr")
        place = "/" + drawing.relative_to(ROOT).as_posix()
        frame = '<div class="diagram pst-scrollable-table-container">'  # the theme lets the keyboard reach those
        return f"{frame}\n\n:::{{image}} {place}\n:alt: {html.unescape(words)}\n:::\n\n</div>\n"

    return FENCE.sub(replaced, text)
