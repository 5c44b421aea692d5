"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_UNFINISHED = re.compile(r"\..*\.\d+\.part(\.[^.]*)?")  # as `_beside` names them


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; what is written there takes the name `path` when the block ends well.

    When the block fails, `path` is left as it was and nothing stays behind. Folders above are made. The temporary name
    is hidden and ends like `path` itself, for writers that look at the ending.
    """
    with _beside(Path(path)) as temporary:
        yield temporary
        _settle(temporary)
        os.replace(temporary, path)


@contextmanager
def new_path(path: Path) -> Iterator[Path]:
    """Like `atomic_path`, for a file that must not be there yet: an existing one is never touched.

    Raises:
        FileExistsError: something has the name already, at the start or by the end.
    """
    path = Path(path)
    if path.exists() or path.is_symlink():
        raise FileExistsError(f"{path} exists")
    with _beside(path) as temporary:
        yield temporary
        _settle(temporary)
        move_to_new(temporary, path)


def move_to_new(source: Path, target: Path) -> None:
    """Rename a file within its file system to a name that must be free, however many processes want it at once.

    Raises:
        FileExistsError: something has the name; `source` stays.
    """
    try:
        os.link(source, target)  # fails where the name was taken meanwhile; a rename would overwrite
    except FileExistsError:
        raise FileExistsError(f"{target} exists") from None
    except OSError:  # a file system without hard links, such as a USB stick's
        if target.exists():
            raise FileExistsError(f"{target} exists") from None
        os.rename(source, target)
    else:
        source.unlink()


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A hidden name in the same folder, which is made; nothing stays there in the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _settle(temporary: Path) -> None:
    """Wait until a file is on the disk, before a name points at it: a power cut must not leave zeros."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())


def remove_unfinished(folder: Path) -> None:
    """Remove what processes killed while writing left in `folder`; only for who knows that nobody writes there now."""
    for path in Path(folder).glob(".*.part*"):
        if _UNFINISHED.fullmatch(path.name):
            path.unlink(missing_ok=True)


def write_json(path: Path, value: Any, *, rows: bool = False) -> None:
    """Write `value` as indented JSON, all or nothing; with `rows`, lists of whole numbers stay on one line each."""
    text = json.dumps(value, indent=2)
    if rows:
        text = re.sub(r"\[\n\s*(-?\d+(?:,\n\s*-?\d+)*)\n\s*\]", lambda found: f"[{' '.join(found[1].split())}]", text)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
