"""Rubrics add up, and tables are shown and pasted alike."""

from __future__ import annotations

import pytest

from jaalnet_core.course.projects import BUDGET_RUBRIC, FAILURES_RUBRIC
from jaalnet_core.course.projects.tables import Table
from jaalnet_core.errors import SettingsError


@pytest.mark.parametrize("rubric", [BUDGET_RUBRIC, FAILURES_RUBRIC])
def test_a_rubric_adds_up(rubric) -> None:
    full = [criterion.most for criterion in rubric.criteria]
    assert rubric.total(full) == rubric.most == 20
    assert rubric.total([0] * len(full)) == 0
    for criterion in rubric.criteria:
        points = [level for level, _ in criterion.levels]
        assert points == sorted(set(points))
        assert len({words for _, words in criterion.levels}) == len(points)
    with pytest.raises(SettingsError, match=f"{rubric.criteria[0].name}: found 3, expected one of 0, 2, 4"):
        rubric.total([3, *full[1:]])
    with pytest.raises(SettingsError, match="found 1 numbers"):
        rubric.total([4])


def test_a_rubrics_table_holds_every_level() -> None:
    table = str(BUDGET_RUBRIC.table())
    for criterion in BUDGET_RUBRIC.criteria:
        assert all(words in table for _, words in criterion.levels)
    assert len({line.count("|") for line in table.splitlines() if line.startswith("|")}) == 1
    assert "20 points in all" in table


def test_a_notebook_shows_a_table_and_nothing_in_it_is_markup() -> None:
    shown = Table(("a", "b"), (("**4**: `x < y`", "<img>"),), note="so | so")._repr_html_()
    assert "<b>4</b>: <code>x &lt; y</code>" in shown
    assert "&lt;img&gt;" in shown
    assert shown.count("<td") == shown.count("<th ") == 2
    assert "<p>so | so</p>" in shown
    with pytest.raises(ValueError, match="found 1 cells, expected 2"):
        Table(("a", "b"), (("c",),))
