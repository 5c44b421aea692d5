"""Fetch one large file over HTTP so that a cut connection, or a full disk, costs nothing that had arrived.

pooch's own `HTTPDownloader` starts at byte 0 each time: `pooch.retrieve` hands it a temporary name, which is
deleted when the transfer fails, and it sends no Range. Here the file grows under its own name with `.part`
behind it, and the next attempt, or the next call, asks the server only for the rest. The class keeps pooch's
downloader interface, so that `pooch.retrieve(..., downloader=ResumingDownloader())` works too.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from tqdm.auto import tqdm

from jaalnet_core.data.partial_file import MB, PartialFile
from jaalnet_core.errors import DataError

CHUNK = 1 << 14  # bytes; when a connection breaks, a chunk that is not full yet is lost
LONGEST_WAIT = 60  # seconds between two attempts, whatever the server asks for
_WORTH_RETRYING = (408, 425, 429, 500, 502, 503, 504)
_NEVER_BETTER = (requests.exceptions.SSLError, requests.exceptions.TooManyRedirects, ValueError)


class DownloadError(DataError):
    """A file that this address does not give; another address may."""


class _Interrupted(Exception):
    """An attempt that ended early, with the seconds the server asks us to wait (0: it did not say)."""

    def __init__(self, reason: str, wait: float = 0) -> None:
        super().__init__(reason)
        self.wait = wait


@dataclass(frozen=True)
class ResumingDownloader:
    """Downloads a URL to a file, going on from what an earlier attempt left.

    Attributes:
        attempts: attempts in a row that bring nothing new before giving up.
        timeout: seconds without a byte after which the server counts as stalled.
        progress: show a bar.
        before: called with (bytes in all, bytes present) before the first byte is written; may raise.
        check: called with the complete `.part`; a `DataError` from it keeps the file from its real name.
        sleep: waits between attempts: 1, 2, 4, ... seconds, or as long as the server asks for.
    """

    attempts: int = 5
    timeout: float = 30.0
    progress: bool = True
    before: Callable[[int, int], None] | None = None
    check: Callable[[Path], None] | None = None
    sleep: Callable[[float], None] = time.sleep

    def __call__(self, url: str, output_file: str | Path, pooch: Any = None, check_only: bool = False) -> bool | None:
        """Fetch `url` into `output_file` (pooch's downloader interface; `pooch` itself is not used).

        Raises:
            DownloadError: the address does not give the file; what has arrived stays in `.part`.
            DataError: the disk is full, or `before` or `check` raised it.
        """
        if check_only:
            return requests.head(url, timeout=self.timeout, allow_redirects=True).ok
        part = PartialFile(Path(output_file))
        part.output.parent.mkdir(parents=True, exist_ok=True)
        best, failures = part.size, 0
        with self._bar(part) as bar:
            while True:
                try:
                    self._attempt(url, part, bar)
                    break
                except _Interrupted as interruption:
                    # only growth counts: a server that breaks off at the same byte each time must not hold us
                    failures = 0 if part.size > best else failures + 1
                    best = max(best, part.size)
                    if failures >= self.attempts:
                        raise DownloadError(
                            f"{url}: {interruption} (attempts without a new byte: {failures}); {part}"
                        ) from None
                    wait = min(interruption.wait or 2 ** max(failures - 1, 0), LONGEST_WAIT)
                    tqdm.write(f"{part.output.name}: {interruption}; going on in {wait:g} s.")
                    self.sleep(wait)
        part.finish(self.check)
        return None

    def _bar(self, part: PartialFile) -> tqdm:
        return tqdm(
            desc=part.output.name,
            initial=part.size,
            total=part.total,
            unit="B",
            unit_scale=True,
            disable=not self.progress,
        )

    def _attempt(self, url: str, part: PartialFile, bar: tqdm) -> None:
        have = part.size
        headers = {"Accept-Encoding": "identity"}  # the file's own bytes: lengths and ranges count those
        if have:
            headers["Range"] = f"bytes={have}-"
            if part.validator and part.url == url:
                headers["If-Range"] = part.validator  # another version of the file comes whole, not as a rest
        try:
            with requests.get(url, headers=headers, stream=True, timeout=self.timeout) as response:
                start, total = self._judge(response, url, part, have)
                if total is None and start:
                    total = part.total
                validator = _validator(response)
                if have and part.url == url and part.validator and validator and validator != part.validator:
                    # another version, whatever became of our If-Range; and bytes of the old one must not stay beside
                    # the note of the new one, or a kill at this moment would let the next call join the two
                    part.discard()
                    if start != 0:
                        raise _Interrupted("the file there is another one than was begun; it starts afresh")
                part.note(url, total, validator)
                if total is not None:
                    bar.total = total
                    if self.before is not None:
                        self.before(total, have)
                if start is not None:
                    part.receive(response.iter_content(CHUNK), start, bar)
        except _NEVER_BETTER as error:
            raise DownloadError(f"{url}: {error}") from error
        except requests.RequestException as error:
            raise _Interrupted(_reason(error)) from error
        except OSError as error:
            raise DataError(
                f"{part.path}: writing failed ({error.strerror or error}); {part}. "
                "Free some room and call again: the download goes on from there."
            ) from error
        if part.total is not None and part.size < part.total:
            raise _Interrupted(f"the connection ended after {part.size / MB:.1f} of {part.total / MB:.1f} MB")

    @staticmethod
    def _judge(response: requests.Response, url: str, part: PartialFile, have: int) -> tuple[int | None, int | None]:
        """At which byte the body starts (None: nothing is missing), and the length of the whole file."""
        status = response.status_code
        content_range = re.fullmatch(
            r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", response.headers.get("Content-Range", "").strip()
        )
        total = int(content_range[2]) if content_range and content_range[2] != "*" else None
        if status == 416 and have:
            if total == have:
                return None, total
            part.discard()
            raise _Interrupted(f"{part.path.name} is longer than the file there; it starts afresh")
        if status in _WORTH_RETRYING:
            asked = response.headers.get("Retry-After", "")
            raise _Interrupted(f"the server answered {status} {response.reason}", int(asked) if asked.isdigit() else 0)
        if status not in (200, 206):
            raise DownloadError(f"{url}: the server answered {status} {response.reason}")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise DownloadError(f"{url}: the server repacks the file ({response.headers['Content-Encoding']})")
        if status == 200:
            length = response.headers.get("Content-Length", "")
            return 0, int(length) if length.isdigit() else None
        if content_range is None or content_range[1] is None or int(content_range[1]) != have:
            raise DownloadError(f"{url}: asked for the bytes from {have}, got {response.headers.get('Content-Range')}")
        if part.total is not None and total is not None and total != part.total:
            # Another host with another version: its rest does not belong to our beginning.
            expected = part.total
            part.discard()
            raise _Interrupted(f"the file there has {total} bytes, {expected} were announced before; it starts afresh")
        return have, total


def _validator(response: requests.Response) -> str | None:
    """A strong ETag, else the date of the last change: what If-Range may name."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified")


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.exceptions.Timeout) or "timed out" in str(error):
        return "the server stalled"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "no connection"
    return "the connection was cut"
