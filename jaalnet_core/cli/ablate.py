"""Train variants of one recipe with several seeds, score each on the validation pictures, and compare them.

    jaalnet ablate --variants course without-adversary --seeds 0 1 2 --out reports/ablation
    jaalnet ablate --out reports/ablation --table

A finished run is found and not repeated; after Ctrl-C the same command goes on.
"""

from __future__ import annotations

from jaalnet_core.ablation_settings import AblationSettings as Settings

__all__ = ["Settings", "run"]

INTERRUPTED = 130  # the shell's status of a program ended by Ctrl-C


def run(settings: Settings) -> int:
    """Train what is missing and rebuild the table; 130 when interrupted."""
    from jaalnet_core.ablation.table import has_base, write_page

    if not settings.table:
        from jaalnet_core.ablation.runs import ablate

        outcome = ablate(settings)
        if not outcome.finished:
            print("Interrupted. The same command goes on where it stopped.")
            return INTERRUPTED
        print(f"{len(outcome.made)} runs made, {len(outcome.found)} found, all in {settings.out}.")
        if not has_base(settings.out, settings.base):
            print(f"No table yet: {settings.out} holds no run of {settings.base} to compare with.")
            return 0
    page = write_page(settings.out, base=settings.base)
    print(page.read_text(encoding="utf-8"))
    print(f"Written to {page}.")
    return 0
