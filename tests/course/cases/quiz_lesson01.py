"""The answers of lesson 1's quiz, worked out."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from jaalnet_core.data.pictures import read_picture
from jaalnet_core.data.preprocess import resize_mask
from jaalnet_core.data.splits import is_validation
from jaalnet_core.size import Size


def picture_from_a_phone() -> tuple[int, ...]:
    note = Image.Exif()
    note[0x0112] = 6
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "phone.jpg"
        Image.fromarray(np.zeros((96, 128, 3), np.uint8)).save(path, exif=note)
        return read_picture(path).shape


def four_of_nine() -> int:
    mask = np.zeros((6, 6), np.uint8)
    mask[:2, :2] = 1
    return int(resize_mask(mask, Size(2, 2))[0, 0])


def held_back_before_but_not_after() -> bool:
    ids = [f"ISIC_{number:07d}" for number in range(2000)]
    return any(is_validation(id, 0.1) and not is_validation(id, 0.2) for id in ids)


TRUTH = {
    1: lambda: sorted(["x_mask.png", "x2_mask.png", "x10_mask.png"]).index("x_mask.png"),
    2: lambda: int(np.array([4000], np.uint16).astype(np.uint8)[0]),
    3: picture_from_a_phone,
    4: four_of_nine,
    5: held_back_before_but_not_after,
}
