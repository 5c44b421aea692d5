"""Check, hint, grade and progress, as a learner calls them, and the record that they keep."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from pathlib import Path

import pytest

from jaalnet_core.course import check, checking, grade, hint, progress, quiz, record
from jaalnet_core.course.exercise import Exercise
from jaalnet_core.course.judging import call, close
from jaalnet_core.course.outcome import Outcome
from jaalnet_core.course.record import FILE


def judge(double) -> None:
    close(call(double, 3), 6, "double(3)")


EXERCISES = {
    number: Exercise(number, "Twice", 1, 5, points, ("What is 3 + 3?", "Add it to itself."), judge)
    for number, points in (("3.1", 1), ("3.2", 3))
}


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch) -> Path:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "03_a_lesson.ipynb").touch()
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.setattr(checking, "find_exercise", EXERCISES.__getitem__)
    return tmp_path


def said(capsys) -> str:
    return " ".join(capsys.readouterr().out.split())


def blank(x):
    raise NotImplementedError


def test_a_check_says_its_outcome_and_keeps_it(workspace: Path, capsys) -> None:
    check("3.1", blank)
    assert said(capsys).startswith("Exercise 3.1: not attempted. Put your code in the place of")
    assert not (workspace / FILE).exists()
    check("3.1", lambda x: x + 1)
    assert said(capsys) == (
        'Exercise 3.1: not yet. double(3): yours is 4, expected 6. course.hint("3.1") gives hint 1 of 2.'
    )
    check("3.1", lambda x: x + x)
    assert said(capsys) == "Exercise 3.1: passed."
    check("3.1", lambda x: x)
    kept = json.loads((workspace / FILE).read_text())
    assert kept == {"exercises": {"3.1": {"attempts": 3, "passed": True}}, "quizzes": {}}


def test_hints_come_one_by_one_and_then_all(workspace: Path, capsys) -> None:
    hint("3.2")
    assert said(capsys) == "Hint 1 of 2 for exercise 3.2: What is 3 + 3?"
    hint("3.2")
    assert said(capsys) == "Hint 2 of 2 for exercise 3.2: Add it to itself."
    check("3.2", lambda x: 0)
    assert "course.hint" not in said(capsys)
    hint("3.2")
    again = said(capsys)
    assert "What is 3 + 3?" in again
    assert "Add it to itself." in again
    assert json.loads((workspace / FILE).read_text())["exercises"]["3.2"]["hints"] == 2


def test_grading_raises_unless_passed_and_keeps_nothing(workspace: Path) -> None:
    grade("3.1", lambda x: 2 * x)
    with pytest.raises(AssertionError, match=r"Exercise 3.1: not yet. double\(3\): yours is 3, expected 6"):
        grade("3.1", lambda x: x)
    with pytest.raises(AssertionError, match=r"Exercise 3.1: not attempted\."):
        grade("3.1", blank)
    assert not (workspace / FILE).exists()


def test_a_quiz_is_kept_once_right_stays_right(workspace: Path, capsys) -> None:
    test = quiz(0)
    right = test.questions[1].answer
    test.answer(2)
    assert not (workspace / FILE).exists()
    for value in (right, "nonsense"):
        test.answer(2, value)
    test.answer(3, "nonsense")
    assert json.loads((workspace / FILE).read_text())["quizzes"] == {"0": {"2": "passed", "3": "not yet"}}


def test_progress_counts_and_says_what_is_next(capsys, monkeypatch) -> None:
    module = sys.modules["jaalnet_core.course.progress"]
    monkeypatch.setattr(module, "lessons_with_exercises", lambda: (3,))
    monkeypatch.setattr(module, "exercises_of", lambda lesson: tuple(EXERCISES.values()))
    monkeypatch.setattr(module, "all_exercises", lambda: iter(EXERCISES.values()))
    monkeypatch.setattr(module, "questions_of", lambda lesson: (1, 2, 3, 4))
    check("3.1", lambda x: 2 * x)
    check("3.2", lambda x: x)
    hint("3.2")
    record.record_answer(3, 1, Outcome.PASSED)
    capsys.readouterr()
    progress()
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["03", "1", "of", "2", "1", "of", "4", "1", "1", "of", "4"]
    assert lines[2] == "Next: exercise 3.2, Twice (tried before)."
    check("3.2", lambda x: 2 * x)
    capsys.readouterr()
    progress()
    assert capsys.readouterr().out.splitlines()[-1] == "Every exercise is passed."


@pytest.mark.parametrize("content", ["{", "[]", '{"exercises": {}}', '{"exercises": {"3.1": 5}, "quizzes": {}}'])
def test_a_damaged_record_is_put_aside_not_overwritten(workspace: Path, capsys, content: str) -> None:
    (workspace / "progress.damaged-1.json").write_text("an earlier one")
    (workspace / FILE).write_text(content)
    check("3.1", lambda x: 2 * x)
    assert "kept as progress.damaged-2.json" in said(capsys)
    assert (workspace / "progress.damaged-2.json").read_text() == content
    assert (workspace / "progress.damaged-1.json").read_text() == "an earlier one"
    assert json.loads((workspace / FILE).read_text())["exercises"]["3.1"]["passed"]


def test_where_nothing_can_be_written_it_says_so_once_and_goes_on(workspace: Path, capsys, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(record, "write_json", refuse)
    check("3.1", lambda x: x)
    assert "Your progress is not kept beyond this notebook" in said(capsys)
    check("3.1", lambda x: 2 * x)
    hint("3.1")
    hint("3.1")
    out = said(capsys)
    assert "not kept" not in out
    assert "passed" in out
    assert "Hint 2 of 2" in out
    assert record.read_progress()["exercises"]["3.1"] == {"attempts": 2, "passed": True, "hints": 2}


def _add_hundred(folder: str, number: str) -> None:
    os.chdir(folder)
    for _ in range(100):
        record.record_check(number, Outcome.NOT_YET)


def test_two_notebooks_at_once_lose_nothing(workspace: Path) -> None:
    context = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")
    workers = [context.Process(target=_add_hundred, args=(str(workspace), number)) for number in ("3.1", "3.1", "3.2")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    kept = record.read_progress()["exercises"]
    assert (kept["3.1"]["attempts"], kept["3.2"]["attempts"]) == (200, 100)
