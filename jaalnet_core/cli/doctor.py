"""Check this machine line by line: OK, WARN or FAIL, each fault with its mend. Exit status 1 after a FAIL."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """`jaalnet doctor` has no settings."""


def run(settings: Settings) -> int:
    """Print one line a check; 1 when any of them failed."""
    from jaalnet_core.doctor import examine

    checks = examine()
    print("\n".join(map(str, checks)))
    failed = sum(check.status == "FAIL" for check in checks)
    warned = sum(check.status == "WARN" for check in checks)
    print("all is well" if not failed + warned else f"{failed} failed, {warned} to look at")
    return int(failed > 0)
