"""Keep the lessons in order: run them and keep their outputs, check them against the house rules, renew the map.

jaalnet lessons run 02 03: run these two in the fast profile on synthetic pictures, and write them with outputs.
jaalnet lessons check: every rule on every lesson. jaalnet lessons map: the table of notebooks/README.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from jaalnet_core.errors import JaalnetError


@dataclass(frozen=True)
class Settings:
    """Settings of `jaalnet lessons`."""

    action: tyro.conf.Positional[Literal["run", "check", "map"]]
    """what to do"""
    numbers: Annotated[tuple[int, ...], tyro.conf.Positional] = ()
    """which lessons; all when left out"""
    notebooks: Path = Path("notebooks")
    """the folder of notebooks"""


def run(settings: Settings) -> int:
    """Do it, a line a lesson; 1 when a check found something."""
    from jaalnet_core.course.lessons import find_lessons, update_map
    from jaalnet_core.course.lint import problems
    from jaalnet_core.course.running import run_in_place

    if settings.action == "map":
        changed = update_map(settings.notebooks)
        print(f"{settings.notebooks / 'README.md'}: {'renewed' if changed else 'as it was'}")
        return 0
    lessons = find_lessons(settings.notebooks)
    if unknown := set(settings.numbers) - {lesson.number for lesson in lessons}:
        raise JaalnetError(f"lessons: found no {', '.join(map(str, sorted(unknown)))} in {settings.notebooks}")
    chosen = [lesson for lesson in lessons if not settings.numbers or lesson.number in settings.numbers]
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
