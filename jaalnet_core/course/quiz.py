"""Questions that a learner answers by typing a value: right, not yet and why, or not attempted."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from jaalnet_core.course import quizzes, record
from jaalnet_core.course.outcome import Outcome, say
from jaalnet_core.errors import JaalnetError


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        asks: the question, in a sentence or two.
        answer: the right value: a number (compared within `tolerance`), a truth value, a tuple of integers (a
            shape), or a word (case and spaces do not matter).
        refresher: what to recall, printed after a wrong answer and on demand.
        mistakes: values that people give, each with why it is tempting.
        tolerance: largest distance of a number from the answer.
    """

    asks: str
    answer: Any
    refresher: str
    mistakes: Sequence[tuple[Any, str]] = ()
    tolerance: float = 0.0


@dataclass
class Quiz:
    """A list of questions and what became of each.

    quiz.answer(1, 0.5)
    quiz.summary()

    Attributes:
        questions: numbered from 1.
        lesson: whose quiz this is, for the learner's record; None keeps no record.
        outcomes: of the questions that were answered.
    """

    questions: Sequence[Question]
    lesson: int | None = None
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    def ask(self, number: int) -> None:
        """Print a question.

        Raises:
            IndexError: there is no question of that number; they start at 1.
        """
        say(f"Question {number}. {self._question(number).asks}")

    def answer(self, number: int, value: Any = ...) -> None:
        """Take an answer and print what becomes of it. `...` is no answer yet.

        Raises:
            IndexError: there is no question of that number; they start at 1.
        """
        question = self._question(number)
        if value is ...:
            self.outcomes[number] = Outcome.NOT_ATTEMPTED
            say(f"{number}: not attempted. Put your answer in the place of the three dots and run the cell again.")
        elif same(value, question.answer, question.tolerance):
            self.outcomes[number] = Outcome.PASSED
            say(f"{number}: right.")
        else:
            self.outcomes[number] = Outcome.NOT_YET
            why = next((why for wrong, why in question.mistakes if same(value, wrong, question.tolerance)), "")
            say(f"{number}: not yet. {why}".rstrip())
            self.refresher(number)
        if self.lesson is not None:
            record.record_answer(self.lesson, number, self.outcomes[number])

    def refresher(self, number: int) -> None:
        """Print what to recall for a question, without answering it."""
        say(f"To recall: {self._question(number).refresher}")

    def summary(self) -> None:
        """Print how many questions had which outcome, and which are worth another look."""
        count = dict.fromkeys(Outcome, 0)
        for number in range(1, len(self.questions) + 1):
            count[self.outcomes.get(number, Outcome.NOT_ATTEMPTED)] += 1
        words = {Outcome.PASSED: "right", Outcome.NOT_YET: "not yet", Outcome.NOT_ATTEMPTED: "not attempted"}
        say(f"{len(self.questions)} questions: " + ", ".join(f"{n} {words[outcome]}" for outcome, n in count.items()))
        again = [str(n) for n, outcome in sorted(self.outcomes.items()) if outcome is Outcome.NOT_YET]
        if again:
            say(f"Worth another look: {', '.join(again)}.")

    def _question(self, number: int) -> Question:
        if not 1 <= number <= len(self.questions):
            raise IndexError(f"question {number}: there are questions 1 to {len(self.questions)}.")
        return self.questions[number - 1]


def quiz(lesson: int) -> Quiz:
    """The quiz of a lesson.

    Raises:
        JaalnetError: that lesson has none.
    """
    if (questions := questions_of(lesson)) is None:
        raise JaalnetError(f"lesson {lesson}: found no quiz of that lesson, expected one of 0 to 8")
    return Quiz(questions, lesson)


def questions_of(lesson: int) -> tuple[Question, ...] | None:
    """The questions of a lesson's quiz; None for a lesson without."""
    module = f"{quizzes.__name__}.lesson{lesson:02d}"
    if importlib.util.find_spec(module) is None:
        return None
    return importlib.import_module(module).QUESTIONS


def same(value: Any, expected: Any, tolerance: float = 0.0) -> bool:
    """Whether a learner's value is the expected one, in any reasonable spelling.

    A tensor of one number is that number; a `torch.Size` or list of integers is a tuple; words are compared
    without case or surrounding spaces. A truth value is no number, and a number no truth value.
    """
    value = _plain(value)
    if isinstance(expected, str) or isinstance(value, str):
        return isinstance(value, str) and isinstance(expected, str) and value.strip().lower() == expected.lower()
    if isinstance(expected, bool) or isinstance(value, bool):
        return isinstance(value, bool) and value is expected
    if isinstance(expected, tuple) or isinstance(value, tuple):
        return isinstance(value, tuple) and value == expected
    return isinstance(value, (int, float)) and abs(value - expected) <= tolerance


def _plain(value: Any) -> Any:
    if isinstance(value, torch.Tensor) and value.numel() == 1:
        return value.item()
    if isinstance(value, (list, tuple)):  # torch.Size is a tuple too
        return tuple(_plain(item) for item in value)
    convert: Callable[[], Any] | None = getattr(value, "item", None)  # NumPy's scalars
    return convert() if callable(convert) and getattr(value, "ndim", None) == 0 else value
