"""Archives as nobody should send them: hostile ones made on purpose, and sound ones changed at random."""

from __future__ import annotations

import io
import random
import stat
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

KINDS = ("zip", "stored.zip", "tar", "tar.gz", "tar.bz2", "tar.xz")
FILES = {
    "set/first.png": bytes(range(256)) * 20,
    "set/deep/second.png": b"",
    "set/third.bmp": b"third" * 300,
    "set/inner.zip": b"PK\x05\x06" + bytes(18),
}
LEAVING = (
    "../evil", "set/../../evil", "..\\evil", "set\\..\\..\\evil", "{outside}/evil", "//host/share/evil", "C:/evil",
    "..", "\\\\?\\C:\\evil", "C:evil", "set/evil\n.png", "set/" + "x" * 300, "x/" * 40 + "evil", "set/evil.",
    "set/evil ", "NUL", "set/aux.png", "\ufeff/../evil", "set/\x7f", "evil:stream", "./../evil", "set/./../../evil",
)  # fmt: skip
CUT_AT_NUL = "set/evil\0.png"  # in a zip; a tar's names end there, and are sound
CLASHES = (("a.png", "a.png"), ("a.png", "A.PNG"), ("Ä.png", "A\u0308.png"), ("a", "a/b"), ("a/b", "a"), ("a/", "a"))


def pack(path: Path, files: dict[str, bytes] | list[tuple[str, bytes]], kind: str) -> Path:
    """A zip or tar of these files, whatever their names."""
    pairs = files.items() if isinstance(files, dict) else files
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's, of names that appear twice
        if kind.endswith("zip"):
            method = zipfile.ZIP_STORED if kind == "stored.zip" else zipfile.ZIP_DEFLATED
            with zipfile.ZipFile(path, "w", method) as archive:
                for name, content in pairs:
                    info = zipfile.ZipInfo("x")
                    info.filename, info.compress_type = name, method  # not cut at a NUL, as its maker would
                    archive.writestr(info, content)
        else:
            mode = {"tar": "w", "tar.gz": "w:gz", "tar.bz2": "w:bz2", "tar.xz": "w:xz"}[kind]
            with tarfile.open(path, mode) as archive:
                for name, content in pairs:
                    info = tarfile.TarInfo(name)
                    info.size = len(content)
                    archive.addfile(info, io.BytesIO(content))
    return path


def hostile() -> Iterator[Callable[[Path, Path], Path]]:
    """Makers of archives that must be refused: (folder to make it in, a folder outside) to the archive."""
    for kind in KINDS:
        for name in (*LEAVING, CUT_AT_NUL) if kind.endswith("zip") else LEAVING:
            yield lambda at, out, kind=kind, name=name: pack(
                at / "a", [("good.png", b"1"), (name.replace("{outside}", str(out)), b"2")], kind
            )
        for pair in CLASHES:
            yield lambda at, out, kind=kind, pair=pair: pack(at / "a", [(name, b"1") for name in pair], kind)
    for mode in (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK):
        yield lambda at, out, mode=mode: _zip_of(at, out, external_attr=(mode | 0o777) << 16)
    for bit in (0x1, 0x40, 0x2000):
        yield lambda at, out, bit=bit: _flagged(at, bit)
    kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"S", b"V", b"Z")
    for kind in kinds:
        yield lambda at, out, kind=kind: _tar_of(at, [(kind, "link", str(out)), (tarfile.REGTYPE, "link/evil", "")])
        yield lambda at, out, kind=kind: _tar_of(at, [(kind, "link", "../outside/kept"), (b"0", "link", "")])
    for size in (-1, -512, 1 << 33, (1 << 63) - 1, 1 << 63, 1 << 64):
        yield lambda at, out, size=size: _sized(at, size)
    for size in (0, 5, 1 << 31, 0xFFFFFFFE):  # what the directory claims of a file that is larger, or smaller
        yield lambda at, out, size=size: _lying_zip(at, size)
    yield from (_bomb_zip, _bomb_tar, _bzip2_bomb, _million, _longnames)


def _zip_of(at: Path, out: Path, **attributes: int) -> Path:
    info = zipfile.ZipInfo("link")
    info.create_system = 3
    for name, value in attributes.items():
        setattr(info, name, value)
    with zipfile.ZipFile(at / "a", "w") as archive:
        archive.writestr(info, str(out))
        archive.writestr("link/evil", b"1")
    return at / "a"


def _flagged(at: Path, bit: int) -> Path:
    raw = bytearray(pack(at / "a", {"a.png": b"12345"}, "zip").read_bytes())
    place = raw.index(b"PK\1\2") + 8
    raw[place : place + 2] = (int.from_bytes(raw[place : place + 2], "little") | bit).to_bytes(2, "little")
    (at / "a").write_bytes(raw)
    return at / "a"


def _tar_of(at: Path, members: list[tuple[bytes, str, str]]) -> Path:
    with tarfile.open(at / "a", "w") as archive:
        for kind, name, link in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, link
            archive.addfile(info)
    return at / "a"


def _sized(at: Path, size: int) -> Path:
    record = f" size={size}\n"
    length = len(record) + 2
    head = tarfile.TarInfo("pax")
    head.type, head.size = tarfile.XHDTYPE, length
    body = f"{length}{record}".encode().ljust(512, b"\0")
    (at / "a").write_bytes(head.tobuf(tarfile.USTAR_FORMAT) + body + tarfile.TarInfo("f").tobuf() + bytes(2048))
    return at / "a"


def _lying_zip(at: Path, size: int) -> Path:
    raw = bytearray(pack(at / "a", {"a.bin": bytes(3_000_000)}, "zip").read_bytes())
    place = raw.index(b"PK\1\2") + 24
    raw[place : place + 4] = size.to_bytes(4, "little")
    (at / "a").write_bytes(raw)
    return at / "a"


def _bomb_zip(at: Path, out: Path) -> Path:
    return pack(at / "a", {f"{i}.bin": bytes(30_000_000) for i in range(3)}, "zip")


def _bomb_tar(at: Path, out: Path) -> Path:
    return pack(at / "a", {f"{i}.bin": bytes(30_000_000) for i in range(3)}, "tar.gz")


def _bzip2_bomb(at: Path, out: Path) -> Path:
    with zipfile.ZipFile(at / "a", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.bin", bytes(40_000_000))
    raw = bytearray((at / "a").read_bytes())
    place = raw.index(b"PK\1\2") + 24
    raw[place : place + 4] = (1000).to_bytes(4, "little")
    (at / "a").write_bytes(raw)
    return at / "a"


def _million(at: Path, out: Path) -> Path:
    entry = (
        struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 3, 20, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0) + b"12345678"
    )
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, len(entry) * 1_000_000, 0, 0)
    (at / "a").write_bytes(entry * 1_000_000 + end)
    return at / "a"


def _longnames(at: Path, out: Path) -> Path:
    head = tarfile.TarInfo("long")
    head.type, head.size = tarfile.GNUTYPE_LONGNAME, 4
    (at / "a").write_bytes((head.tobuf(tarfile.GNU_FORMAT) + b"abc\0".ljust(512, b"\0")) * 3000 + bytes(1024))
    return at / "a"


def changed(raw: bytes, rng: random.Random) -> bytes:
    """The same bytes with one to four accidents: flips, cuts, gaps, repeats, large numbers, bits of hostile names."""
    data = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(data) or 1)
        reach = place + rng.choice([1, 2, 4, 8, 64, 512])
        match rng.choice(["flip", "flip", "byte", "cut", "gap", "repeat", "number", "words", "swap"]):
            case "flip" if data:
                data[place] ^= 1 << rng.randrange(8)
            case "byte" if data:
                data[place] = rng.randrange(256)
            case "cut":
                del data[place:]
            case "gap":
                del data[place:reach]
            case "repeat":
                data[place:place] = data[place:reach]
            case "number":
                data[place : place + 4] = rng.choice([b"\xff" * 4, b"\0" * 4, b"\0\0\0\x80", b"\xff\xff\xff\x7f"])
            case "words":
                words = rng.choice([b"../../evil", b"/tmp/evil", b"C:\\evil", b"\0", b"PK\1\2", b"PK\3\4"])
                data[place : place + len(words)] = words
            case "swap":
                data[place:reach] = bytes(reversed(data[place:reach]))
    return bytes(data)
