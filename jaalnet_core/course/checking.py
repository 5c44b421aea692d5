"""What a learner calls in an exercise: check, hint; and grade, which a teacher's hidden tests call."""

from __future__ import annotations

from typing import Any

from jaalnet_core.course import record
from jaalnet_core.course.exercise import find_exercise
from jaalnet_core.course.judging import judged
from jaalnet_core.course.outcome import Outcome, say


def check(number: str, *answers: Any) -> None:
    """Judge the answers to an exercise and print the outcome: passed, not yet and why, or not attempted.

    Shapes and weights are random, and others in every check. A check changes nothing in the notebook; an attempt is
    kept in the learner's record (`progress`).

    Args:
        number: of the exercise, such as `"3.1"`.
        answers: the functions, classes or values that its task names.

    Raises:
        JaalnetError: there is no such exercise.
    """
    exercise = find_exercise(number)
    outcome, why = judged(exercise, answers)
    if outcome is Outcome.PASSED:
        say(f"Exercise {exercise.number}: passed.")
    elif outcome is Outcome.NOT_YET:
        say(f"Exercise {exercise.number}: not yet. {why}")
        given = record.hints_given(exercise.number)
        if given < len(exercise.hints):
            say(f'course.hint("{exercise.number}") gives hint {given + 1} of {len(exercise.hints)}.')
    else:
        say(
            f"Exercise {exercise.number}: not attempted. Put your code in the place of the three dots or of "
            "`raise NotImplementedError`, run that cell, and then this one again."
        )
    record.record_check(exercise.number, outcome)


def hint(number: str) -> None:
    """Print one more hint for an exercise; after the last, all of them again.

    Raises:
        JaalnetError: there is no such exercise.
    """
    exercise = find_exercise(number)
    given = record.record_hint(exercise.number, len(exercise.hints))
    if given <= len(exercise.hints):
        say(f"Hint {given} of {len(exercise.hints)} for exercise {exercise.number}: {exercise.hints[given - 1]}")
        return
    say(f"All hints for exercise {exercise.number}, once more:")
    for place, words in enumerate(exercise.hints, 1):
        say(f"{place}. {words}")
    say("Still stuck? The course's own notebook has a solution folded away after the check.")


def grade(number: str, *answers: Any) -> None:
    """Pass silently where the answers to an exercise are right: what the hidden tests of a graded notebook call.

    Raises:
        AssertionError: they are not, or there are none; the message says why.
        JaalnetError: there is no such exercise.
    """
    exercise = find_exercise(number)
    outcome, why = judged(exercise, answers)
    if outcome is not Outcome.PASSED:
        raise AssertionError(f"Exercise {exercise.number}: {outcome.value}. {why}".rstrip())
