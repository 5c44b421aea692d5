"""Which names inside an archive may become files: a name is turned down before a single byte is written."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from jaalnet_core.errors import DataError

LONGEST_PART = 255  # bytes: the limit of one file name on ext4, NTFS and APFS alike
DEEPEST_PATH = 32  # folders below folders; picture sets have one or two
_RESERVED_ON_WINDOWS = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")


class ArchiveError(DataError):
    """An archive that is damaged, or that asks for something no set of pictures needs."""


def safe_member_name(name: str) -> PurePosixPath | None:
    """The relative path a member of an archive may be written to, the same on every system.

    A backslash counts as a separator: archives made on Windows hold such names, and on Windows one would
    act as a separator anyway.

    Args:
        name: the name as it stands in the archive.

    Returns:
        The path with `.` and doubled slashes removed; None for the archive's own root (`./`).

    Raises:
        ArchiveError: an absolute name, a drive letter, `..`, control characters, or a name that Windows would
            read as another one. The message quotes the name.
    """
    if any(ord(character) < 32 or ord(character) == 127 for character in name):
        raise ArchiveError(f"member {name!r}: control characters in its name")
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise ArchiveError(f"member {name!r}: a name that is not valid text") from None
    unified = name.replace("\\", "/")
    if unified.startswith("/"):
        raise ArchiveError(f"member {name!r}: an absolute path")
    parts = [part for part in unified.split("/") if part not in ("", ".")]
    if len(parts) > DEEPEST_PATH:
        raise ArchiveError(f"member {name[:60]!r}…: {len(parts)} folders deep, at most {DEEPEST_PATH} allowed")
    for part in parts:
        _check_part(part, name)
    return PurePosixPath(*parts) if parts else None


def _check_part(part: str, name: str) -> None:
    if part == "..":
        raise ArchiveError(f"member {name!r}: '..' would leave the target folder")
    if ":" in part:
        raise ArchiveError(f"member {name!r}: a drive letter or a colon")
    if part[-1] in " .":
        # Windows drops these silently, so that "mask.png." would overwrite "mask.png" and ".. " would climb.
        raise ArchiveError(f"member {name!r}: a name that ends in a space or a full stop")
    if _RESERVED_ON_WINDOWS.fullmatch(part):
        raise ArchiveError(f"member {name!r}: a name reserved for devices on Windows")
    if len(part.encode("utf-8")) > LONGEST_PART:
        raise ArchiveError(f"member {name[:60]!r}…: a name longer than {LONGEST_PART} bytes")


class NameRegister:
    """Finds members that would be written over each other, on this system or on one that ignores case."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, bool]] = {}

    def add(self, path: PurePosixPath, *, folder: bool) -> None:
        """Note one member.

        Raises:
            ArchiveError: the file was there already, a file is used as a folder too, or two spellings differ
                only by case or by the form of an accent.
        """
        for parent in reversed(path.parents[:-1]):
            self._note(str(parent), folder=True)
        self._note(str(path), folder=folder)

    def _note(self, spelling: str, *, folder: bool) -> None:
        key = unicodedata.normalize("NFC", unicodedata.normalize("NFC", spelling).casefold())
        if key not in self._seen:
            self._seen[key] = (spelling, folder)
            return
        known, known_folder = self._seen[key]
        if known != spelling:
            raise ArchiveError(f"members {known!r} and {spelling!r} differ only by case or accents")
        if known_folder != folder:
            raise ArchiveError(f"member {spelling!r} is a file and a folder at once")
        if not folder:  # a folder is met again with each file in it
            raise ArchiveError(f"member {spelling!r} appears twice")
