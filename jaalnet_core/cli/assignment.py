"""Make an nbgrader course folder from the lessons: exercises with points, solutions and hidden tests.

nbgrader's generate_assignment, autograde and generate_feedback take it as it is. No file is ever overwritten: run it
again to add lessons, and it lists what it left alone.

    jaalnet assignment ../classroom
    jaalnet assignment ../classroom --lessons 1 3 --exercises-only
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class Settings:
    """Settings of `jaalnet assignment`."""

    folder: Annotated[Path, tyro.conf.Positional]
    """The course folder; made where it is missing, outside the checkout."""
    lessons: tuple[int, ...] = ()
    """Which lessons; all that have exercises when left out."""
    exercises_only: bool = False
    """Only title, imports and exercises of each lesson: grading takes seconds a student instead of up to minutes."""
    course_id: str = "jaal-net"
    """nbgrader's name for the course."""


def run(settings: Settings) -> int:
    """Make or complete it and say what was done, and what comes next; 0."""
    from jaalnet_core.course.assignment import make_course

    made = make_course(
        settings.folder, settings.lessons, exercises_only=settings.exercises_only, course_id=settings.course_id
    )
    for words, paths in (("written", made.written), ("left alone", made.left_alone)):
        for path in paths:
            print(f"{words}: {path}")
    for name, points in made.points.items():
        print(f"{name}: {points} points")
    if importlib.util.find_spec("nbgrader") is None:
        print("nbgrader is not installed; pip install -e '.[classroom]' (or: make install)")
    print(f"Go on:  cd {settings.folder} && nbgrader generate_assignment {made.assignments[0]}")
    return 0
