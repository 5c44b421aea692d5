"""Make `.venv` and install JAAL-Net into it: `python3 jaalnet_core/install.py`, which is what `make` calls.

Standard library only, and nothing newer than Python 3.8 at run time: this file has to start on any machine,
if only to say what is missing. It takes uv where it finds it or can get it, else plain pip
(`JAALNET_INSTALLER=pip` asks for pip), and always the exact versions of `requirements.lock`, checked by their
hashes. Torch and torchvision come in one step from the lock, so a torch that lies about somewhere else cannot
slip under torchvision.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 11)
PYTHON_NAMES = ("python3.12", "python3.13", "python3.11", "python3.14", "python3", "python")
STAMP = "installed.sha256"  # in .venv: what was installed, so that a second call has nothing to do
INSTALLERS = ("uv", "pip")


class InstallError(Exception):
    """The installation cannot go on; the message says what to do about it."""


def main() -> int:
    """Install this checkout and return the exit status."""
    try:
        install(ROOT)
    except InstallError as error:
        print(f"install: {error}", file=sys.stderr)
        return 1
    return 0


def install(root: Path) -> bool:
    """Make `root/.venv` as `root/requirements.lock` and `root/pyproject.toml` describe it.

    Returns:
        False when it was already so. Two calls at once wait for each other.
    """
    venv = root / ".venv"
    stamp = venv / STAMP
    with _alone(root / ".venv.lock"):
        wanted = fingerprint(root)
        if stamp.is_file() and stamp.read_text() == wanted and venv_python(venv).exists():
            stamp.touch()  # make compares times, we compare contents
            return False
        started = time.monotonic()
        stamp.unlink(missing_ok=True)
        installer = prepare(venv)
        print(f"install: {venv} with {installer[0]}; the first time takes minutes and about 6 GB.", flush=True)
        _run(
            [*installer, "--require-hashes", "-r", str(root / "requirements.lock")],
            "installing the locked packages",
        )
        # setuptools is in the lock: building without isolation fetches nothing that has no hash
        _run(
            [*installer, "--no-deps", "--no-build-isolation", "-e", str(root)],
            "installing jaalnet_core itself",
        )
        stamp.write_text(wanted)
        print(f"install: done in {time.monotonic() - started:.0f} s.", flush=True)
        return True


def fingerprint(root: Path) -> str:
    """A SHA-256 over what decides the environment, and over the place an editable install points to."""
    digest = hashlib.sha256(str(root).encode())
    for name in ("requirements.lock", "pyproject.toml"):
        path = root / name
        if not path.is_file():
            raise InstallError(f"{path} is missing; run this inside a complete checkout of the project.")
        digest.update(path.read_bytes())
    return digest.hexdigest()


def prepare(venv: Path) -> list[str]:
    """Make the virtual environment if it is not there, and return the words of its `install` command."""
    wish = os.environ.get("JAALNET_INSTALLER", "uv")
    if wish not in INSTALLERS:
        raise InstallError(f"JAALNET_INSTALLER is {wish!r}; expected one of {', '.join(INSTALLERS)}.")
    python = venv_python(venv)
    uv = shutil.which("uv") if wish == "uv" else None
    if uv and not _works([uv, "--version"]):
        uv = None
    if not _works([str(python), "-c", _new_enough()]):
        interpreter = find_python()
        if venv.exists():
            shutil.rmtree(venv)  # made by another Python, or half made
        command = [uv, "venv", "--quiet", "--python", interpreter] if uv else [interpreter, "-m", "venv"]
        mend = "making .venv (on Debian and Ubuntu plain Python needs: apt install python3-venv)"
        _run([*command, str(venv)], mend)
    if uv is None and wish == "uv":
        uv = _fetch_uv(python)
    if uv:  # compiled once, as pip does by itself: else the first start takes a minute, and each where none may write
        return [uv, "pip", "install", "--compile-bytecode", "--python", str(python)]
    if not _works([str(python), "-m", "pip", "--version"]):
        _run([str(python), "-m", "ensurepip", "--upgrade"], "putting pip into .venv (apt install python3-venv)")
    return [str(python), "-m", "pip", "install"]


def find_python() -> str:
    """The path of a Python of at least 3.11: the one that runs this, else the first on the path.

    Raises:
        InstallError: none is there.
    """
    for name in (sys.executable, *PYTHON_NAMES):
        path = shutil.which(name) if name else None
        if path and _works([path, "-c", _new_enough()]):
            return path
    oldest = ".".join(map(str, OLDEST_PYTHON))
    raise InstallError(
        f"found Python {sys.version.split()[0]} and none of {', '.join(PYTHON_NAMES)} is {oldest} or newer; "
        "install Python 3.12, or use conda: conda env create -f environment.yml"
    )


def venv_python(venv: Path) -> Path:
    """Where a virtual environment keeps its interpreter."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _fetch_uv(python: Path) -> str | None:
    print("install: uv is not here; fetching it into .venv (pip serves if that fails).", flush=True)
    if not _works([str(python), "-m", "pip", "--version"]):
        _works([str(python), "-m", "ensurepip", "--upgrade"])
    uv = python.with_name("uv.exe" if os.name == "nt" else "uv")
    fetched = _works([str(python), "-m", "pip", "install", "--quiet", "uv"]) and _works([str(uv), "--version"])
    return str(uv) if fetched else None


def _new_enough() -> str:
    return f"import sys; sys.exit(sys.version_info < {OLDEST_PYTHON!r})"


def _works(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return False
    return done.returncode == 0


def _run(command: Sequence[str], purpose: str) -> None:
    try:
        status = subprocess.run(command, check=False).returncode
    except OSError as error:
        raise InstallError(f"{purpose} failed: {error}") from error
    if status:
        retry = "; to try without uv: JAALNET_INSTALLER=pip make install" if "uv" in Path(command[0]).name else ""
        raise InstallError(f"{purpose} failed (exit {status}, see above){retry}")


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # Windows: no make there, so nobody calls twice at once
        yield
        return
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
