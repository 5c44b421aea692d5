"""Find or make the data, train LF-Net against DA-Net, evaluate, and write the report. A second call reuses all.

jaalnet reproduce --profile fast
JAALNET_DATA=FOLDER jaalnet reproduce --profile full
"""

from __future__ import annotations

import time

from jaalnet_core.reproduce_settings import ReproduceSettings as Settings

__all__ = ["Settings", "run"]

INTERRUPTED = 130  # the shell's status of a program ended by Ctrl-C


def run(settings: Settings) -> int:
    """Reproduce and say where the report lies; 130 when the training was interrupted."""
    from jaalnet_core.reproduce import reproduce

    started = time.monotonic()
    outcome = reproduce(settings)
    if outcome.report is None:
        print("Interrupted. The same command goes on where it stopped.")
        return INTERRUPTED
    print(f"{(time.monotonic() - started) / 60:.1f} minutes. Report: {outcome.report / 'README.md'}")
    return 0
