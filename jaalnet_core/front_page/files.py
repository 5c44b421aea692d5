"""The README's picture and animation as files that are made from records."""

from __future__ import annotations

import hashlib
from pathlib import Path

from jaalnet_core.derived_files import Derived, DerivedAnimation, DerivedFigure
from jaalnet_core.front_page.record import LOOK, TRAINING, read_look_record, read_training_record

RECORDS = Path("reports") / "published" / "front-page"
PICTURES = Path("docs") / "pictures"
ANIMATION, PICTURE = "training.webp", "look.png"


def front_page_files(root: Path) -> list[Derived]:
    """Both pictures of the project in `root`; a project without the records has none."""
    records = root / RECORDS
    if not records.is_dir():
        return []
    training, look = records / TRAINING, records / LOOK
    return [
        DerivedFigure(root / PICTURES / PICTURE, _digest(look), lambda: _look(look)),
        DerivedAnimation(root / PICTURES / ANIMATION, _digest(training), lambda: _frames(training)),
    ]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _look(path: Path):
    from jaalnet_core.front_page.drawing import look_figure  # drawn seldom

    return look_figure(read_look_record(path))


def _frames(path: Path):
    from jaalnet_core.front_page.drawing import training_frames

    return training_frames(read_training_record(path))
