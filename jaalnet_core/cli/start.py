"""Make a workspace to learn in: the lessons without solutions and outputs, in a folder of your own.

No file is ever overwritten. --update adds what is missing or new and lists what it left alone.

    jaalnet start my-course
    jaalnet start my-course --lessons 1 2 3
    jaalnet start my-course --update
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class Settings:
    """Settings of `jaalnet start`."""

    folder: Annotated[Path, tyro.conf.Positional]
    """The workspace; made where it is missing."""
    lessons: tuple[int, ...] = ()
    """Which lessons; all when left out."""
    update: bool = False
    """Add what is new to a workspace that is there, and leave every file alone."""


def run(settings: Settings) -> int:
    """Make or update it and say what was done; 0."""
    from jaalnet_core.course.workspace import start

    done = start(settings.folder, settings.lessons, update=settings.update)
    for words, names in (
        ("added", done.added),
        ("left alone, yours now", done.yours),
        ("left alone, though the course has a newer one (rename yours and run this again to get it)", done.older),
    ):
        for name in names:
            print(f"{words}: {settings.folder / name}")
    if done.same:
        print(f"{len(done.same)} files were there already, as the course has them")
    print(f"Go on:  cd {settings.folder} && jaalnet lab")
    return 0
