"""Look into a zip or tar archive and judge every member before anything is written."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, cast

from jaalnet_core.data.member_names import ArchiveError, NameRegister, safe_member_name

MB = 1_000_000
_LONGEST_HEADER = 4 << 20
_LONGEST_DIRECTORY = 16 * MB  # of a zip: room for 100,000 files with names of 100 letters
_LONGEST_PADDING = 4 << 20  # zeros behind a tar's last file
_ENCRYPTED = 0x1 | 0x40 | 0x2000  # zip flag bits: encrypted, strongly encrypted, encrypted directory
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # zipfile unpacks the others without a bound on memory
_TAR_OPENERS = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\x00", lzma.open))
_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, gzip.BadGzipFile)
_SYSTEM_LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")

OpenArchive = zipfile.ZipFile | tarfile.TarFile


@dataclass(frozen=True)
class ArchiveLimits:
    """How large an archive may unpack. ISBI2016 needs at most 900 files and about 600 MB an archive."""

    max_files: int = 100_000
    """Most files and folders in one archive."""
    max_file_mb: float = 1_000
    """Largest single file, unpacked, in MB."""
    max_total_mb: float = 20_000
    """All files of one archive together, unpacked, in MB."""
    max_ratio: float = 200
    """Most bytes unpacked for each byte packed. Photographs lie near 1, plain bitmap masks near 100."""
    ratio_from_mb: float = 50
    """The ratio is judged from this unpacked size (MB) on; below it no harm is done."""


@dataclass(frozen=True)
class Member:
    """A file that unpacking would write.

    Attributes:
        path: where, relative to the target folder.
        size: unpacked size in bytes.
        crc: CRC-32 of its bytes; None in a tar, which has none.
        entry: what zipfile or tarfile knows of it.
    """

    path: PurePosixPath
    size: int
    crc: int | None
    entry: zipfile.ZipInfo | tarfile.TarInfo = field(repr=False, compare=False)


def is_archive(path: Path) -> bool:
    """Whether the content (not the name) is a zip or a tar, the latter plain or in gzip, bzip2 or xz."""
    try:
        with open_archive(path):
            return True
    except (ArchiveError, OSError):
        return False


def inspect_archive(archive: Path, *, limits: ArchiveLimits | None = None) -> tuple[Member, ...]:
    """The files in the archive, each judged by name, kind, size and ratio; nothing is written.

    The folders of macOS (`__MACOSX`) and similar litter are left out.

    Raises:
        ArchiveError: not an archive, damaged, or a member is refused; the message names archive and member.
    """
    with open_archive(archive) as opened:
        return list_members(opened, archive, limits or ArchiveLimits())


@contextmanager
def open_archive(archive: Path) -> Iterator[OpenArchive]:
    """Open a zip or a tar; whatever damage comes up while it is open becomes an `ArchiveError` naming it."""
    if not archive.is_file():
        raise ArchiveError(f"{archive}: no such file; expected a zip or tar archive.")
    try:
        if zipfile.is_zipfile(archive):
            with _ZipBytes(io.FileIO(archive)) as file, zipfile.ZipFile(file) as opened:
                yield opened
        else:
            with _tar_stream(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as opened:
                yield opened
    except ArchiveError as error:
        raise ArchiveError(f"{archive}: refused, nothing was unpacked: {error}.") from error
    except _DAMAGE as error:
        raise _damaged(archive, error) from error
    except (NotImplementedError, ValueError, IndexError, OverflowError, RecursionError, struct.error) as error:
        # what zipfile and tarfile let through from headers that are newer than they know, or random bytes; a tar's
        # extended headers that follow one another are read by recursion
        raise _damaged(archive, error) from error
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):
            raise  # the disk's fault, not the archive's
        raise _damaged(archive, error) from error  # bz2 reports damage so, and a place that no file can have


def _damaged(archive: Path, error: Exception) -> ArchiveError:
    return ArchiveError(f"{archive}: not a complete zip or tar archive ({error}); fetch it again or make it anew.")


@contextmanager
def _tar_stream(archive: Path) -> Iterator[IO[bytes]]:
    with archive.open("rb") as file:
        head = file.read(6)
    opener = next((opener for magic, opener in _TAR_OPENERS if head.startswith(magic)), open)
    with opener(archive, "rb") as file:
        yield cast(IO[bytes], _Bounded(cast(IO[bytes], file)))


class _ZipBytes(io.BufferedReader):
    """A zip's bytes, of which no directory can ask for so many that a million entries are made before we count them."""

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > _LONGEST_DIRECTORY:
            raise ArchiveError(
                f"a directory of {size} bytes, at most {_LONGEST_DIRECTORY} are read; pack fewer files into one archive"
            )
        return super().read(size)


class _Bounded:
    """A tar's bytes, on which no header can ask for gigabytes at once or for a step back before the start.

    tarfile reads extended headers whole, with the length they claim, before any check of ours could see them.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.tell = file.tell

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _LONGEST_HEADER:
            raise ArchiveError(f"a header that claims {size} bytes")
        return self._file.read(size)

    def seek(self, offset: int) -> int:
        if offset < 0:
            raise ArchiveError("a member with a negative size")
        return self._file.seek(offset)


def list_members(opened: OpenArchive, archive: Path, limits: ArchiveLimits) -> tuple[Member, ...]:
    """Judge every member of an archive opened by `open_archive`; the files among them, in order.

    Raises:
        ArchiveError: a member is refused or a limit passed; `open_archive` adds the archive's name.
    """
    entries = _zip_entries(opened, limits) if isinstance(opened, zipfile.ZipFile) else _tar_entries(opened)
    packed = archive.stat().st_size
    register, members, total = NameRegister(), [], 0
    for count, (member, folder) in enumerate(entries, start=1):
        if count > limits.max_files:
            raise ArchiveError(f"more than {limits.max_files} files")
        register.add(member.path, folder=folder)
        if member.size > limits.max_file_mb * MB:
            raise ArchiveError(
                f"member '{member.path}': {member.size / MB:.0f} MB, at most {limits.max_file_mb:g} allowed"
            )
        total += member.size
        if total > limits.max_total_mb * MB:
            raise ArchiveError(f"more than {limits.max_total_mb:g} MB unpacked")
        # Against the real size of the file: members may claim any packed size, or overlap inside a zip.
        _check_ratio("the archive", total, packed, limits)
        if not folder and not any(part in _SYSTEM_LITTER for part in member.path.parts):
            members.append(member)
    if not members:
        raise ArchiveError("it holds no files")
    return tuple(members)


def _check_ratio(what: str, unpacked: int, packed: int, limits: ArchiveLimits) -> None:
    if unpacked > limits.ratio_from_mb * MB and unpacked > limits.max_ratio * packed:
        times = f"{unpacked / max(packed, 1):.0f}-fold"
        raise ArchiveError(f"{what} grows {times} when unpacked, at most {limits.max_ratio:g}-fold allowed")


def _zip_entries(opened: zipfile.ZipFile, limits: ArchiveLimits) -> Iterator[tuple[Member, bool]]:
    for info in opened.infolist():
        name = info.orig_filename  # as it stands there: `filename` is already cut at a NUL
        path = safe_member_name(name)
        if path is None:
            continue
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise ArchiveError(f"member {name!r}: a link or a device, only files and folders are expected")
        if info.flag_bits & _ENCRYPTED:
            raise ArchiveError(f"member {name!r}: encrypted; pack the archive without a password")
        if info.compress_type not in _ZIP_METHODS:
            raise ArchiveError(f"member {name!r}: packed by method {info.compress_type}; use plain 'deflate'")
        _check_ratio(f"member {name!r}", info.file_size, info.compress_size, limits)
        folder = name.endswith(("/", "\\")) or kind == stat.S_IFDIR
        yield Member(path, 0 if folder else info.file_size, info.CRC, info), folder


def _tar_entries(opened: tarfile.TarFile) -> Iterator[tuple[Member, bool]]:
    assert opened.fileobj is not None
    for info in opened:
        if info.size < 0:
            raise ArchiveError(f"member {info.name!r}: a negative size")
        if info.issparse() or not (info.isfile() or info.isdir()):
            raise ArchiveError(f"member {info.name!r}: a link, a device or sparse; only files and folders are expected")
        path = safe_member_name(info.name)
        if path is not None:
            yield Member(path, 0 if info.isdir() else info.size, None, info), info.isdir()
    # tarfile takes the end of the file, or a header it cannot read, for the end of the archive.
    opened.fileobj.seek(opened.offset)
    if opened.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError(f"cut off or damaged after {opened.offset} bytes")
    # the checksum of a packed tar stands behind everything, and is looked at by who reads so far
    if opened.fileobj.read(_LONGEST_PADDING) and opened.fileobj.read(1):
        raise ArchiveError(f"more than {_LONGEST_PADDING} bytes behind the last file")
