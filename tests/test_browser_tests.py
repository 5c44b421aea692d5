"""Every lesson is run in a browser, and every widget that a lesson shows is driven there. Needs no browser itself."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
LESSONS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
TESTS = "\n".join(path.read_text() for path in (ROOT / "tests" / "browser").glob("test_*.py"))
IMPORT = re.compile(r"^from jaalnet_core\.widgets(?:\.(\w+))? import (.+)$", re.M)


def shown_widgets() -> set[str]:
    """The modules of `jaalnet_core.widgets` that lessons import something from."""
    found: set[str] = set()
    for lesson in LESSONS:
        cells = nbformat.read(lesson, as_version=4).cells
        code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        for module, names in IMPORT.findall(code):
            found |= {module} if module else {name.strip() for name in names.split(",")}
    return found


def test_every_lesson_is_run() -> None:
    assert len(LESSONS) == 11
    assert sorted(set(re.findall(r'^LESSON = "(.*\.ipynb)"$', TESTS, re.M))) == [lesson.name for lesson in LESSONS]


@pytest.mark.parametrize("widget", sorted(shown_widgets()))
def test_every_widget_is_driven(widget: str) -> None:
    names = [widget]
    module = ROOT / "jaalnet_core" / "widgets" / f"{widget}.py"
    if module.is_file():
        parts = ast.parse(module.read_text()).body
        names += [
            part.name for part in parts if isinstance(part, ast.FunctionDef | ast.ClassDef) and part.name[0] != "_"
        ]
    used = [name for name in names if re.search(rf"\b{name}[(),]", TESTS)]
    assert used, f"{widget}: no browser test shows any of {', '.join(names)}"
