"""A file on its way: what has arrived of it, kept under a name that nobody takes for the whole."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from tqdm.auto import tqdm

from jaalnet_core.errors import DataError

MB = 1_000_000


class PartialFile:
    """`NAME.part`, what has arrived of NAME, and `NAME.part.json`, its origin and full length.

    Attributes:
        output: NAME, the path of the complete file.
        path: NAME.part.
        url: the address the bytes came from last; None if unknown.
        total: length of the complete file in bytes; None if unknown.
        validator: the ETag or date by which the server tells versions apart; None if it gave none.
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        self.path = output.with_name(output.name + ".part")
        self._notes = output.with_name(output.name + ".part.json")
        try:
            notes = json.loads(self._notes.read_text(encoding="utf-8"))
            self.url, self.total, self.validator = notes["url"], notes["total"], notes["validator"]
        except (
            OSError,
            ValueError,
            TypeError,
            KeyError,
        ):  # none yet, or cut off itself: the bytes still count
            self.url, self.total, self.validator = None, None, None

    @property
    def size(self) -> int:
        """Bytes that have arrived."""
        return self.path.stat().st_size if self.path.exists() else 0

    def note(self, url: str, total: int | None, validator: str | None) -> None:
        """Keep what the server said about the file, for a later call."""
        self.url, self.total, self.validator = url, total, validator
        self._notes.write_text(json.dumps({"url": url, "total": total, "validator": validator}), encoding="utf-8")

    def discard(self) -> None:
        """Forget what has arrived."""
        self.path.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)

    def receive(self, chunks: Iterable[bytes], start: int, bar: tqdm) -> None:
        """Write the bytes from `start` on.

        A server that ignores Range sends everything again: what is there already is then compared with it,
        not thrown away, so that the next cut cannot lose it.
        """
        have = self.size
        with self.path.open("r+b" if have else "wb") as file:
            file.seek(start)
            bar.update(start - bar.n)
            for chunk in chunks:
                if file.tell() < have:
                    have, chunk = _compare(file, chunk, have)
                file.write(chunk)
                bar.update(file.tell() - bar.n)
            if file.tell() == self.total:
                file.truncate()  # the file there is shorter than the one that was begun
                file.flush()
                os.fsync(file.fileno())

    def finish(self, check: Callable[[Path], None] | None) -> None:
        """Give the complete file its real name; one that fails `check` becomes `NAME.rejected`."""
        try:
            if check is not None:
                check(self.path)
        except DataError:
            os.replace(self.path, self.output.with_name(self.output.name + ".rejected"))
            raise
        else:
            os.replace(self.path, self.output)
        finally:
            self._notes.unlink(missing_ok=True)

    def __str__(self) -> str:
        if not self.size:
            return "nothing has arrived yet"
        of = f" of {self.total / MB:.1f}" if self.total else ""
        return f"{self.path} holds {self.size / MB:.1f}{of} MB"


def _compare(file: IO[bytes], chunk: bytes, have: int) -> tuple[int, bytes]:
    """How many of the old bytes hold good after this chunk, and what of the chunk is still to be written."""
    position = file.tell()
    old = file.read(min(len(chunk), have - position))
    if chunk.startswith(old):
        file.seek(position + len(old))  # a file wants a seek between reading and writing
        return have, chunk[len(old) :]
    file.seek(position)
    file.truncate()
    return position, chunk
