"""Unpack a zip or tar archive that somebody else made: nothing leaves the target, nothing half done remains.

pooch has processors for this (`pooch.Unzip`, `pooch.Untar`), but they hand everything to `extractall`: no
limit on size or ratio, links followed as the Python version pleases, and a half-filled folder after an error.
So here all members are looked at first, then written one by one into a temporary folder, which is renamed at
the end. An archive inside an archive stays a file.
"""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from tempfile import mkdtemp

from tqdm.auto import tqdm

from jaalnet_core.data.archive_listing import (
    MB,
    ArchiveLimits,
    Member,
    OpenArchive,
    inspect_archive,
    is_archive,
    list_members,
    open_archive,
)
from jaalnet_core.data.member_names import ArchiveError
from jaalnet_core.errors import DataError

__all__ = ["ArchiveError", "ArchiveLimits", "Member", "extract_archive", "inspect_archive", "is_archive"]

CHUNK = 1 << 20
SPARE = 10 * MB  # room left on the disk for folders and for everybody else


def extract_archive(
    archive: Path,
    target: Path,
    *,
    progress: bool = True,
    limits: ArchiveLimits | None = None,
    single_folder: bool = False,
) -> tuple[Path, ...]:
    """Unpack `archive` so that `target` holds its files: completely, or not at all.

    Args:
        archive: a zip (stored, deflated) or a tar (plain, gz, bz2, xz).
        target: the folder to make; it must not exist yet, or be empty.
        progress: show a bar.
        limits: sizes and ratios to accept; `ArchiveLimits()` when left out.
        single_folder: when everything lies in one folder of the target's name, that folder becomes it.

    Returns:
        The paths written, in the archive's order.

    Raises:
        ArchiveError: the archive is damaged or refused; nothing remains of the attempt.
        DataError: the target is not empty, or the disk has too little room.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DataError(f"{target}: found something there, expected a new or empty folder; name another.")
    try:
        with open_archive(archive) as opened:
            members = list_members(opened, archive, limits or ArchiveLimits())
            _check_room(archive, target, sum(member.size for member in members))
            unwrap = single_folder and all(member.path.parts[:-1][:1] == (target.name,) for member in members)
            target.parent.mkdir(parents=True, exist_ok=True)
            # beside the target, so that the rename at the end stays on one file system
            scratch = Path(mkdtemp(prefix=f".{target.name}.", suffix=".unpacking", dir=target.parent))
            try:
                content = scratch / "content"  # mkdtemp's own folder is private (0700), this one is not
                content.mkdir()
                _write_members(opened, members, content, name=archive.name, progress=progress)
                if target.exists():
                    target.rmdir()  # empty, as seen above; Windows does not rename onto a folder
                (content / target.name if unwrap else content).rename(target)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise DataError(
            f"{archive}: unpacking into {target} failed ({error.strerror or error}); nothing of it was kept. "
            "Free some room or choose another folder, then call again."
        ) from error
    return tuple(target.joinpath(*member.path.parts[1 if unwrap else 0 :]) for member in members)


def _check_room(archive: Path, target: Path, needed: int) -> None:
    folder = next(parent for parent in target.absolute().parents if parent.exists())
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE:
        raise DataError(
            f"{archive}: unpacking takes {needed / MB:.0f} MB, {folder} has {free / MB:.0f} MB free; "
            "free some room or choose another folder, then call again."
        )


def _write_members(
    opened: OpenArchive, members: tuple[Member, ...], folder: Path, *, name: str, progress: bool
) -> None:
    total = sum(member.size for member in members)
    with tqdm(total=total, desc=f"unpacking {name}", unit="B", unit_scale=True, disable=not progress) as bar:
        for member in members:
            path = folder.joinpath(*member.path.parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            # type: the entry comes from the archive it is read from, which a union of types cannot say
            reader = opened.open if isinstance(opened, zipfile.ZipFile) else opened.extractfile
            written = 0
            with reader(member.entry) as source, path.open("xb") as out:  # "x": never over a file or a link
                while written <= member.size and (chunk := source.read(CHUNK)):
                    out.write(chunk)
                    written += len(chunk)
                    bar.update(len(chunk))
            if written != member.size:
                raise ArchiveError(f"member '{member.path}': {written} bytes found, {member.size} announced")
