"""Lint and every test: what `make test` does, inside an installed environment and a checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jaalnet_core.errors import JaalnetError


@dataclass(frozen=True)
class Settings:
    """Settings of `jaalnet test`."""

    long: bool = False
    """only the tests that take minutes"""
    lint: bool = False
    """only lint"""
    require_real_data: bool = False
    """fail where a test of the real pictures (JAALNET_DATA) would be skipped"""
    root: Path | None = None
    """the checkout (default: the folder this package lies in, else the current one)"""


@dataclass(frozen=True)
class Step:
    """One command of the proof and the seconds it may take on two cores."""

    name: str
    command: tuple[str, ...]
    may_take: int


def run(settings: Settings) -> int:
    """Run every step even after one failed, print what each took, and return 1 if any failed."""
    root = find_checkout(settings.root)
    environment = forced_environment(os.environ)
    lines, failed = [], False
    for step in steps(settings, os.environ):
        print(f"-- {step.name}", flush=True)
        started = time.monotonic()
        status = subprocess.run(step.command, cwd=root, env=environment, check=False).returncode
        failed |= status != 0
        seconds = time.monotonic() - started
        verdict = "ok" if status == 0 else f"FAILED, exit {status}"
        lines.append(f"-- {step.name:<7} {verdict}: took {seconds:.0f} s, may take {step.may_take} s")
    print("\n".join(lines), flush=True)
    return int(failed)


def find_checkout(root: Path | None) -> Path:
    """The folder with `tests/` and `pyproject.toml`.

    Raises:
        JaalnetError: the package was installed without them.
    """
    package = Path(__file__).resolve().parents[2]
    for folder in [root] if root else [package, Path.cwd()]:
        if (folder / "tests" / "conftest.py").is_file() and (folder / "pyproject.toml").is_file():
            return folder.resolve()
    where = root or f"{package} or {Path.cwd()}"
    raise JaalnetError(f"no tests/conftest.py and pyproject.toml in {where}; name a checkout with --root")


def forced_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` with the fast profile and the synthetic set: compared outputs are the same everywhere."""
    return {**environment, "JAALNET_PROFILE": "fast", "JAALNET_DATA": "synthetic", "MPLBACKEND": "Agg"}


def steps(settings: Settings, environment: Mapping[str, str]) -> list[Step]:
    """The commands that `settings` ask for; the real pictures reach the tests that want them as an option."""
    python = sys.executable
    lint = [
        Step("rules", (python, "-m", "ruff", "check", "."), 30),
        Step("format", (python, "-m", "ruff", "format", "--check", "."), 30),
    ]
    if settings.lint:
        return lint
    pytest = [python, "-m", "pytest", "-q", "--durations=10", *_spread()]
    real = environment.get("JAALNET_DATA", "")
    if real not in ("", "synthetic"):
        pytest.append(f"--real-data={Path(real).resolve()}")
    if settings.require_real_data:
        pytest.append("--require-real-data")
    if settings.long:
        return [Step("long", (*pytest, "--long", "-m", "long"), 3600)]
    return [*lint, Step("tests", (*pytest, "--cov", "--cov-report=term:skip-covered"), 1200)]


def _spread() -> list[str]:
    """Tests side by side, one thread each (tests/conftest.py); a module stays together, for its fixtures' sake."""
    workers = min(4, os.cpu_count() or 1)
    return ["-n", str(workers), "--dist", "loadfile"] if workers > 1 else []
