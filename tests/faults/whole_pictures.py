"""Whole picture files of every kind and mode that cameras, scanners and programs write, and what each shows."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from odd_files import OddFile
from PIL import Image

_STORED = {  # how a picture lies in a file whose EXIF orientation says how to turn it back
    1: lambda shown: shown,
    2: lambda shown: shown[:, ::-1],
    3: lambda shown: shown[::-1, ::-1],
    4: lambda shown: shown[::-1],
    5: lambda shown: np.swapaxes(shown, 0, 1),
    6: lambda shown: np.rot90(shown, 1),
    7: lambda shown: np.swapaxes(shown[::-1, ::-1], 0, 1),
    8: lambda shown: np.rot90(shown, -1),
}
_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def shown(rng: np.random.Generator, *, smallest: int = 1) -> np.ndarray:
    """`(H, W, 3)` uint8: smooth random colours, 1 to 64 pixels a side, now and then a single row or column."""
    height, width = rng.integers(smallest, 65, 2)
    if smallest == 1 and rng.random() < 0.1:
        height, width = [(1, 1), (1, width), (height, 1), (1, 3000)][rng.integers(4)]
    coarse = rng.integers(20, 236, (3, 4, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((int(width), int(height)), Image.Resampling.BILINEAR))


def saved(values: np.ndarray | Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of a file of a kind that Pillow writes."""
    buffer = io.BytesIO()
    image = values if isinstance(values, Image.Image) else Image.fromarray(np.ascontiguousarray(values))
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(header: tuple[int, ...], rows: bytes, *more: tuple[bytes, bytes]) -> bytes:
    """A PNG by hand: (width, height, bits, colour type, interlaced), the filtered rows, and other chunks."""
    width, height, bits, colour_type, interlaced = header
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, interlaced)), *more]
    parts += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in parts
    )


def exif(orientation: int) -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = orientation
    return found


def stored(values: np.ndarray, orientation: int) -> np.ndarray:
    """How `(H, W, ...)` values lie in a file whose EXIF orientation turns them back."""
    return np.ascontiguousarray(_STORED[orientation](values))


def whole_picture(rng: np.random.Generator, kind: str | None = None) -> OddFile:
    """A file of the kind named, or of a random one."""
    kind = kind or str(rng.choice(sorted(KINDS)))
    return KINDS[kind](kind, rng)


def _lossless(suffix: str, name: str, **options: Any) -> Callable[[str, np.random.Generator], OddFile]:
    def make(kind: str, rng: np.random.Generator) -> OddFile:
        rgb = shown(rng)
        return OddFile(kind, suffix, saved(rgb, name, **options), "read", rgb)

    return make


def _jpeg(**options: Any) -> Callable[[str, np.random.Generator], OddFile]:
    def make(kind: str, rng: np.random.Generator) -> OddFile:
        content = saved(shown(rng), "JPEG", quality=int(rng.integers(60, 96)), **options)
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        return OddFile(kind, ".jpg", content, "read", cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), 1.5)

    return make


def _through_mode(mode: str, suffix: str, name: str, tolerance: float = 0.0) -> Callable[..., OddFile]:
    """Saved in another mode of Pillow's; shown is what that mode keeps."""

    def make(kind: str, rng: np.random.Generator) -> OddFile:
        rgb = shown(rng)
        image = Image.fromarray(rgb).convert(mode)
        expected = rgb if mode == "CMYK" else np.asarray(image.convert("RGB"))
        return OddFile(kind, suffix, saved(image, name), "read", expected, tolerance)

    return make


def _wide(suffix: str, factor: float, dtype: type) -> Callable[..., OddFile]:
    """One channel of numbers wider than a byte."""

    def make(kind: str, rng: np.random.Generator) -> OddFile:
        grey = shown(rng)[:, :, 1]
        values = (grey.astype(np.float64) * factor).astype(dtype)
        content = saved(values, {".png": "PNG", ".tif": "TIFF"}[suffix])
        return OddFile(kind, suffix, content, "read", np.dstack([grey] * 3))

    return make


def _holes(kind: str, rng: np.random.Generator) -> OddFile:
    """NaN is black and infinity white, whatever the scale of the rest."""
    grey = shown(rng)[:, :, 1].copy()
    scale = [1 / 255, 1.0, 257.0][rng.integers(3)]
    values = (grey.astype(np.float64) * scale).astype(np.float32)
    for number, black_or_white in ((np.nan, 0), (np.inf, 255), (-np.inf, 0)):
        hole = rng.random(grey.shape) < 0.1
        hole[0, 0] = False  # one number at least
        values[hole], grey[hole] = number, black_or_white
    return OddFile(kind, ".tif", saved(values, "TIFF"), "read", np.dstack([grey] * 3), 0.01)


def _no_number(kind: str, rng: np.random.Generator) -> OddFile:
    return OddFile(kind, ".tif", saved(np.full((9, 9), np.nan, np.float32), "TIFF"), "refused")


def _sixteen_bit_colour(kind: str, rng: np.random.Generator) -> OddFile:
    rgb = shown(rng)
    content = cv2.imencode(".png", rgb[:, :, ::-1].astype(np.uint16) * 257)[1].tobytes()
    return OddFile(kind, ".png", content, "read", rgb)


def _interlaced(kind: str, rng: np.random.Generator) -> OddFile:
    rgb = shown(rng)
    passes = [rgb[top::down, left::right] for top, left, down, right in _ADAM7]
    rows = b"".join(b"\0" + row.tobytes() for part in passes if part.size for row in part)
    return OddFile(kind, ".png", png((rgb.shape[1], rgb.shape[0], 8, 2, 1), rows), "read", rgb)


def _transparent(mode: str, suffix: str, name: str, **options: Any) -> Callable[..., OddFile]:
    def make(kind: str, rng: np.random.Generator) -> OddFile:
        rgb = shown(rng)
        image = Image.fromarray(rgb).convert(mode)
        clear = rng.random(rgb.shape[:2]) < 0.3
        image.putalpha(Image.fromarray(np.where(clear, 0, 255).astype(np.uint8)))
        expected = np.asarray(Image.fromarray(rgb).convert("L").convert("RGB") if mode == "LA" else rgb).copy()
        expected[clear] = 255
        return OddFile(kind, suffix, saved(image, name, **options), "read", expected)

    return make


def _turned(suffix: str, name: str, tolerance: float = 0.0, **options: Any) -> Callable[..., OddFile]:
    def make(kind: str, rng: np.random.Generator) -> OddFile:
        rgb = shown(rng, smallest=20)
        orientation = int(rng.integers(1, 9))
        content = saved(stored(rgb, orientation), name, exif=exif(orientation), **options)
        return OddFile(kind, suffix, content, "read", rgb, tolerance)

    return make


def _strange_orientation(kind: str, rng: np.random.Generator) -> OddFile:
    rgb = shown(rng)
    number = int(rng.choice([0, 9, 77, 65535]))
    return OddFile(kind, ".png", saved(rgb, "PNG", exif=exif(number)), "read", rgb)


def _broken_exif(kind: str, rng: np.random.Generator) -> OddFile:
    """EXIF that is noise, or cut, or speaks of things that are not there: the pixels are whole all the same."""
    rgb = shown(rng, smallest=16)
    whole = exif(int(rng.integers(0, 2))).tobytes()  # 0 and 1 turn nothing
    noise = bytes(rng.integers(0, 256, int(rng.integers(1, 80)), dtype=np.uint8))
    spoilt = [noise, whole[: int(rng.integers(6, len(whole)))], b"Exif\0\0MM\0*" + b"\xff" * 30][rng.integers(3)]
    return OddFile(kind, ".jpg", saved(rgb, "JPEG", quality=95, exif=spoilt), "read", rgb, 4.0)


def _broken_profile(kind: str, rng: np.random.Generator) -> OddFile:
    rgb = shown(rng)
    noise = bytes(rng.integers(0, 256, int(rng.integers(1, 500)), dtype=np.uint8))
    return OddFile(kind, ".png", saved(rgb, "PNG", icc_profile=noise), "read", rgb)


def _frames(suffix: str, name: str, **options: Any) -> Callable[..., OddFile]:
    def make(kind: str, rng: np.random.Generator) -> OddFile:
        rgb = shown(rng, smallest=4)
        more = [Image.fromarray(rgb[::-1].copy()), Image.fromarray(255 - rgb)]
        return OddFile(kind, suffix, saved(rgb, name, save_all=True, append_images=more, **options), "read", rgb)

    return make


def _other_name(kind: str, rng: np.random.Generator) -> OddFile:
    rgb = shown(rng)
    name = str(rng.choice(["PNG", "TIFF", "BMP"]))
    suffix = str(rng.choice([".jpg", ".webp", ".JPEG", ".Tiff", ""]))
    return OddFile(kind, suffix, saved(rgb, name), "read", rgb)


KINDS: dict[str, Callable[[str, np.random.Generator], OddFile]] = {
    "PNG": _lossless(".png", "PNG"),
    "BMP": _lossless(".bmp", "BMP"),
    "TIFF": _lossless(".tif", "TIFF"),
    "TIFF, LZW": _lossless(".tiff", "TIFF", compression="tiff_lzw"),
    "TIFF, deflate": _lossless(".tif", "TIFF", compression="tiff_adobe_deflate"),
    "WebP, lossless": _lossless(".webp", "WEBP", lossless=True),
    "JPEG": _jpeg(),
    "JPEG, progressive": _jpeg(progressive=True),
    "JPEG, no subsampling": _jpeg(subsampling=0),
    "JPEG, CMYK": _through_mode("CMYK", ".jpg", "JPEG", 5.0),
    "TIFF, CMYK": _through_mode("CMYK", ".tif", "TIFF", 1.0),
    "PNG, grey": _through_mode("L", ".png", "PNG"),
    "JPEG, grey": _through_mode("L", ".jpg", "JPEG", 5.0),
    "PNG, palette": _through_mode("P", ".png", "PNG"),
    "BMP, palette": _through_mode("P", ".bmp", "BMP"),
    "PNG, 1 bit": _through_mode("1", ".png", "PNG"),
    "TIFF, 1 bit": _through_mode("1", ".tif", "TIFF"),
    "BMP, 1 bit": _through_mode("1", ".bmp", "BMP"),
    "PNG, 16-bit grey": _wide(".png", 257, np.uint16),
    "TIFF, 16-bit grey": _wide(".tif", 257, np.uint16),
    "TIFF, bytes in 16 bits": _wide(".tif", 1, np.uint16),
    "TIFF, 32-bit whole numbers": _wide(".tif", 257, np.int32),
    "TIFF, fractions": _wide(".tif", 1 / 255, np.float32),
    "TIFF, floats to 255": _wide(".tif", 1, np.float32),
    "TIFF, NaN and infinity": _holes,
    "TIFF, nothing but NaN": _no_number,
    "PNG, 16-bit colour": _sixteen_bit_colour,
    "PNG, interlaced": _interlaced,
    "PNG, alpha": _transparent("RGBA", ".png", "PNG"),
    "PNG, grey and alpha": _transparent("LA", ".png", "PNG"),
    "TIFF, alpha": _transparent("RGBA", ".tif", "TIFF"),
    "WebP, alpha": _transparent("RGBA", ".webp", "WEBP", lossless=True, exact=True),
    "PNG, turned by EXIF": _turned(".png", "PNG"),
    "TIFF, turned by EXIF": _turned(".tif", "TIFF"),
    "WebP, turned by EXIF": _turned(".webp", "WEBP", lossless=True),
    "JPEG, turned by EXIF": _turned(".jpg", "JPEG", 4.0, quality=95),
    "PNG, an orientation that does not exist": _strange_orientation,
    "JPEG, broken EXIF": _broken_exif,
    "PNG, broken colour profile": _broken_profile,
    "TIFF of several pages": _frames(".tif", "TIFF"),
    "animated PNG": _frames(".png", "PNG"),
    "animated WebP": _frames(".webp", "WEBP", lossless=True),
    "another kind's name, or none": _other_name,
}
