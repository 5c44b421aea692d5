"""Small pictures and masks on a disk, for the tests of everything that reads files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def a_picture(seed: int = 0, height: int = 40, width: int = 56) -> np.ndarray:
    """`(H, W, 3)` uint8: smooth random colours that JPEG keeps; no two seeds are alike."""
    coarse = np.random.default_rng(seed).integers(20, 236, (5, 7, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def a_mask(seed: int = 0, height: int = 40, width: int = 56) -> np.ndarray:
    """`(H, W)` uint8 of 0 and 1: an off-centre ellipse."""
    rows, columns = np.mgrid[:height, :width]
    middle = (0.4 + 0.02 * (seed % 7)) * height, (0.45 + 0.02 * (seed % 5)) * width
    return (((rows - middle[0]) / (0.25 * height)) ** 2 + ((columns - middle[1]) / (0.3 * width)) ** 2 < 1).astype(
        np.uint8
    )


def save(path: Path, values: np.ndarray, **options: object) -> Path:
    """Write an array as the picture file its name says, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, **options)
    return path


def save_pair(picture: Path, mask: Path, seed: int = 0, height: int = 40, width: int = 56) -> None:
    """Write a picture and its mask (0 and 255)."""
    save(picture, a_picture(seed, height, width))
    save(mask, a_mask(seed, height, width) * np.uint8(255))


def a_data_folder(root: Path, *, train: int = 3, test: int = 2) -> Path:
    """`root/{train,test}/{images,masks}` with `l00.png`, `l01.png`, … in train, and so on in test."""
    for number in range(train + test):
        split = root / ("train" if number < train else "test")
        save_pair(split / "images" / f"l{number:02}.png", split / "masks" / f"l{number:02}_mask.png", number)
    return root
