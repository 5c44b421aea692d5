"""The course as a site, in Chromium: axe on every page in both colours, a phone's width, search, nothing from outside.

Pages are opened from the disk, as who has no network opens them. One visit of a page serves all tests of it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
SERIOUS = ("serious", "critical")
PHONE, DESK = {"width": 375, "height": 812}, {"width": 1280, "height": 900}
# one style sheet colours all code: its words are looked at on these pages and joined on the others, to save minutes
COLOURED = ("03_dense_residual_and_depthwise_blocks", "looking_inside")
JOINED = ".highlight pre, .sig-param, .sig-return"
LESSON = "notebooks/03_dense_residual_and_depthwise_blocks.html"


@dataclass
class Visit:
    """What was seen on one page.

    Attributes:
        asked: addresses outside the site that the page asked for.
        hurdles: serious and critical findings of axe, as `colour: rule: element`.
        wider: what is wider than a phone, empty where nothing is.
        broken: pictures that did not load.
        errors: what the page's scripts complained about.
    """

    asked: list[str] = field(default_factory=list)
    hurdles: list[str] = field(default_factory=list)
    wider: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def site() -> Path:
    """The built site; a build that is up to date takes no time."""
    folder = ROOT / "site"
    subprocess.run([sys.executable, ROOT / "docs" / "site" / "make_site.py", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def tab(chromium) -> Iterator:
    """One page of the browser for all visits."""
    tab = chromium.new_page(viewport=DESK)
    tab.set_default_timeout(60_000)
    yield tab
    tab.close()


def visit(tab, path: Path) -> Visit:
    """Open a page at a desk and look at it in both colours, then at a phone's width."""
    seen = Visit()

    def note_request(request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            seen.asked.append(request.url)

    def note_error(error) -> None:
        seen.errors.append(str(error))

    tab.on("request", note_request)
    tab.on("pageerror", note_error)
    tab.set_viewport_size(DESK)
    tab.goto(path.as_uri(), wait_until="load")
    tab.add_style_tag(content="* { transition: none !important }")  # no colour is measured on its way
    tab.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    if path.stem not in COLOURED:
        tab.evaluate(
            "all => document.querySelectorAll(all).forEach(one => { one.textContent = one.textContent })", JOINED
        )
    seen.hurdles += hurdles(tab, "light")
    seen.hurdles += hurdles(tab, "dark", {"runOnly": {"type": "rule", "values": ["color-contrast"]}})
    seen.broken = tab.eval_on_selector_all(
        "img", "found => found.filter(one => one.complete && !one.naturalWidth).map(one => one.alt.slice(0, 80))"
    )
    tab.set_viewport_size(PHONE)
    seen.wider = tab.evaluate(
        """() => {
            const wide = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= wide) return [];
            return [...document.querySelectorAll("main *")].filter(one => one.getBoundingClientRect().right > wide + 1)
                .slice(0, 3).map(one => one.outerHTML.slice(0, 100)).concat("the page scrolls sideways");
        }"""
    )
    tab.remove_listener("request", note_request)
    tab.remove_listener("pageerror", note_error)
    return seen


def hurdles(tab, colour: str, options: dict | None = None) -> list[str]:
    """Axe's serious and critical findings in one colour."""
    tab.evaluate("colour => { document.documentElement.dataset.theme = colour }", colour)
    only = {"resultTypes": ["violations"]}  # what passes is not written out: half of the time
    found = Axe().run(tab, options=only | (options or {})).response["violations"]
    return [
        f"{colour}: {finding['id']}: {node['html'][:160]}"
        for finding in found
        if finding["impact"] in SERIOUS
        for node in finding["nodes"]
    ]


def pages_of(site: Path) -> list[Path]:
    """Every page for readers; the forwarding page has nothing to read."""
    forward = site / "README.html"
    return [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts and path != forward]


@pytest.fixture(scope="module")
def visits(site: Path, tab) -> dict[str, Visit]:
    """Every page of the site, visited once."""
    return {path.relative_to(site).as_posix(): visit(tab, path) for path in pages_of(site)}


def told(visits: dict[str, Visit], what: str) -> list[str]:
    return [f"{name}: {one}" for name, seen in visits.items() for one in getattr(seen, what)]


def test_every_lesson_and_document_has_a_page(visits) -> None:
    lessons = [path.stem for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")]
    assert {f"notebooks/{stem}.html" for stem in lessons} <= visits.keys()
    assert {
        "index.html",
        "CONTRIBUTING.html",
        "docs/teaching/README.html",
        "docs/site/api/networks.html",
    } <= visits.keys()


def test_nothing_serious_stands_in_anybodys_way(visits) -> None:
    assert told(visits, "hurdles") == []


def test_no_page_asks_another_machine_for_anything(visits) -> None:
    assert told(visits, "asked") == []


def test_no_page_is_wider_than_a_phone(visits) -> None:
    assert told(visits, "wider") == []


def test_every_picture_loads_and_no_script_fails(visits) -> None:
    assert told(visits, "broken") == []
    assert told(visits, "errors") == []


@pytest.mark.parametrize(
    ("spoiled", "seen_as"),
    [
        ('<button style="width: 9px"></button>', "hurdles"),
        ('<p style="color: #aaa; background: #fff">hardly to be read</p>', "hurdles"),
        ('<p class="pale">pale on a dark page</p><style>[data-theme=dark] .pale { color: #333 }</style>', "hurdles"),
        ('<div style="width: 900px">too wide</div>', "wider"),
        ('<script src="http://127.0.0.1:9/x.js"></script>', "asked"),
        ('<img src="gone.png" alt="a lesion">', "broken"),
        ("<script>gone()</script>", "errors"),
    ],
)
def test_a_page_spoiled_on_purpose_is_seen(site: Path, tab, spoiled: str, seen_as: str) -> None:
    page = site / "docs" / "site" / "spoiled.html"
    shutil.copy(site / "docs" / "site" / "reading.html", page)
    try:
        text = page.read_text(encoding="utf-8")
        page.write_text(re.sub("<article[^>]*>", lambda found: found[0] + spoiled, text, count=1), encoding="utf-8")
        seen = visit(tab, page)
    finally:
        page.unlink()
    assert [name for name in vars(seen) if getattr(seen, name)] == [seen_as]


def test_the_search_finds_a_lesson_by_the_keyboard(site: Path, page) -> None:
    page.goto((site / "index.html").as_uri())
    page.keyboard.press("Control+k")
    page.keyboard.type("gram matrix")
    page.keyboard.press("Enter")
    found = page.locator("#search-results a", has_text="Lesson 4")
    found.first.wait_for()
    found.first.click()
    page.wait_for_url(re.compile("04_position_and_channel_attention"))
    assert page.locator("h1").first.inner_text().startswith("Lesson 4")


def test_what_the_search_finds_on_the_front_page_leads_there(site: Path, page) -> None:
    page.goto((site / "README.html").as_uri() + "#results")
    page.wait_for_url(re.compile(r"index\.html#results$"))


def test_the_colours_are_changed_by_the_button_and_kept(site: Path, page) -> None:
    page.goto((site / LESSON).as_uri())
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.get_by_role("button", name="Color mode").click()
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.wait_for_function("was => getComputedStyle(document.body).backgroundColor != was", arg=ground)
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_solutions_are_folded_away_until_they_are_asked_for(site: Path, page) -> None:
    page.goto((site / LESSON).as_uri())
    code = page.locator("details", has_text="A solution of exercise 3.1").locator("pre").first
    assert not code.is_visible()
    assert page.locator("details[open]").count() == 0
    page.locator("summary", has_text="A solution of exercise 3.1").focus()
    page.keyboard.press("Enter")
    code.wait_for(state="visible")


def test_a_panel_stands_still_with_its_picture_and_its_controls(site: Path, page) -> None:
    page.goto((site / LESSON).as_uri())
    panel = page.locator("figure.still-widget")
    assert panel.locator("img").evaluate("one => one.naturalWidth") > 300
    assert "channels read" in panel.locator("figcaption").inner_text()


def test_on_a_phone_the_menu_opens_and_leads_to_a_lesson(site: Path, page) -> None:
    page.set_viewport_size(PHONE)
    page.goto((site / "index.html").as_uri())
    menu = page.locator(".bd-sidebar-primary a:visible", has_text="Lesson 2")
    assert menu.count() == 0
    page.locator("button.primary-toggle:visible").click()
    menu.first.wait_for()
    menu.first.click()
    page.wait_for_url(re.compile("02_contour_attention"))
