"""Numbers that a lesson's prose quotes, and whether a cell of the same lesson proves them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from jaalnet_core.course.lessons import COMPARED, FACTS, NAVIGATION, tagged

# what holds numbers that are no claims: code, formulas, links, pictures, HTML tags, identifiers of papers
_NO_CLAIMS = re.compile(
    r"```.*?```|~~~.*?~~~|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|!?\[[^\]]*\]\([^)]*\)|<[^>]+>|doi \S+|https?://\S+"
    r"|\b[Ee]xercises? \d+\.\d+(?:(?:, | and | or )\d+\.\d+)*",
    re.DOTALL,
)
_NUMBER = re.compile(r"(?<![\w.,/x×-])(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|\d+)(?![\w/]|\.\d|,\d|[x×]\d)")
_YEAR = re.compile(r"(19|20)\d\d")


def unproved(notebook: Any) -> list[str]:
    """Numbers quoted in prose that appear in no compared output and in no cell with an `assert`.

    A quoted number is one with a decimal point, or with three digits and more; percentages are looked for as
    fractions as well. Years, and what stands in code, formulas, links or tags, are no quotes.

    Returns:
        the numbers as the prose writes them, each once, with the start of its sentence.
    """
    proved = _proved(notebook)
    generated = {id(cell) for tag in (FACTS, NAVIGATION) for cell in tagged(notebook, tag)}
    found = {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and id(cell) not in generated:
            for number, percent, around in quoted_numbers(cell.source):
                if not _is_in(number, percent, proved):
                    found.setdefault(number, around)
    return [f"{number} (…{around}…)" for number, around in found.items()]


def quoted_numbers(text: str) -> Iterator[tuple[str, bool, str]]:
    """The numbers that a text claims: as written, whether a percentage, and the words around it."""
    text = _NO_CLAIMS.sub(" ", text)
    for match in _NUMBER.finditer(text):
        number = match[1]
        digits = number.replace(",", "")
        if ("." in digits or len(digits) >= 3) and not _YEAR.fullmatch(number):
            percent = bool(re.match(r"\s*(%|percent)", text[match.end() :]))
            yield number, percent, " ".join(text[max(0, match.start() - 30) : match.end() + 20].split())


def _proved(notebook: Any) -> set[str]:
    """Numbers, without thousands' commas, in compared outputs and in the code of cells that assert."""
    texts = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        if COMPARED in cell.metadata.get("tags", []):
            texts += [_text(output) for output in cell.outputs]
        if _asserts(cell.source):
            texts.append(cell.source)
    return {
        number.replace(",", "").replace("_", "") for text in texts for number in re.findall(r"\d[\d,_]*\.?\d*", text)
    }


def _is_in(number: str, percent: bool, proved: set[str]) -> bool:
    value = number.replace(",", "")
    spellings = {value, value.rstrip("0").rstrip(".") if "." in value else value}
    if percent:
        decimals = len(value.partition(".")[2])
        spellings.add(f"{float(value) / 100:.{decimals + 2}f}")
    normal = {other.rstrip(".") for other in proved}
    return any(spelling in normal for spelling in spellings)


def _asserts(source: str) -> bool:
    try:
        return any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(source)))
    except SyntaxError:  # a magic or shell line: nothing is proved by it
        return False


def _text(output: Any) -> str:
    if output.output_type == "stream":
        return output.text
    data = output.get("data", {})
    return "\n".join(str(data[kind]) for kind in ("text/plain", "text/markdown") if kind in data)
