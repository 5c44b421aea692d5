"""Whether an unpacked folder still holds what its archive held."""

from __future__ import annotations

import zlib
from pathlib import Path

from tqdm.auto import tqdm

from jaalnet_core.data.archive import ArchiveLimits, inspect_archive
from jaalnet_core.errors import DataError

CHUNK = 1 << 20


def folder_content(folder: Path) -> tuple[int, int]:
    """How many files lie below the folder, and their bytes together; (0, 0) for a missing folder."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)


def check_unpacked(folder: Path, archive: Path, limits: ArchiveLimits, *, progress: bool = True) -> None:
    """Compare each file below `folder` with its size and CRC-32 in the archive (files beside them may stay).

    Args:
        folder: what `extract_archive(archive, folder, single_folder=True)` made.
        archive: a zip.
        limits: as for unpacking.
        progress: show a bar.

    Raises:
        DataError: files are missing or differ; the message counts them, names the first and the mend.
    """
    members = inspect_archive(archive, limits=limits)
    unwrap = all(member.path.parts[:-1][:1] == (folder.name,) for member in members)
    wrong = []
    for member in tqdm(members, desc=f"checking {folder.name}", unit="file", disable=not progress):
        path = folder.joinpath(*member.path.parts[1 if unwrap else 0 :])
        if not path.is_file():
            wrong.append(f"{path.name} is missing")
        elif path.stat().st_size != member.size or _crc(path) != member.crc:
            wrong.append(f"{path.name} differs")
    if wrong:
        shown = ", ".join(wrong[:3]) + (", ..." if len(wrong) > 3 else "")
        raise DataError(
            f"{folder}: {len(wrong)} of {len(members)} files are not as in {archive.name} ({shown}); delete "
            "the folder and call again, it is then unpacked anew."
        )


def _crc(path: Path) -> int:
    value = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            value = zlib.crc32(chunk, value)
    return value
