"""Archives from elsewhere: nothing is written outside the folder they are unpacked into, whatever they say."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

from apart import BROKEN, tally_apart
from archive_makers import FILES, KINDS, changed, hostile, pack
from fault_study import Study, Tally, needs_linux

from jaalnet_core.data.archive import extract_archive

MEGABYTES, SECONDS = 400, 60.0  # for one archive; a sound one of this size takes a hundredth of either
Extract = Callable[..., object]


def content(folder: Path) -> dict[str, bytes | None]:
    """Every file below a folder with its bytes, and every other thing with None."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() and not path.is_symlink() else None
        for path in folder.rglob("*")
    }


def unpacked(
    make: Callable[[Path, Path], Path], folder: Path, may_succeed: Callable[[dict[str, bytes]], str], extract: Extract
) -> str:
    """Make an archive, unpack it beside what must not change, and look at everything afterwards."""
    root = Path(tempfile.mkdtemp(dir=folder))
    try:
        for name in ("outside", "archive", "target"):
            (root / name).mkdir()
        (root / "outside" / "kept").write_bytes(b"mine")
        archive = make(root / "archive", root / "outside")
        before, target = content(root), root / "target" / "unpacked"
        try:
            extract(archive, target, progress=False)
            outcome = may_succeed({name: data for name, data in content(target).items() if data is not None})
        except BaseException:
            if any((root / "target").iterdir()):
                return f"{BROKEN}an error, and something stayed: {sorted(content(root / 'target'))[:3]}"
            raise
        finally:
            after = {name: data for name, data in content(root).items() if not name.startswith("target/unpacked")}
            if after != before:
                outcome = f"{BROKEN}written outside: {sorted(set(after) ^ set(before))[:3]}"
                return outcome  # noqa: B012 - what lies outside matters more than any error
        return outcome
    finally:
        shutil.rmtree(root, ignore_errors=True)


def refuse(times: int, folder: Path, extract: Extract = extract_archive) -> Tally:
    def success(found: dict[str, bytes]) -> str:
        return f"{BROKEN}unpacked: {sorted(found)[:3]}"

    makers = list(hostile())
    random.Random(7).shuffle(makers)
    tries = [lambda make=make: unpacked(make, folder, success, extract) for make in islice(cycle(makers), times)]
    return tally_apart(tries, megabytes=MEGABYTES, seconds=SECONDS)


def survive(times: int, folder: Path, extract: Extract = extract_archive) -> Tally:
    """Sound archives changed at random. A plain tar has no checksum of its files: there, other bytes may come out."""
    sound = {kind: pack(folder / kind, FILES, kind).read_bytes() for kind in KINDS}

    def one(number: int) -> str:
        kind, rng = KINDS[number % len(KINDS)], random.Random(number)

        def make(at: Path, _: Path) -> Path:
            (at / "a").write_bytes(changed(sound[kind], rng))
            return at / "a"

        def success(found: dict[str, bytes]) -> str:
            if found == FILES:
                return "unpacked as it was packed"
            if kind == "tar":
                return "unpacked, other names or bytes: a plain tar has no checksum of them"
            return f"{BROKEN}{kind}: other files than were packed: {sorted(set(found) ^ set(FILES))[:3]}"

        return unpacked(make, folder, success, extract)

    tries = [lambda number=number: one(number) for number in range(times)]
    return tally_apart(tries, megabytes=MEGABYTES, seconds=SECONDS)


STUDIES = [
    Study(
        "Archives and weights",
        "an archive made to do harm: names that leave the folder, links, devices, sizes that lie, bombs, a million "
        "entries, passwords, names twice",
        "refused by a clear error; nothing is written anywhere; under 400 MB and 60 s",
        short=60,
        long=1000,
        run=refuse,
        lacking=needs_linux,
    ),
    Study(
        "Archives and weights",
        "a zip or tar (plain, gz, bz2, xz) changed at random: bytes, cuts, gaps, repeats, large numbers",
        "what was packed, or a clear error that leaves nothing; nothing outside the folder; under 400 MB and 60 s",
        short=150,
        long=2500,
        run=survive,
        lacking=needs_linux,
    ),
]
