"""A table that a notebook shows as such, and that can be pasted into a report as Markdown."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

_STYLE = "text-align: left; vertical-align: top"


@dataclass(frozen=True, repr=False)
class Table:
    """Cells of text; `str(table)` is Markdown, a notebook shows HTML. `**bold**` and `` `code` `` are kept in both.

    Attributes:
        head: titles of the columns.
        rows: as many cells each.
        note: a line below.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.head):
                raise ValueError(f"row {row}: found {len(row)} cells, expected {len(self.head)}.")

    def __str__(self) -> str:
        lines = [self.head, ("---",) * len(self.head), *self.rows]
        table = "\n".join("| " + " | ".join(_on_a_line(cell) for cell in row) + " |" for row in lines)
        return f"{table}\n\n{self.note}" if self.note else table

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f'<th style="{_STYLE}">{_as_html(cell)}</th>' for cell in self.head)
        rows = (
            "<tr>" + "".join(f'<td style="{_STYLE}">{_as_html(cell)}</td>' for cell in row) + "</tr>"
            for row in self.rows
        )
        note = f"<p>{_as_html(self.note)}</p>" if self.note else ""
        return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n" + "\n".join(rows) + f"\n</tbody></table>{note}"


def _on_a_line(cell: str) -> str:
    return " ".join(cell.replace("|", "/").split())


def _as_html(text: str) -> str:
    escaped = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", html.escape(text))
    return re.sub(r"`(.+?)`", r"<code>\1</code>", escaped)
