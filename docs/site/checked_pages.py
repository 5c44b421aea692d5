"""Look through built pages: links lead somewhere, nothing is loaded from elsewhere, pictures have words.

Sphinx checks the links that it makes itself; here the pages are read as a browser gets them, raw HTML and style sheets
included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"src", "srcset", "data", "poster", "action", "formaction", "background"}  # whatever element carries them
LOADING_LINKS = {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "preconnect", "dns-prefetch", "manifest"}
IN_STYLES = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")


@dataclass
class Page(HTMLParser):
    """What one page refers to.

    Attributes:
        links: addresses that a click follows.
        loads: addresses that the browser fetches by itself.
        ids: where a link may point to.
        without_words: pictures with no text alternative.
    """

    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    without_words: list[str] = field(default_factory=list)
    _in_style: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element refers to."""
        given = {name: value or "" for name, value in attrs}
        self._in_style = tag == "style"
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        self.loads += [given[name] for name in LOADED & given.keys() if name != "action" or given[name]]
        self.loads += styles(given.get("style", ""))
        href = given.get("href", given.get("xlink:href"))
        if href is not None:
            fetched = tag in ("image", "use") or (tag == "link" and LOADING_LINKS & set(given.get("rel", "").split()))
            (self.loads if fetched else self.links).append(href)
        if tag == "img" and not given.get("alt", "").strip():
            self.without_words.append(given.get("src", "")[:60])

    def handle_data(self, data: str) -> None:
        """Style sheets inside the page."""
        if self._in_style:
            self.loads += styles(data)


def styles(text: str) -> list[str]:
    """Addresses in a style sheet."""
    return [first or second for first, second in IN_STYLES.findall(text)]


def faults(site: Path) -> list[str]:
    """Everything that is wrong with the pages of a folder, a line each; empty for a sound site."""
    pages = {path: read(path) for path in sorted(site.rglob("*.html")) if "_static" not in path.parts}
    if not pages:
        return [f"{site}: no page in it"]
    found = []
    for path, page in pages.items():
        name = path.relative_to(site)
        found += [f"{name}: a picture has no words: {source}" for source in page.without_words]
        for address in page.loads:
            if elsewhere(address):
                found.append(f"{name}: would load {address[:120]} from another machine")
        found += [f"{name}: {fault}" for fault in lost(path, page.links + page.loads, pages)]
    for path in sorted(site.rglob("*.css")):
        for address in styles(path.read_text(encoding="utf-8", errors="replace")):
            if elsewhere(address):
                found.append(f"{path.relative_to(site)}: would load {address[:120]} from another machine")
    return found


def read(path: Path) -> Page:
    """Parse one page."""
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def elsewhere(address: str) -> bool:
    """Whether an address names another machine."""
    address = address.strip()
    return address.startswith("//") or urlsplit(address).scheme not in ("", "data", "blob", "javascript")


def lost(path: Path, addresses: list[str], pages: dict[Path, Page]) -> Iterator[str]:
    """Addresses inside the site that lead to no file, or to a place that its page does not have."""
    for address in dict.fromkeys(addresses):
        parts = urlsplit(address.strip())
        if parts.scheme or address.strip().startswith("//"):
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
        target = target / "index.html" if target.is_dir() else target
        if not target.is_file():
            yield f"the link {address!r} leads nowhere"
        elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
            yield f"the link {address!r} leads to no place on its page"
