"""The quiz: every right answer in several spellings, every wrong one with its reason, and the blank."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest
import torch

from jaalnet_core.course.outcome import Outcome
from jaalnet_core.course.quiz import Question, Quiz, questions_of, quiz, same
from jaalnet_core.course.quizzes.lesson00 import QUESTIONS
from jaalnet_core.errors import JaalnetError

LESSONS = tuple(lesson for lesson in range(12) if questions_of(lesson) is not None)


def every(lessons: tuple[int, ...] = LESSONS) -> list:
    """Each question of each quiz, as a test's parameters."""
    return [
        pytest.param(lesson, number, question, id=f"lesson {lesson}, question {number}")
        for lesson in lessons
        for number, question in enumerate(questions_of(lesson) or (), 1)
    ]


def truth_of(lesson: int) -> dict:
    return importlib.import_module(f"cases.quiz_lesson{lesson:02d}").TRUTH


def test_every_lesson_has_a_quiz() -> None:
    assert set(LESSONS) >= set(range(10))
    assert quiz(3).lesson == 3
    with pytest.raises(JaalnetError, match="lesson 77: found no quiz"):
        quiz(77)


@pytest.mark.parametrize(("lesson", "number", "question"), every())
def test_the_right_answer_is_right_the_blank_is_none_and_mistakes_are_named(
    lesson: int, number: int, question: Question, capsys
) -> None:
    test = Quiz(questions_of(lesson))
    test.answer(number, question.answer)
    assert test.outcomes == {number: Outcome.PASSED}
    test.answer(number)
    assert test.outcomes == {number: Outcome.NOT_ATTEMPTED}
    for wrong, why in question.mistakes:
        capsys.readouterr()
        test.answer(number, wrong)
        assert test.outcomes == {number: Outcome.NOT_YET}
        said = " ".join(capsys.readouterr().out.split())
        assert " ".join(why.split()) in said
        assert "To recall: " in said


@pytest.mark.parametrize(("lesson", "number", "question"), every())
def test_the_answers_are_what_the_libraries_say(lesson: int, number: int, question: Question) -> None:
    """Every number and shape is worked out another way; words and truth values where that can be done."""
    truth = truth_of(lesson)
    if number in truth:
        assert same(truth[number](), question.answer, question.tolerance)
    else:
        assert isinstance(question.answer, (str, bool)), "worked out nowhere"


def test_batch_normalisation_uses_stored_averages_in_evaluation_mode() -> None:
    norm, values = torch.nn.BatchNorm1d(1).eval(), torch.tensor([[5.0], [7.0]])
    assert torch.allclose(norm(values), values, atol=1e-3)
    assert QUESTIONS[10].answer == "eval"


@pytest.mark.parametrize(
    ("value", "expected", "verdict"),
    [
        (torch.Size([1, 2]), (1, 2), True),
        ([1, 2], (1, 2), True),
        ((2, 1), (1, 2), False),
        (torch.tensor(3.0), 3, True),
        (np.float32(3), 3, True),
        (np.uint8(44), 44, True),
        (0.7, math.log(2), False),
        (True, 1, False),
        (1, True, False),
        (np.bool_(False), False, True),
        (" Eval ", "eval", True),
        ("train", "eval", False),
        (4, "eval", False),
        (None, 4, False),
        (float("nan"), 4, False),
        ((4,), 4, False),
    ],
)
def test_spellings(value, expected, verdict) -> None:
    assert same(value, expected, 0.006) is verdict


def test_the_summary_counts_and_names(capsys) -> None:
    quiz = Quiz([Question("1 + 1?", 2, "count"), Question("2 + 2?", 4, "count"), Question("3 + 3?", 6, "count")])
    quiz.answer(1, 2)
    quiz.answer(2, 5)
    capsys.readouterr()
    quiz.summary()
    out = capsys.readouterr().out
    assert "3 questions: 1 right, 1 not yet, 1 not attempted" in out
    assert "Worth another look: 2." in out


def test_a_number_beyond_the_last_is_refused() -> None:
    with pytest.raises(IndexError, match=r"questions 1 to 12"):
        Quiz(QUESTIONS).answer(13, 1)


def test_lines_fit_a_notebook(capsys) -> None:
    quiz = Quiz(QUESTIONS)
    for number in range(1, len(QUESTIONS) + 1):
        quiz.ask(number)
        quiz.refresher(number)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 96
