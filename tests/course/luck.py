"""How often the random draw of a check decides against a right answer, or for a wrong one.

    python tests/course/luck.py                        every right answer, 20 seconds each: some 40 minutes
    python tests/course/luck.py 3 4.2 --seconds 60     those of a lesson, or of one exercise
    python tests/course/luck.py --wrong                the wrong answers instead

Every check draws its shapes, weights and values anew, so one that is right for the five seeds of the tests can still
be unjust to one learner in a thousand. This judges every answer of the cases, and the notebooks' own solutions, with
as many seeds as fit into the seconds, and prints those that were misjudged, with their seed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import torch
from exercise_cases import answers_from, as_answers, cases_of, cells_of

from jaalnet_core.course.exercise import Exercise, all_exercises
from jaalnet_core.course.judging import judged
from jaalnet_core.course.outcome import Outcome

FIRST_SEED = 1000  # the tests have the first ones


def right_answers(exercise: Exercise) -> Iterator[tuple[str, tuple[Any, ...]]]:
    yield "the solution", answers_from(exercise, cells_of(exercise.lesson)[exercise.number].solution_source)
    for name, answer in cases_of(exercise.lesson)[exercise.number].right.items():
        yield name, as_answers(answer)


def wrong_answers(exercise: Exercise) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for name, fault in cases_of(exercise.lesson)[exercise.number].wrong.items():
        yield name, as_answers(fault.answer)


def misjudged(exercise: Exercise, answers: tuple[Any, ...], expected: Outcome, seconds: float) -> tuple[int, list[str]]:
    """How many seeds were tried, and what was said where the outcome was another one."""
    until, said = time.monotonic() + seconds, []
    for tried in itertools.count(1):
        seed = FIRST_SEED + tried
        with contextlib.redirect_stdout(io.StringIO()):
            outcome, why = judged(exercise, answers, seed)
        if outcome is not expected:
            said.append(f"seed {seed}: {outcome.value} {why}".rstrip())
        if time.monotonic() > until:
            return tried, said
    raise AssertionError("count() does not end")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("exercises", nargs="*", help="lessons or exercises, such as 3 or 4.2; all by default")
    parser.add_argument("--seconds", type=float, default=20.0, help="for one answer")
    parser.add_argument("--wrong", action="store_true", help="the wrong answers instead of the right ones")
    options = parser.parse_args()
    torch.set_num_threads(1)
    expected = Outcome.NOT_YET if options.wrong else Outcome.PASSED
    total = 0
    for exercise in all_exercises():
        if options.exercises and not {exercise.number, str(exercise.lesson)} & set(options.exercises):
            continue
        for name, answers in (wrong_answers if options.wrong else right_answers)(exercise):
            tried, said = misjudged(exercise, answers, expected, options.seconds)
            total += len(said)
            print(f"{exercise.number} {name}: {len(said)} of {tried} misjudged", flush=True)
            for words in said[:3]:
                print(f"    {words}", flush=True)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
