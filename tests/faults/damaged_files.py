"""Picture files that were damaged, and files that only pretend to be pictures."""

from __future__ import annotations

import dataclasses
import functools
import struct
import zlib
from collections.abc import Callable

import numpy as np
from odd_files import OddFile
from PIL import Image
from whole_pictures import png, saved, shown


def cut_short(whole: OddFile, rng: np.random.Generator) -> OddFile:
    """A file cut at a random length: refused, or right (when only what follows the pixels is lost)."""
    length = int(rng.integers(0, len(whole.content)))
    outcome = "refused" if whole.outcome == "refused" else "either"
    return dataclasses.replace(
        whole, kind=f"{whole.kind}, cut to {length}", content=whole.content[:length], outcome=outcome
    )


def with_bytes_changed(whole: OddFile, rng: np.random.Generator) -> OddFile:
    """One to eight bytes changed anywhere: a PNG is refused or right; other kinds may show other pixels."""
    content = bytearray(whole.content)
    places = sorted({int(place) for place in rng.integers(0, len(content), int(rng.integers(1, 9)))})
    for place in places:
        content[place] ^= int(rng.integers(1, 256))
    checked = whole.content.startswith(b"\x89PNG")
    return dataclasses.replace(
        whole,
        kind=f"{whole.kind}, other bytes at {places}",
        content=bytes(content),
        outcome="either",
        expected=whole.expected if checked else None,
    )


def impostor(rng: np.random.Generator, kind: str | None = None) -> OddFile:
    """Something else under a picture's name, or a header that promises too much: always refused."""
    kind = kind or str(rng.choice(sorted(IMPOSTORS)))
    suffix = str(rng.choice([".jpg", ".png", ".tif", ".bmp", ".webp", ".JPG", ""]))
    return OddFile(kind, suffix, IMPOSTORS[kind](rng), "refused")


def _noise(rng: np.random.Generator) -> bytes:
    return bytes(rng.integers(0, 256, int(rng.integers(1, 5000)), dtype=np.uint8))


def _page(rng: np.random.Generator) -> bytes:
    return b"<!DOCTYPE html><html><body>404 Not Found " + b"x" * int(rng.integers(0, 900)) + b"</body></html>"


def _gif(rng: np.random.Generator) -> bytes:
    return saved(Image.fromarray(shown(rng)).convert("P"), "GIF")


def _sides(rng: np.random.Generator) -> tuple[int, int]:
    return ((20_000, 20_000), (65_535, 65_535), (10_001, 10_000), (65_500, 1_600))[rng.integers(4)]


def _huge_png(rng: np.random.Generator) -> bytes:
    return png((*_sides(rng), 8, 2, 0), b"\0" * 50)


def _endless_png(rng: np.random.Generator) -> bytes:
    return png((2**31 - 1, 2**31 - 1, 16, 6, 0), b"\0" * 50)


def _huge_jpeg(rng: np.random.Generator) -> bytes:
    content = bytearray(saved(shown(rng), "JPEG"))
    frame = content.index(b"\xff\xc0")
    width, height = _sides(rng)
    content[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def _huge_bmp(rng: np.random.Generator) -> bytes:
    content = bytearray(saved(shown(rng), "BMP"))
    content[18:26] = struct.pack("<ii", *_sides(rng))
    return bytes(content)


def _huge_tiff(rng: np.random.Generator) -> bytes:
    """The width and height of a TIFF's first directory are its first two entries, as Pillow writes it."""
    content = bytearray(saved(shown(rng), "TIFF"))
    directory = struct.unpack_from("<I", content, 4)[0] + 2
    for entry, side in zip((directory, directory + 12), _sides(rng), strict=True):
        struct.pack_into("<HHII", content, entry, struct.unpack_from("<H", content, entry)[0], 4, 1, side)
    return bytes(content)


def _huge_webp(rng: np.random.Generator) -> bytes:
    """The canvas of an animated WebP: 24 bits a side."""
    frame = Image.fromarray(shown(rng, smallest=4))
    content = bytearray(saved(frame, "WEBP", save_all=True, append_images=[frame.rotate(180)], lossless=True))
    width, height = _sides(rng)
    content[24:30] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(content)


@functools.cache
def _bomb() -> bytes:
    """A whole and valid PNG of 400 megapixels in some 50 KB."""
    packer = zlib.compressobj(9)
    rows = [packer.compress(b"\0" * 2501) for _ in range(20_000)]
    packed = b"".join([*rows, packer.flush()])
    content = png((20_000, 20_000, 1, 0, 0), b"")
    start = content.index(b"IDAT") - 4
    chunk = struct.pack(">I", len(packed)) + b"IDAT" + packed + struct.pack(">I", zlib.crc32(b"IDAT" + packed))
    return content[:start] + chunk + content[-12:]


@functools.cache
def _text_bomb() -> bytes:
    """A small PNG with a comment that unpacks to 100 MB."""
    return png((1, 1, 8, 0, 0), b"\0\0", (b"zTXt", b"Comment\0\0" + zlib.compress(b"\0" * 100_000_000, 9)))


def _many_scans(rng: np.random.Generator) -> bytes:
    """A progressive JPEG whose last scan comes again and again: each is a pass over the whole picture."""
    content = saved(shown(rng, smallest=16), "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:-2] + content[last:-2] * int(rng.integers(120, 2000)) + content[-2:]


IMPOSTORS: dict[str, Callable[[np.random.Generator], bytes]] = {
    "no bytes": lambda rng: b"",
    "zeros": lambda rng: b"\0" * int(rng.integers(1, 5000)),
    "noise": _noise,
    "text": lambda rng: b"Patient 7, left shoulder.\n" * int(rng.integers(1, 50)),
    "web page": _page,
    "PDF": lambda rng: b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n",
    "PostScript": lambda rng: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n",
    "SVG": lambda rng: b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    "zip": lambda rng: b"PK\x05\x06" + b"\0" * 18,
    "DICOM": lambda rng: b"\0" * 128 + b"DICM" + _noise(rng),
    "GIF": _gif,
    "only a signature": lambda rng: [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"BM"][rng.integers(4)],
    "PNG of no width": lambda rng: png((0, 9, 8, 2, 0), b""),
    "PNG that claims to be huge": _huge_png,
    "PNG that claims the largest sides": _endless_png,
    "JPEG that claims to be huge": _huge_jpeg,
    "BMP that claims to be huge": _huge_bmp,
    "TIFF that claims to be huge": _huge_tiff,
    "WebP that claims to be huge": _huge_webp,
    "PNG bomb": lambda rng: _bomb(),
    "PNG with a comment that is a bomb": lambda rng: _text_bomb(),
    "JPEG of hundreds of scans": _many_scans,
}
