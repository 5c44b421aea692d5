"""Every exercise: its solution and other right answers pass, its blank is no attempt, wrong ones fail for a reason."""

from __future__ import annotations

import functools
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from exercise_cases import Cases, Fault, all_cases, answers_from, as_answers, cases_of, cells_of

from jaalnet_core.convolution_cost import saving
from jaalnet_core.course.exercise import all_exercises, find_exercise, lessons_with_exercises
from jaalnet_core.course.judging import UNREADABLE, judged
from jaalnet_core.course.outcome import Outcome

EXERCISES = [exercise.number for exercise in all_exercises()]
SEEDS = (0, 1, 2, 3, 4)
CASES = all_cases()


def named(kind: str) -> list:
    """Every case of a kind, as a test's parameters."""
    return [
        pytest.param(number, case, id=f"{number}-{name}")
        for number, cases in CASES.items()
        for name, case in getattr(cases, kind).items()
    ]


def test_lessons_1_to_8_have_three_exercises_and_cases_for_each() -> None:
    assert set(range(1, 9)) <= set(lessons_with_exercises())
    for lesson in lessons_with_exercises():
        numbers = [number for number in EXERCISES if number.startswith(f"{lesson}.")]
        assert numbers == [f"{lesson}.{place}" for place in range(1, len(numbers) + 1)]
        assert len(numbers) >= 3
        assert list(cases_of(lesson)) == numbers
        assert list(cells_of(lesson)) == numbers


@pytest.mark.parametrize("number", EXERCISES)
def test_there_are_two_right_and_four_wrong_answers_each_with_a_reason_of_its_own(number: str) -> None:
    cases: Cases = CASES[number]
    assert len(cases.right) >= 2
    assert len(cases.wrong) >= 4
    reasons = [fault.reason for fault in cases.wrong.values()]
    assert all(len(reason) >= 10 for reason in reasons)
    assert len(set(reasons)) >= min(4, len(reasons)), "the wrong answers share one reason"


@pytest.mark.parametrize("number", EXERCISES)
def test_the_solution_passes_in_seconds(number: str) -> None:
    exercise = find_exercise(number)
    answers = answers_from(exercise, cells_of(exercise.lesson)[number].solution_source)
    started = time.process_time()
    for seed in SEEDS:
        assert judged(exercise, answers, seed) == (Outcome.PASSED, "")
    assert (time.process_time() - started) / len(SEEDS) < 5


@pytest.mark.parametrize("number", EXERCISES)
def test_the_stub_is_no_attempt(number: str) -> None:
    exercise = find_exercise(number)
    answers = answers_from(exercise, cells_of(exercise.lesson)[number].stub.source)
    assert judged(exercise, answers) == (Outcome.NOT_ATTEMPTED, "")


@pytest.mark.parametrize(("number", "answer"), named("right"))
def test_another_right_answer_passes(number: str, answer: object) -> None:
    for seed in SEEDS:
        assert judged(find_exercise(number), as_answers(answer), seed) == (Outcome.PASSED, "")


@pytest.mark.parametrize(("number", "fault"), named("wrong"))
def test_a_wrong_answer_fails_for_its_reason(number: str, fault: Fault) -> None:
    for seed in SEEDS:
        outcome, why = judged(find_exercise(number), as_answers(fault.answer), seed)
        assert outcome is Outcome.NOT_YET
        assert fault.reason in why
        assert UNREADABLE not in why


@pytest.mark.parametrize(("number", "answer"), named("own"))
def test_the_packages_own_component_is_refused(number: str, answer: object) -> None:
    outcome, why = judged(find_exercise(number), as_answers(answer))
    assert outcome is Outcome.NOT_YET
    assert "jaalnet_core." in why
    assert "write this one yourself" in why


def leaning_on_the_package(answer: Callable[..., Any]) -> Callable[..., Any]:
    """A right answer that calls a function of the package on its way."""

    @functools.wraps(answer, updated=())
    def lean(*args: Any, **kwargs: Any) -> Any:
        saving(3, 3)
        return answer(*args, **kwargs)

    return lean


@pytest.mark.parametrize("number", EXERCISES)
def test_a_right_answer_that_leans_on_the_package_is_refused(number: str) -> None:
    exercise = find_exercise(number)
    answers = answers_from(exercise, cells_of(exercise.lesson)[number].solution_source)
    leaning = tuple(leaning_on_the_package(answer) if callable(answer) else answer for answer in answers)
    outcome, why = judged(exercise, leaning, 0)
    assert outcome is Outcome.NOT_YET
    assert "uses jaalnet_core.convolution_cost.saving: write this one yourself" in why


ODD = {
    "a string": "lesion",
    "a list": [1, "two"],
    "an empty tensor": torch.zeros(0),
    "a number": 3.7,
    "not a number": torch.full((2, 3), float("nan")),
    "truth values": torch.ones(2, 2, dtype=torch.bool),
    "a dictionary": {"dice": "high", 1: None},
    "a function": len,
    "a thing": object(),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("number", EXERCISES)
def test_an_odd_result_gets_words_and_no_traceback(number: str, odd: object) -> None:
    """Whatever a function returns, and whatever a class makes: not yet, and no error."""
    exercise = find_exercise(number)
    answers = answers_from(exercise, cells_of(exercise.lesson)[number].solution_source)
    strange = tuple((lambda *_, **__: odd) if callable(answer) else answer for answer in answers)
    outcome, why = judged(exercise, strange, 0)
    assert outcome is Outcome.NOT_YET
    assert why


@pytest.mark.parametrize("number", EXERCISES)
def test_a_check_leaves_random_numbers_and_threads_as_they_were(number: str) -> None:
    exercise = find_exercise(number)
    answers = answers_from(exercise, cells_of(exercise.lesson)[number].solution_source)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    judged(exercise, answers)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_solutions_are_formatted_as_the_notebooks_are(tmp_path: Path) -> None:
    for number in EXERCISES:
        source = cells_of(find_exercise(number).lesson)[number].solution_source
        (tmp_path / f"exercise_{number.replace('.', '_')}.py").write_text(f"{source}\n")
    for rule in (["format", "--diff"], ["check", "--select", "E501"]):
        ruff = [sys.executable, "-m", "ruff", *rule, "--line-length", "96", "--isolated", str(tmp_path)]
        done = subprocess.run(ruff, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("number", EXERCISES)
def test_hints_do_not_hold_the_solution(number: str) -> None:
    exercise = find_exercise(number)
    lines = [line.strip() for line in cells_of(exercise.lesson)[number].solution_source.splitlines()]
    for line in lines:
        if len(line) > 50 and not line.startswith(("#", "def ", '"""', "class ")):
            assert all(line not in hint for hint in exercise.hints)
