"""ISBI2016 from the archive that publishes it: fetched, checked, unpacked, and never fetched twice.

Each of the four archives is tried at one host after the other. What pooch does well is used (hashing, the
interface of a downloader); resuming, unpacking under limits and trying several hosts for one file are ours,
see `resuming_downloader` and `archive`.
"""

from __future__ import annotations

import datetime
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from jaalnet_core.data.archive import ArchiveError, ArchiveLimits, extract_archive, inspect_archive
from jaalnet_core.data.checksums import Checksum, ChecksumError, ChecksumFile
from jaalnet_core.data.layout import NoPicturesError, find_layout
from jaalnet_core.data.official_archives import ARCHIVES, HOSTS, OfficialArchive
from jaalnet_core.data.partial_file import MB, PartialFile
from jaalnet_core.data.resuming_downloader import DownloadError, ResumingDownloader
from jaalnet_core.data.unpacked import check_unpacked, folder_content
from jaalnet_core.errors import DataError, SettingsError

SPARE = 50 * MB  # left free on the disk beyond what the set itself takes


@dataclass(frozen=True)
class DownloadSettings:
    """Where ISBI2016 comes from and where it goes."""

    out: Path = Path("data")
    """The data folder: four folders of pictures and masks, and `archives` beside them."""
    url_base: str | None = None
    """A mirror: the address of the folder that holds the four archives, instead of the official hosts."""
    keep_archives: bool = True
    """Keep the archives (about 840 MB) in `archives` once unpacked: to check, to restore, to pass on."""
    verify: bool = False
    """Also read everything that is there already and hold it against the recorded checksums."""
    attempts: int = 5
    """Attempts in a row that bring nothing new before a host is given up."""
    timeout: float = 30.0
    """Seconds without a byte after which a server counts as stalled."""
    limits: ArchiveLimits = field(default_factory=ArchiveLimits)
    """What an archive may unpack to; the defaults are far above ISBI2016."""

    def __post_init__(self) -> None:
        if self.url_base is not None and urlsplit(self.url_base).scheme not in ("http", "https"):
            raise SettingsError(
                f"--url-base: found {self.url_base!r}, expected an address that begins with http:// or https:// "
                "(archives on this machine are read by `jaalnet data import`)."
            )
        if self.attempts < 1 or self.timeout <= 0:
            raise SettingsError(
                f"--attempts {self.attempts}, --timeout {self.timeout:g}: expected 1 or more, and above 0."
            )


@dataclass(frozen=True)
class Fetched:
    """What became of one archive: its folder, "downloaded", "unpacked" or "reused", and a remark or ""."""

    folder: Path
    action: str
    files: int
    remark: str


def download(settings: DownloadSettings | None = None, *, progress: bool = True) -> tuple[Fetched, ...]:
    """Bring the four folders of ISBI2016 into the data folder; what is there already is not asked for again.

    Raises:
        DataError: no host gives an archive, a checksum differs, the disk is too small, other pictures are in
            the folder, or another call is downloading into it. What had arrived stays for the next call.
    """
    settings = settings or DownloadSettings()
    _refuse_other_pictures(settings.out)
    store = settings.out / "archives"
    try:
        store.mkdir(parents=True, exist_ok=True)
        with FileLock(store / ".lock", timeout=0):
            return _Download(settings, progress).run()
    except Timeout:
        raise DataError(f"{store}: another download is writing there; wait for it to end.") from None
    except OSError as error:
        where = error.filename or store
        raise DataError(f"{where}: {error.strerror or error}; choose another folder with --out.") from error


def _refuse_other_pictures(out: Path) -> None:
    try:
        layout = find_layout(out)
    except NoPicturesError:
        return
    if layout.kind != "official":
        raise DataError(
            f"{out}: holds other pictures already ({len(layout.train)} for training, {len(layout.test)} for "
            "testing); choose another folder with --out."
        )


class _Download:
    """One call: the settings, the checksums, and each archive in turn."""

    def __init__(self, settings: DownloadSettings, progress: bool) -> None:
        self.settings = settings
        self.progress = progress
        self.store = settings.out / "archives"
        self.checksums = ChecksumFile(self.store / "checksums.json")

    def run(self) -> tuple[Fetched, ...]:
        for stale in self.settings.out.glob(".ISBI2016_*.unpacking"):  # of a call that was killed
            shutil.rmtree(stale, ignore_errors=True)
        self._check_room()
        return tuple(self._obtain(archive) for archive in ARCHIVES)

    def _path(self, archive: OfficialArchive) -> Path:
        return self.store / f"{archive.folder}.zip"

    def _check_room(self) -> None:
        """Before the first byte: room for all that is missing, by the rough sizes."""
        needed = 0
        for archive in ARCHIVES:
            path = self._path(archive)
            if not folder_content(self.settings.out / archive.folder)[0]:
                known = self.checksums.get(path.name)
                unpacked, packed = (known.unpacked_size, known.size) if known else (archive.rough_mb * MB,) * 2
                needed += unpacked + (0 if path.exists() else max(packed - PartialFile(path).size, 0))
        self._need(needed, "ISBI2016 (what is missing of the archives, and unpacking them)")

    def _need(self, needed: int, what: str) -> None:
        free = shutil.disk_usage(self.store).free
        if needed and free < needed + SPARE:
            raise DataError(
                f"{self.settings.out}: {what} takes {needed / MB:.0f} MB, {free / MB:.0f} MB are free there "
                f"({SPARE / MB:.0f} MB are to stay free); free some room or choose another folder with --out."
            )

    def _obtain(self, archive: OfficialArchive) -> Fetched:
        folder, path = self.settings.out / archive.folder, self._path(archive)
        if folder_content(folder)[0]:
            action, remark = "reused", self._check_reused(folder, path)
        elif path.exists():
            mend = "Delete it and call again to download it anew."
            sha256 = self.checksums.check(path, path.name, mend=mend)
            try:
                self._unpack(path, folder, sha256, origin=str(path))
            except ArchiveError as error:
                raise DataError(f"{error} {mend}") from error
            action, remark = "unpacked", ""
        else:
            self._fetch(path, folder)
            action, remark = "downloaded", ""
        if not self.settings.keep_archives and self.checksums.get(path.name):
            path.unlink(missing_ok=True)
        files = folder_content(folder)[0]
        if files != archive.files and not remark:
            remark = f"the official archive holds {archive.files}"
        return Fetched(folder, action, files, remark)

    def _check_reused(self, folder: Path, path: Path) -> str:
        known = self.checksums.get(path.name)
        if self.settings.verify and path.exists():
            self.checksums.check(path, path.name, mend="Delete it and its folder and call again.")
            check_unpacked(folder, path, self.settings.limits, progress=self.progress)
            return "" if known else "as in the archive beside it, which has no recorded checksum"
        if known is None:
            return "not put there by this command, nothing to compare it with" if self.settings.verify else ""
        if folder_content(folder) != (known.files, known.unpacked_size):
            message = f"{folder}: holds other files than the {known.files} that were unpacked there"
            mend = "delete the folder and call again to restore it"
            if self.settings.verify:
                raise DataError(f"{message}; {mend}.")
            return f"{message}; {mend}"
        return "counted only, the archive was not kept" if self.settings.verify else ""

    def _fetch(self, path: Path, folder: Path) -> None:
        """Download and unpack one archive from the first host that gives it sound."""
        failures = []
        for base in (self.settings.url_base,) if self.settings.url_base else HOSTS:
            url = f"{base.rstrip('/')}/{path.name}"
            try:
                sha256 = self._download(url, path)
                self._unpack(path, folder, sha256, origin=url)
                return
            except DownloadError as error:
                failures.append(str(error))
            except (ArchiveError, ChecksumError) as error:
                if path.exists():
                    os.replace(path, path.with_name(path.name + ".rejected"))
                failures.append(f"{url}: {error}")
        advice = "call again later to go on, or name a mirror with --url-base"
        raise DataError(f"{path.name}: not downloaded; {advice}. Tried: " + " | ".join(failures))

    def _download(self, url: str, path: Path) -> str:
        """Fetch the archive, look into it, compare its checksum, then give it its real name; its SHA-256."""
        sha256 = ""

        def check(part: Path) -> None:
            nonlocal sha256
            inspect_archive(part, limits=self.settings.limits)
            mend = f"It was set aside as {path.name}.rejected; try another host with --url-base."
            sha256 = self.checksums.check(part, path.name, mend=mend)

        fetch = ResumingDownloader(
            attempts=self.settings.attempts,
            timeout=self.settings.timeout,
            progress=self.progress,
            before=lambda total, have: self._need(2 * total - have, f"{path.name}, packed and unpacked,"),
            check=check,
        )
        fetch(url, path)
        return sha256

    def _unpack(self, path: Path, folder: Path, sha256: str, *, origin: str) -> None:
        """Unpack, and only then record the checksum: that of a damaged archive would keep a sound one out."""
        extract_archive(path, folder, progress=self.progress, limits=self.settings.limits, single_folder=True)
        files, unpacked_size = folder_content(folder)
        if self.checksums.get(path.name) is None:
            today = datetime.datetime.now(datetime.UTC).date().isoformat()
            checksum = Checksum(sha256, path.stat().st_size, origin, today, files, unpacked_size)
            self.checksums.set(path.name, checksum)
