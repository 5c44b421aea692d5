"""Copy your own folders, archives or pictures into the data folder.

Pictures go to OUT/{train,test}/images and masks to OUT/{train,test}/masks. A mask is a file named ID_mask or
ID_Segmentation, or one in a folder called masks or GroundTruth. Nothing that stands there is overwritten:
when a different file of the same id is there, nothing is copied and the clash is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro


@dataclass(frozen=True)
class Settings:
    """What to import, and where to."""

    paths: tyro.conf.Positional[tuple[Path, ...]]
    """folders (searched to any depth), zip or tar archives, or single pictures"""

    out: Path = Path("data")
    """the data folder"""

    split: Literal["train", "test", "auto"] = "auto"
    """where they belong; auto goes by folder names, else one picture in five to test by a hash of its id"""


def run(settings: Settings) -> int:
    """Import, and say what was done; 0."""
    from jaalnet_core.data.importing import import_pictures
    from jaalnet_core.errors import SettingsError

    if not settings.paths:
        raise SettingsError("paths: found none, expected folders, archives or pictures to import.")
    paths = [path.expanduser() for path in settings.paths]
    report = import_pictures(paths, settings.out.expanduser(), split=settings.split)
    for sentence in report.sentences():
        print(sentence)
    print(f"Next: jaalnet data check {settings.out}")
    return 0
