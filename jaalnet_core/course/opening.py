"""The first cell of every lesson: the same random numbers for everyone, and paths as on the command line."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import torch

from jaalnet_core.data.source import locate_folder
from jaalnet_core.profile import current_profile


def begin(number: int, *, seed: int = 0) -> None:
    """Open a lesson: seed every random number, go to the project's folder, and say what the lesson will run on.

    Calling it again starts the random numbers again, so a lesson can be run from any cell below its imports.

    Args:
        number: the lesson's.
        seed: start of Python's, NumPy's and torch's random numbers.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    os.chdir(project_folder(Path.cwd()))
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else _cpu()
    folder = locate_folder(None)
    found = "synthetic, made here" if folder is None else f"those in {folder.name}/"
    print(f"Lesson {number:02d} | profile {current_profile().name} | {device} | pictures: {found}")


def _cpu() -> str:
    threads = torch.get_num_threads()
    return f"CPU with {threads} thread{'s' * (threads != 1)}"


def project_folder(start: Path) -> Path:
    """The nearest folder, from `start` upwards, whose `notebooks/` holds lessons; `start` itself where none does."""
    return next((folder for folder in (start, *start.parents) if holds_lessons(folder)), start)


def holds_lessons(folder: Path) -> bool:
    """Whether a folder is a checkout's or a learner's: somebody's own `notebooks/` of other things does not count."""
    return any((folder / "notebooks").glob("[0-9][0-9]_*.ipynb"))
