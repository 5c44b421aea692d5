"""Lint, every test and every lesson: what `make test` does, inside an installed environment and a checkout.

The lessons are run from top to bottom by nbval, in the fast profile on synthetic pictures, and their marked
outputs compared. --browser drives JupyterLab in Chromium instead, every lesson and every widget, which needs a
browser on this machine; pictures of what failed are kept in reports/browser.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jaalnet_core.errors import JaalnetError
from jaalnet_core.lesson_times import faults_of_times, seconds_by_lesson


@dataclass(frozen=True)
class Settings:
    """Settings of `jaalnet test`."""

    long: bool = False
    """only the tests that take minutes"""
    lint: bool = False
    """only lint"""
    lessons: bool = False
    """only the lessons"""
    browser: bool = False
    """only the tests that drive JupyterLab in a browser"""
    require_real_data: bool = False
    """fail where a test of the real pictures (JAALNET_DATA) would be skipped"""
    root: Path | None = None
    """the checkout (default: the folder this package lies in, else the current one)"""


LIMITED = ("lessons",)  # steps that fail when they take longer than they may


@dataclass(frozen=True)
class Step:
    """One command of the proof and the seconds that are planned for it on two cores."""

    name: str
    command: tuple[str, ...]
    planned: int
    junit: Path | None = None
    """where the step writes the times of the lessons, if it does"""


def run(settings: Settings) -> int:
    """Run every step even after one failed, print what each took, and return 1 if any failed."""
    root = find_checkout(settings.root)
    environment = forced_environment(os.environ)
    lines, failed = [], False
    with tempfile.TemporaryDirectory() as scratch:
        for step in steps(settings, os.environ, Path(scratch)):
            print(f"-- {step.name}", flush=True)
            started = time.monotonic()
            status = subprocess.run(step.command, cwd=root, env=environment, check=False).returncode
            seconds = time.monotonic() - started
            faults = [] if step.junit is None else list(_lesson_faults(step.junit, root))
            if step.name in LIMITED and seconds > step.planned:
                faults.append(f"all lessons: took {seconds:.0f} s, may take {step.planned} s")
            failed |= status != 0 or bool(faults)
            verdict = f"FAILED, exit {status}" if status else "FAILED" if faults else "ok"
            limit = "may take" if step.name in LIMITED else "planned"
            lines.append(f"-- {step.name:<7} {verdict}: took {seconds:.0f} s, {limit} {step.planned} s")
            lines += [f"--   {fault}" for fault in faults]
    if not settings.browser:
        lines.append("-- browser not run: `make test-browser` drives JupyterLab in Chromium")
    print("\n".join(lines), flush=True)
    return int(failed)


def _lesson_faults(junit: Path, root: Path) -> list[str]:
    """What the times of the lessons show, after printing them."""
    if not junit.is_file():
        return ["no lesson was run"]
    seconds = seconds_by_lesson(junit)
    print("\n".join(f"{took:7.1f} s  {name}" for name, took in sorted(seconds.items())), flush=True)
    return faults_of_times(seconds, [path.stem for path in (root / "notebooks").glob("[0-9][0-9]_*.ipynb")])


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
    forced = {"JAALNET_PROFILE": "fast", "JAALNET_DATA": "synthetic", "MPLBACKEND": "Agg"}
    return {"OMP_NUM_THREADS": "1", **environment, **forced}  # tests and lessons run side by side, a thread each


def steps(settings: Settings, environment: Mapping[str, str], scratch: Path) -> list[Step]:
    """The commands that `settings` ask for; the real pictures reach the tests that want them as an option.

    Args:
        scratch: an empty folder for what a step writes.
    """
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
    if settings.browser:
        each = ("--durations=0", "--durations-min=1")  # how long every lesson took to run, and every test
        browser = (python, "-m", "pytest", "-q", *each, *_spread(), "--browser", "-m", "browser", "tests")
        return [Step("browser", browser, 1100)]
    if settings.long:
        return [Step("long", (*pytest, "--long", "-m", "long"), 3600)]
    nbval = ("--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=300", "-p", "no:cacheprovider")
    junit = scratch / "lessons.xml"
    run_lessons = (python, "-m", "pytest", "-q", *nbval, f"--junitxml={junit}", *_spread(), "notebooks")
    lessons = Step("lessons", run_lessons, 720, junit)
    if settings.lessons:
        return [lessons]
    return [*lint, Step("tests", (*pytest, "--cov", "--cov-report=term:skip-covered"), 2000), lessons]


def _spread() -> list[str]:
    """Tests side by side, one thread each (tests/conftest.py); a module stays together, for its fixtures' sake."""
    workers = min(4, os.cpu_count() or 1)
    return ["-n", str(workers), "--dist", "loadfile"] if workers > 1 else []
