"""Keep the lessons in order: run them and keep their outputs, check them against the house rules, renew the map.

jaalnet lessons run 02 03: run these two in the fast profile on synthetic pictures, and write them with outputs.
jaalnet lessons check: every rule on every lesson. jaalnet lessons map: the table of notebooks/README.md.
jaalnet lessons memory --kernels 4 --lesson 3: four kernels of it at once, and what a room of thirty would take.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

if TYPE_CHECKING:
    from jaalnet_core.course.lessons import Lesson


@dataclass(frozen=True)
class Settings:
    """Settings of `jaalnet lessons`."""

    action: tyro.conf.Positional[Literal["run", "check", "map", "memory"]]
    """what to do"""
    numbers: Annotated[tuple[int, ...], tyro.conf.Positional] = ()
    """which lessons; all when left out"""
    notebooks: Path = Path("notebooks")
    """the folder of notebooks"""
    kernels: int = 2
    """memory: how many at once"""
    lesson: int = 3
    """memory: of which lesson"""


def run(settings: Settings) -> int:
    """Do it, a line a lesson; 1 when a check found something."""
    from jaalnet_core.course.lessons import choose_lessons, find_lessons, update_map
    from jaalnet_core.course.lint import problems
    from jaalnet_core.course.running import run_in_place

    if settings.action == "map":
        changed = update_map(settings.notebooks)
        print(f"{settings.notebooks / 'README.md'}: {'renewed' if changed else 'as it was'}")
        return 0
    lessons = find_lessons(settings.notebooks)
    if settings.action == "memory":
        return _memory(settings, lessons)
    chosen = choose_lessons(lessons, settings.numbers, settings.notebooks)
    found = 0
    for lesson in chosen:
        if settings.action == "run":
            measured = run_in_place(lesson.path)
            print(f"{lesson.path.name}: {measured.seconds:.0f} s, {measured.megabytes} MB", flush=True)
        else:
            faults = problems(lesson.path, lessons)
            found += len(faults)
            print("\n".join([f"{lesson.path.name}: {len(faults) or 'no'} faults", *(f"  {line}" for line in faults)]))
    if settings.action == "run":
        update_map(settings.notebooks)
    return int(found > 0)


def _memory(settings: Settings, lessons: list[Lesson]) -> int:
    from jaalnet_core.course.kernel_memory import measure_room
    from jaalnet_core.course.lessons import choose_lessons

    (lesson,) = choose_lessons(lessons, (settings.lesson,), settings.notebooks)
    print("\n".join(measure_room(lesson, settings.kernels).lines()))
    return 0
