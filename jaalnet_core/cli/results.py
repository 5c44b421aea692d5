"""Rebuild the README's table of results from the scores that ship with the weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Settings of `jaalnet results`."""

    readme: Path = Path("README.md")
    """The file with the markers between which the table belongs."""
    shipped: Path = Path("checkpoints") / "shipped"
    """The folder of the shipped weights."""


def run(settings: Settings) -> int:
    """Write the table, print it, and say whether anything changed."""
    from jaalnet_core.errors import DataError
    from jaalnet_core.results import results_block, update_readme

    if not settings.readme.is_file():
        raise DataError(f"{settings.readme}: no such file; run this in the checkout, or name it by --readme.")
    changed = update_readme(settings.readme, settings.shipped)
    print(results_block(settings.shipped))
    print(f"{settings.readme}: {'rewritten' if changed else 'says this already'}.")
    return 0
