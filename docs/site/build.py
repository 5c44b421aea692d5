"""Build the course as a site: `make site`, or `python docs/site/build.py [FOLDER]` (`site/` unless one is named).

Any warning stops it: a link that leads nowhere, a page in no list, a docstring that cannot be read. The pages are then
looked through as a browser gets them (`checked_pages`). The folder is replaced only by a site without a fault.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from checked_pages import faults

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def main(arguments: list[str]) -> int:
    """Build, check, put in place; returns the exit status."""
    if importlib.util.find_spec("myst_nb") is None:
        print("site: Sphinx and myst-nb are missing here; run: make install", file=sys.stderr)
        return 1
    target = Path(arguments[0]).resolve() if arguments else ROOT / "site"
    if target.exists() and any(target.iterdir()) and not (target / "objects.inv").is_file():
        print(f"site: {target} holds something else than a built site; name another folder", file=sys.stderr)
        return 1
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
        shutil.rmtree(target, ignore_errors=True)
        built.rename(target)
    pages = sum(1 for _ in target.rglob("*.html"))
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file()) / 2**20
    print(f"site: {pages} pages, {size:.0f} MiB, {time.monotonic() - started:.0f} s: {target / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
