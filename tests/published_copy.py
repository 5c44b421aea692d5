"""A copy of the files that the project publishes, for tests that change them."""

from __future__ import annotations

import shutil
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
LARGE = ("lf_net.safetensors",)  # 6 MB each, and no page is made from them


def copy_published(target: Path) -> Path:
    """README with its pictures, shipped weights without the largest files, and published reports, in `target`."""
    for folder in (Path("checkpoints") / "shipped", Path("reports") / "published", Path("docs") / "pictures"):
        shutil.copytree(REPOSITORY / folder, target / folder, ignore=shutil.ignore_patterns(*LARGE))
    shutil.copyfile(REPOSITORY / "README.md", target / "README.md")
    return target
