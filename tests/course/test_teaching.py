"""The teacher's pages say what lessons, exercises and rubrics say: numbers in them are held against their source."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from jaalnet_core.course.exercise import exercises_of
from jaalnet_core.course.lessons import find_lessons
from jaalnet_core.course.projects import BUDGET_RUBRIC, FAILURES_RUBRIC

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "teaching"
LESSONS = {lesson.number: lesson for lesson in find_lessons(ROOT / "notebooks")}
EXERCISES = {exercise.number: exercise for number in LESSONS for exercise in exercises_of(number)}
WEEKS = ((0, 1), (2, 3), (4, 5), (6,), (7, 8), (9, 10))


def page(name: str) -> str:
    return (PAGES / name).read_text(encoding="utf-8")


def between(text: str, mark: str) -> str:
    return text.split(f"<!-- {mark} -->\n")[1].split(f"<!-- /{mark} -->")[0]


def weeks() -> str:
    """A row a week: minutes of the lessons' own headings, and of all their exercises."""
    rows = ["| week | lessons | minutes to read and play | minutes of exercises |", "| --- | --- | --- | --- |"]
    read = solved = 0
    for week, numbers in enumerate(WEEKS, 1):
        links = ", ".join(f"[{number:02d}](../../notebooks/{LESSONS[number].path.name})" for number in numbers)
        minutes = sum(LESSONS[number].minutes for number in numbers)
        work = sum(exercise.minutes for number in numbers for exercise in exercises_of(number))
        rows.append(f"| {week} | {links} | {minutes} | {work or 'the project'} |")
        read, solved = read + minutes, solved + work
    rows.append(f"| in all | | {read} | {solved}, and the project |")
    return "\n".join(rows) + "\n"


def rubrics() -> str:
    return f"### Project A\n\n{BUDGET_RUBRIC.table()}\n\n### Project B\n\n{FAILURES_RUBRIC.table()}\n"


@pytest.mark.parametrize(("name", "mark", "made"), [("plans.md", "weeks", weeks), ("README.md", "rubrics", rubrics)])
def test_tables_are_those_of_their_source(name: str, mark: str, made) -> None:
    assert between(page(name), mark) == made(), f"{name}: put between the marks\n{made()}"


@pytest.mark.parametrize("name", ["plans.md", "misconceptions.md"])
def test_every_exercise_named_is_there(name: str) -> None:
    named = set(re.findall(r"(?<![\d.])([1-8]\.\d)(?![\d.])", re.sub(r"`[^`]*`", "", page(name)))) - {"91.2", "91.5"}
    assert named
    assert named <= set(EXERCISES), sorted(named - set(EXERCISES))


def test_minutes_beside_an_exercise_are_its_own() -> None:
    beside = re.findall(r"([1-8]\.\d) \((\d+)\)", page("plans.md"))
    assert len(beside) == 6
    for number, minutes in beside:
        assert EXERCISES[number].minutes == int(minutes), number


def test_the_one_day_plan_fits_the_clock() -> None:
    day = page("plans.md").split("## One day")[1].split("## Six weeks")[0]
    blocks = [
        (int(h) * 60 + int(m), int(length)) for h, m, length in re.findall(r"^\| (\d\d):(\d\d) \| (\d+)", day, re.M)
    ]
    assert len(blocks) == 10
    for (start, length), (following, _) in itertools.pairwise(blocks):
        assert start + length == following
    for number, length in {0: 30, 1: 50, 3: 60, 5: 40, 6: 80, 7: 70}.items():
        worked = sum(int(m) for n, m in re.findall(r"([1-8]\.\d) \((\d+)\)", day) if n.startswith(f"{number}."))
        assert length - worked <= LESSONS[number].minutes, number


def test_sections_that_are_pointed_to_exist() -> None:
    for part in page("misconceptions.md").split("\n## ")[1:]:
        number = int(part[:2])
        headings = re.findall(
            r"\\n\",\s*\"#+ ([^\"\\]+)|\"#+ ([^\"\\]+)", LESSONS[number].path.read_text(encoding="utf-8")
        )
        there = [one or other for one, other in headings]
        pointed = re.findall(r"sections? ((?:\"[^\"]+\"(?: and |, )?)+)", part)
        for quoted in (name for group in pointed for name in re.findall(r"\"([^\"]+)\"", group)):
            assert any(heading.startswith(quoted) for heading in there), f"lesson {number}: {quoted}"
