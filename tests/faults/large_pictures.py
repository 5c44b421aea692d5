"""A picture as large as allowed, read in a process of its own, and the memory that it took.

python large_pictures.py FILE      prints {"before", "peak" in bytes, "away" from what was saved}
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from peak_memory import peak_memory
from PIL import Image

LARGE_KINDS = {
    "grey.jpg": ("L", {"quality": 60}),
    "colour.jpg": ("RGB", {"quality": 60}),
    "cmyk.jpg": ("CMYK", {"quality": 60}),
    "alpha.png": ("RGBA", {"compress_level": 1}),
    "sixteen.png": ("I;16", {"compress_level": 1}),
    "floats.tif": ("F", {"compression": "tiff_lzw"}),
    "colour.webp": ("RGB", {"quality": 10, "method": 0}),
}


def scene(side: int) -> np.ndarray:
    """`(side, side)` uint8: slow slopes, which every kind keeps."""
    slope = np.abs(np.arange(side) % 400 - 200).astype(np.uint8)
    return slope[:, None] // 2 + slope[None, :] // 2


def write_large(kind: str, side: int, folder: Path) -> Path:
    mode, options = LARGE_KINDS[kind]
    grey = scene(side)
    if mode == "F":
        image = Image.fromarray(grey.astype(np.float32) / 255)
    elif mode == "I;16":
        image = Image.fromarray(grey.astype(np.uint16) * 257)
    else:
        image = Image.fromarray(grey).convert(mode)
    path = folder / kind
    image.save(path, **options)
    return path


def main(path: Path) -> None:
    from jaalnet_core.data.pictures import read_picture

    before = peak_memory()
    read = read_picture(path)
    peak = peak_memory()
    away = np.abs(read[::7, ::7, 0].astype(int) - scene(read.shape[0])[::7, ::7]).mean()
    print(json.dumps({"before": before, "peak": peak, "away": float(away)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
