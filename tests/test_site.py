"""The site, but for the browser: what its checks find, how panels and diagrams become pictures, what it describes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "docs" / "site"
sys.path.insert(0, str(SITE))

import make_site  # noqa: E402
from checked_pages import faults  # noqa: E402
from diagrams import drawing_of, sources, text_alternative, with_drawings  # noqa: E402
from latex2mathml.converter import convert  # noqa: E402
from still_widgets import STATE, VIEW, controls, still, with_stills  # noqa: E402

SOUND = '<html><body id="top"><h1 id="a">A</h1>{}</body></html>'
LESSONS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def site_of(folder: Path, body: str) -> list[str]:
    """The faults of a site of two pages, one of which has `body`."""
    (folder / "sub").mkdir()
    (folder / "other.html").write_text(SOUND.format('<p id="here">there</p>'))
    (folder / "sub" / "page.html").write_text(SOUND.format(body))
    return faults(folder)


# ---- the checks of built pages ----


@pytest.mark.parametrize(
    "body",
    [
        '<a href="../other.html">b</a><a href="../other.html#here">b</a><a href="#a">b</a><a href="#">top</a>',
        '<a href="https://example.org/x">a link out may be followed</a><a href="mailto:a@example.org">b</a>',
        '<img src="data:image/png;base64,AAAA" alt="a lesion"><img src="../other.html?x=1" alt="b">',
        '<link rel="canonical" href="https://example.org/">',
    ],
)
def test_sound_pages_have_no_fault(tmp_path: Path, body: str) -> None:
    assert site_of(tmp_path, body) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<a href="../othr.html">b</a>', "'../othr.html' leads nowhere"),
        ('<a href="../other.html#gone">b</a>', "leads to no place on its page"),
        ('<a href="#gone">b</a>', "leads to no place on its page"),
        ('<img src="gone.png" alt="a lesion">', "'gone.png' leads nowhere"),
        ('<img src="../other.html">', "a picture has no words"),
        ('<img src="../other.html" alt=" ">', "a picture has no words"),
        ('<script src="https://example.org/x.js"></script>', "would load https://example.org/x.js"),
        ('<img src="//example.org/x.png" alt="a">', "would load //example.org/x.png"),
        ('<link rel="stylesheet" href="https://example.org/x.css">', "would load"),
        ('<link rel="preconnect" href="https://example.org">', "would load"),
        ('<p style="background: url(https://example.org/x.png)">x</p>', "would load"),
        ('<style>@import "https://example.org/x.css";</style>', "would load"),
        ('<svg><image href="https://example.org/x.png"/></svg>', "would load"),
        ('<iframe src="https://example.org"></iframe>', "would load"),
    ],
)
def test_a_fault_is_found(tmp_path: Path, body: str, expected: str) -> None:
    (found,) = site_of(tmp_path, body)
    assert expected in found
    assert found.startswith("sub/page.html: ")


def test_a_style_sheet_that_loads_from_elsewhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "x.css").write_text("@font-face { src: url('https://example.org/f.woff2'); }")
    (found,) = site_of(tmp_path, "")
    assert "x.css: would load https://example.org/f.woff2" in found


def test_a_folder_without_a_page_is_no_sound_site(tmp_path: Path) -> None:
    assert "no page" in faults(tmp_path)[0]


def test_another_folder_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert make_site.main([str(tmp_path)]) == 1
    assert "something else" in capsys.readouterr().err
    assert (tmp_path / "mine.txt").read_text() == "mine"


# ---- panels ----


def model(name: str, **state: object) -> dict[str, object]:
    return {"model_name": name, "state": state}


PANEL = {
    "box": model(
        "VBoxModel", children=["IPY_MODEL_slider", "IPY_MODEL_row", "IPY_MODEL_said", "IPY_MODEL_bar", "IPY_MODEL_on"]
    ),
    "slider": model("FloatSliderModel", description="blur & noise", value=1.0, min=0.0, max=2.5),
    "row": model("HBoxModel", children=["IPY_MODEL_clicked", "IPY_MODEL_picture"]),
    "clicked": model(
        "AnyModel", source="data:image/png;base64,AA", alt='a "cross"', label="x", value=[9, 4], size=[20, 10]
    ),
    "picture": model("HTMLModel", value='<img src="data:image/png;base64,BB" alt="an outline">', description=""),
    "said": model("HTMLModel", value='<p aria-live="polite">Dice 0.9</p>'),
    "on": model("CheckboxModel", description="CBAM", value=True),
    "bar": model("FloatProgressModel", description="epoch", value=3.0, min=0.0, max=9.0),
}


def test_a_panel_stands_still_with_its_picture_its_words_and_its_controls() -> None:
    shown = still("box", PANEL)
    assert 'src="data:image/png;base64,BB" alt="an outline"' in shown
    assert 'alt="a &quot;cross&quot;"' in shown
    assert "top: 47.5%; left: 45.0%" in shown
    assert "<p>Dice 0.9</p>" in shown
    assert "<span>☑ CBAM</span>" in shown
    assert "blur &amp; noise (0 to 2.5)" in shown
    assert list(controls("box", PANEL)) == ["blur & noise (0 to 2.5)", "a click on the picture, or the arrow keys"]


def test_a_panel_that_kept_nothing_is_a_fault_and_not_a_gap() -> None:
    cell = {"source": ["x = 1\n", "my_panel(x)"], "outputs": [{"data": {VIEW: {"model_id": "gone"}}}]}
    notebook = {"metadata": {"widgets": {STATE: {"state": PANEL}}}, "cells": [cell]}
    (fault,) = with_stills(notebook)
    assert "'my_panel(x)'" in fault
    assert "jaalnet lessons run" in fault


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem[:2])
def test_every_panel_of_the_lessons_can_stand_still(lesson: Path) -> None:
    notebook = json.loads(lesson.read_text(encoding="utf-8"))
    panels = sum(VIEW in output.get("data", {}) for cell in notebook["cells"] for output in cell.get("outputs", ()))
    assert with_stills(notebook) == []
    text = json.dumps(notebook)
    assert text.count("still-widget") == panels
    assert VIEW not in text
    assert STATE not in text


# ---- diagrams and formulas ----


def markdown(lesson: Path) -> str:
    cells = json.loads(lesson.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem[:2])
def test_every_diagram_is_drawn_and_has_words(lesson: Path) -> None:
    complaints: list[str] = []
    text = with_drawings(markdown(lesson), complaints.append)
    assert complaints == []
    assert "```mermaid" not in text
    for source in sources(markdown(lesson)):
        drawing = drawing_of(source).read_text(encoding="utf-8")
        assert drawing.startswith("<svg")
        assert re.match(r"<svg[^>]* width=\"\d+\" height=\"\d+\">", drawing)
        assert text_alternative(source) in text


def test_a_diagram_that_was_changed_has_to_be_drawn_again() -> None:
    (source,) = sources(markdown(LESSONS[0]))
    complaints: list[str] = []
    text = with_drawings(f"```mermaid\n{source}    X --> Y\n```\n", complaints.append)
    assert "draw_diagrams.py" in complaints[0]
    assert "X --> Y" in text


def test_every_formula_becomes_mathml() -> None:
    found = [formula for lesson in LESSONS for formula in re.findall(r"\$\$?([^$`]+)\$\$?", markdown(lesson))]
    assert len(found) > 50
    for formula in found:
        element = convert(formula)
        assert element.startswith("<math")
        assert "\\" not in re.sub("<[^>]*>", "", element), formula


# ---- what is described ----


def described() -> list[str]:
    pages = (SITE / "api").glob("*.md")
    return [name for page in pages for name in re.findall(r"automodule:: (\S+)", page.read_text(encoding="utf-8"))]


def test_the_reference_describes_what_a_researcher_imports_and_every_panel() -> None:
    from jaalnet_core import _MODULES

    names = described()
    assert len(names) == len(set(names))
    wanted = {f"jaalnet_core.{module}" for module in _MODULES.values()} - {"jaalnet_core.training"}  # re-exports
    code = "\n".join(lesson.read_text(encoding="utf-8") for lesson in LESSONS)
    panels = set(re.findall(r"from (jaalnet_core\.widgets\.\w+) import", code))
    assert len(panels) > 5
    wanted |= panels
    assert wanted <= set(names), wanted - set(names)


def test_a_change_of_any_page_is_a_reason_to_build_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("docs/site", "notebooks", "data", "checkpoints", "reports/published"):
        (tmp_path / name).mkdir(parents=True)
    for name in (*make_site.ALONE, "README.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.setattr(make_site, "ROOT", tmp_path)
    before = make_site.fingerprint()
    assert make_site.fingerprint() == before
    (tmp_path / "notebooks" / "README.md").write_text("new")
    after = make_site.fingerprint()
    assert after != before
    (tmp_path / "README.md").write_text("other")
    assert make_site.fingerprint() != after


@pytest.mark.long
def test_a_broken_link_between_lessons_stops_the_build(tmp_path: Path) -> None:
    """The real build of the real course, with one link and one panel spoiled."""
    names = ["docs", "notebooks", "jaalnet_core", "checkpoints/shipped", "reports/published", "README.md"]
    names += ["CONTRIBUTING.md", "CHANGELOG.md", "pyproject.toml", *make_site.ALONE]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    lesson = tmp_path / "notebooks" / LESSONS[3].name
    text = lesson.read_text(encoding="utf-8")
    assert "(02_contour_attention.ipynb)" in text
    lesson.write_text(text.replace("(02_contour_attention.ipynb)", "(02_contours.ipynb)"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, tmp_path / "docs/site/make_site.py"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "02_contours.ipynb" in done.stderr
    assert not (tmp_path / "site").exists()
