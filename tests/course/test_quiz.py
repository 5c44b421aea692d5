"""The quiz: every right answer in several spellings, every wrong one with its reason, and the blank."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from jaalnet_core.course.outcome import Outcome
from jaalnet_core.course.quiz import Question, Quiz, same
from jaalnet_core.course.quizzes.lesson00 import QUESTIONS


@pytest.mark.parametrize("number", range(1, len(QUESTIONS) + 1))
def test_the_right_answer_is_right_the_blank_is_none_and_mistakes_are_named(number: int, capsys) -> None:
    question = QUESTIONS[number - 1]
    quiz = Quiz(QUESTIONS)
    quiz.answer(number, question.answer)
    assert quiz.outcomes == {number: Outcome.PASSED}
    quiz.answer(number)
    assert quiz.outcomes == {number: Outcome.NOT_ATTEMPTED}
    for wrong, why in question.mistakes:
        capsys.readouterr()
        quiz.answer(number, wrong)
        assert quiz.outcomes == {number: Outcome.NOT_YET}
        said = " ".join(capsys.readouterr().out.split())
        assert why in said
        assert "To recall: " in said


# what the questions say, worked out by the libraries themselves
TRUTH = {
    1: lambda: torch.zeros(4, 3, 128, 96).permute(0, 2, 3, 1).shape,
    2: lambda: (np.array([200], np.uint8) + np.array([100], np.uint8))[0],
    3: lambda: (torch.ones(2, 8, 4, 4) * torch.ones(2, 8, 1, 1)).shape,
    4: lambda: torch.nn.Conv2d(1, 1, 3, stride=2, padding=1)(torch.zeros(1, 1, 128, 128)).shape[-1],
    5: lambda: sum(p.numel() for p in torch.nn.Conv2d(3, 16, kernel_size=3).parameters()),
    6: lambda: torch.sigmoid(torch.tensor(0.0)),
    7: lambda: torch.nn.functional.binary_cross_entropy(torch.tensor(0.5), torch.tensor(1.0)),
    8: lambda: torch.softmax(torch.rand(4, 5), dim=-1).sum(),
    9: lambda: torch.autograd.grad((x := torch.tensor(3.0, requires_grad=True)) ** 2, x)[0],
    10: lambda: (torch.ones(1, requires_grad=True) * 2).detach().requires_grad,
    12: lambda: 50 / (100 + 100 - 50),
}


@pytest.mark.parametrize("number", TRUTH)
def test_the_answers_are_what_the_libraries_say(number: int) -> None:
    question = QUESTIONS[number - 1]
    assert same(TRUTH[number](), question.answer, question.tolerance)


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
