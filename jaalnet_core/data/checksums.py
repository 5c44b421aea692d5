"""What was downloaded: SHA-256, size and origin of each archive, in a small JSON beside the archives.

The archive that publishes ISBI2016 gives no checksums, so the first download that unpacks without a fault
sets them, and every later copy is held against it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import pooch

from jaalnet_core.errors import DataError
from jaalnet_core.files import write_json
from jaalnet_core.typed_fields import from_fields


class ChecksumError(DataError):
    """A file that is not, byte for byte, the one recorded at the first download."""


@dataclass(frozen=True)
class Checksum:
    """One archive as it was at its first download.

    Attributes:
        sha256: 64 hexadecimal digits.
        size: bytes of the archive.
        url: where it came from; the path of the file where somebody had put it there.
        date: day of the download, such as 2026-11-23.
        files: how many files it unpacked to.
        unpacked_size: their bytes together.
    """

    sha256: str
    size: int
    url: str
    date: str
    files: int
    unpacked_size: int


class ChecksumFile:
    """The JSON file; each change is written at once, all or nothing."""

    def __init__(self, path: Path) -> None:
        """Read `path`, which need not exist yet.

        Raises:
            DataError: it exists and is not such a file.
        """
        self.path = path
        self._entries: dict[str, Checksum] = {}
        if path.exists():
            try:
                entries = json.loads(path.read_text(encoding="utf-8"))
                self._entries = {name: from_fields(Checksum, entry) for name, entry in entries.items()}
            except (ValueError, TypeError, AttributeError, RecursionError) as error:
                raise DataError(
                    f"{path}: not a list of checksums ({error}); delete it, the next call makes it anew."
                ) from error

    def get(self, name: str) -> Checksum | None:
        """The entry of the archive of this file name, if there is one."""
        return self._entries.get(name)

    def set(self, name: str, checksum: Checksum) -> None:
        """Add or replace an entry."""
        self._entries[name] = checksum
        write_json(self.path, {key: asdict(entry) for key, entry in sorted(self._entries.items())})

    def check(self, archive: Path, name: str, *, mend: str) -> str:
        """SHA-256 of `archive`, held against the entry `name` if there is one.

        Raises:
            ChecksumError: they differ; the message has both hashes and ends in `mend`.
        """
        found = pooch.file_hash(str(archive), alg="sha256")
        expected = self.get(name)
        if expected is not None and found != expected.sha256:
            raise ChecksumError(
                f"{archive}: SHA-256 {found}, expected {expected.sha256} (recorded {expected.date}, from "
                f"{expected.url}). {mend} If a new version was really published, remove {name!r} from "
                f"{self.path} first."
            )
        return found
