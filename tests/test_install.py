"""The installer, with stand-ins for uv and pip that write down how they were called."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from jaalnet_core import install as installer
from jaalnet_core.install import InstallError

UV = """#!{python}
import os, pathlib, sys
words = sys.argv[1:]
open({log!r}, "a").write(" ".join(words) + "\\n")
if words[0] == "venv":
    python = pathlib.Path(words[-1]) / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to({python!r})
sys.exit({status} if words[0] == "pip" else 0)
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "requirements.lock").write_text("one==1 --hash=sha256:0\n")
    (root / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("JAALNET_INSTALLER", raising=False)
    return root


@pytest.fixture
def uv_log(checkout: Path) -> Path:
    return pretend_uv(checkout, status=0)


def pretend_uv(checkout: Path, status: int) -> Path:
    log = checkout.parent / "uv.log"
    uv = checkout.parent / "bin" / "uv"
    uv.write_text(UV.format(python=sys.executable, log=str(log), status=status))
    uv.chmod(0o755)
    return log


def calls(log: Path) -> list[str]:
    return [line for line in log.read_text().splitlines() if line != "--version"]


def test_uv_installs_the_lock_with_hashes_and_then_the_package_alone(checkout: Path, uv_log: Path) -> None:
    assert installer.install(checkout) is True
    python = checkout / ".venv" / "bin" / "python"
    assert calls(uv_log) == [
        f"venv --quiet --python {sys.executable} {checkout / '.venv'}",
        f"pip install --compile-bytecode --python {python} --require-hashes -r {checkout / 'requirements.lock'}",
        f"pip install --compile-bytecode --python {python} --no-deps --no-build-isolation -e {checkout}",
    ]


def test_a_second_call_installs_nothing_until_the_lock_changes(checkout: Path, uv_log: Path) -> None:
    installer.install(checkout)
    before = calls(uv_log)
    assert installer.install(checkout) is False
    assert calls(uv_log) == before
    (checkout / "requirements.lock").write_text("one==2 --hash=sha256:1\n")
    assert installer.install(checkout) is True
    added = calls(uv_log)[len(before) :]
    assert [line.split()[0] for line in added] == ["pip", "pip"]  # the environment itself was kept


def test_a_copied_checkout_is_installed_anew(checkout: Path, uv_log: Path, tmp_path: Path) -> None:
    installer.install(checkout)
    moved = checkout.rename(tmp_path / "moved")
    assert installer.install(moved) is True


def test_a_half_made_environment_is_made_again(checkout: Path, uv_log: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    installer.install(checkout)
    assert calls(uv_log)[0].startswith("venv")


def test_a_failed_installation_leaves_no_stamp_and_names_the_way_out(checkout: Path) -> None:
    pretend_uv(checkout, status=3)
    with pytest.raises(InstallError, match=r"locked packages failed \(exit 3.*JAALNET_INSTALLER=pip"):
        installer.install(checkout)
    assert not (checkout / ".venv" / installer.STAMP).exists()


def test_two_calls_at_once_install_once(checkout: Path, uv_log: Path) -> None:
    outcomes: list[bool] = []
    threads = [threading.Thread(target=lambda: outcomes.append(installer.install(checkout))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == [False, True]
    assert sum(line.startswith("venv") for line in calls(uv_log)) == 1


@pytest.fixture
def written_down(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What `_run` would have run; a venv command makes the interpreter it promises."""
    commands: list[list[str]] = []

    def write_down(command, purpose):
        commands.append(list(command))
        if "venv" in command:
            python = installer.venv_python(Path(command[-1]))
            python.parent.mkdir(parents=True)
            python.symlink_to(sys.executable)

    monkeypatch.setattr(installer, "_run", write_down)
    return commands


@pytest.mark.parametrize("wish", ["uv", "pip"])
def test_pip_where_uv_cannot_be_had_or_is_not_wanted(
    checkout: Path, written_down: list[list[str]], monkeypatch: pytest.MonkeyPatch, wish: str
) -> None:
    monkeypatch.setenv("JAALNET_INSTALLER", wish)
    real = installer._works
    monkeypatch.setattr(installer, "_works", lambda command: "pip" in command[2:3] or real(command))
    monkeypatch.setattr(installer, "_fetch_uv", lambda python: None)
    assert installer.install(checkout) is True
    python = str(checkout / ".venv" / "bin" / "python")
    assert written_down == [
        [sys.executable, "-m", "venv", str(checkout / ".venv")],
        [python, "-m", "pip", "install", "--require-hashes", "-r", str(checkout / "requirements.lock")],
        [python, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "-e", str(checkout)],
    ]


def test_pip_is_put_in_where_the_environment_has_none(
    checkout: Path, written_down: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAALNET_INSTALLER", "pip")
    real = installer._works
    monkeypatch.setattr(installer, "_works", lambda command: "pip" not in command and real(command))
    installer.install(checkout)
    assert written_down[1][1:] == ["-m", "ensurepip", "--upgrade"]


def test_uv_is_fetched_into_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[list[str]] = []
    monkeypatch.setattr(installer, "_works", lambda command: tried.append(list(command)) or True)
    python = tmp_path / "bin" / "python"
    assert installer._fetch_uv(python) == str(tmp_path / "bin" / "uv")
    assert [str(python), "-m", "pip", "install", "--quiet", "uv"] in tried


def test_uv_that_cannot_be_fetched(tmp_path: Path) -> None:
    assert installer._fetch_uv(tmp_path / "no" / "python") is None


def test_an_unknown_installer_is_refused(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAALNET_INSTALLER", "conda")
    with pytest.raises(InstallError, match="'conda'; expected one of uv, pip"):
        installer.install(checkout)


def test_a_checkout_without_its_lock_is_refused(checkout: Path) -> None:
    (checkout / "requirements.lock").unlink()
    with pytest.raises(InstallError, match=r"requirements\.lock is missing"):
        installer.install(checkout)


def test_an_old_python_looks_for_a_newer_one(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, status in (("old", 1), ("python3.12", 1), ("python3.13", 0)):
        path = checkout.parent / "bin" / name
        path.write_text(f"#!/bin/sh\nexit {status}\n")
        path.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(checkout.parent / "bin" / "old"))
    assert installer.find_python() == str(checkout.parent / "bin" / "python3.13")


def test_no_python_of_use_is_said_clearly(checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(InstallError, match=r"none of python3\.12.*is 3\.11 or newer; install Python 3\.12"):
        installer.find_python()
    monkeypatch.setattr(installer, "ROOT", checkout)
    assert installer.main() == 1
    assert capsys.readouterr().err.startswith("install: found Python")


def test_main_reports_success(checkout: Path, uv_log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installer, "ROOT", checkout)
    assert installer.main() == 0


def test_it_starts_alone_with_the_standard_library() -> None:
    """As `make` starts it: isolated, so neither site-packages nor the folder it lies in are importable."""
    code = f"import runpy; print(sorted(runpy.run_path({installer.__file__!r})['INSTALLERS']))"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['pip', 'uv']"


def test_a_command_that_cannot_start_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="making the thing failed"):
        installer._run([os.fspath(tmp_path / "nothing")], "making the thing")
