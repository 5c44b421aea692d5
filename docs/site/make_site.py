"""Build the course as a site: `make site`, or `python docs/site/make_site.py [FOLDER]` (`site/` unless one is named).

Any warning stops it: a link that leads nowhere, a page in no list, a docstring that cannot be read. The pages are then
looked through as a browser gets them (`checked_pages`). The folder is replaced only by a site without a fault. A second
call with nothing changed has nothing to do.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from checked_pages import faults

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
STAMP = "built-from.sha256"  # in the site: what it was made from
SOURCES = ("docs", "notebooks", "jaalnet_core", "reports/published", "checkpoints/shipped")
ALONE = ("data/README.md", "checkpoints/README.md", "LICENSE", "CITATION.cff")
SUFFIXES = {".md", ".ipynb", ".py", ".css", ".svg", ".png", ".gif", ".webp", ".apng", ".json", ".sh"}
PACKAGES = ("sphinx", "myst-nb", "sphinx-book-theme", "latex2mathml")


def main(arguments: list[str]) -> int:
    """Build, check, put in place; returns the exit status."""
    try:
        wanted = fingerprint()
    except importlib.metadata.PackageNotFoundError as error:
        print(f"site: {error.name} is missing here; run: make install", file=sys.stderr)
        return 1
    target = Path(arguments[0]).resolve() if arguments else ROOT / "site"
    if target.exists() and any(target.iterdir()) and not (target / "objects.inv").is_file():
        print(f"site: {target} holds something else than a built site; name another folder", file=sys.stderr)
        return 1
    stamp = target / STAMP
    if stamp.is_file() and stamp.read_text() == wanted:
        print(f"site: nothing has changed: {target / 'index.html'}")
        return 0
    started = time.monotonic()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".site-") as scratch:
        built = Path(scratch) / "site"
        strictly = ["-b", "html", "-n", "-W", "--keep-going", "-q"]
        command = [sys.executable, "-m", "sphinx", *strictly, "-c", str(HERE), "-d", str(Path(scratch) / "doctrees")]
        status = subprocess.run([*command, str(ROOT), str(built)], check=False).returncode
        found = faults(built) if built.is_dir() else []
        print("\n".join(f"site: {line}" for line in found), file=sys.stderr, end="\n" if found else "")
        if status or found:
            print(f"site: FAILED, {target} stays as it was", file=sys.stderr)
            return 1
        (built / ".buildinfo").unlink(missing_ok=True)
        (built / STAMP).write_text(wanted)
        shutil.rmtree(target, ignore_errors=True)
        built.rename(target)
    pages = sum(1 for _ in target.rglob("*.html"))
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file()) / 2**20
    print(f"site: {pages} pages, {size:.0f} MiB, {time.monotonic() - started:.0f} s: {target / 'index.html'}")
    return 0


def fingerprint() -> str:
    """A SHA-256 over every file that a page is made from, and the versions of what makes it."""
    digest = hashlib.sha256(" ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES).encode())
    whole = [path for name in SOURCES for path in (ROOT / name).rglob("*") if path.suffix in SUFFIXES]
    for path in sorted([*whole, *ROOT.glob("*.md"), *(ROOT / name for name in ALONE)]):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
