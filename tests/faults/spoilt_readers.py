"""Readers of pictures as they must not be: a study that is given one of these has to notice."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from PIL import Image

from jaalnet_core.data.pictures import read_grey, read_picture
from jaalnet_core.errors import PictureError


def takes_anything(path: Path) -> np.ndarray:
    """What cannot be read is a black picture."""
    try:
        return read_picture(path)
    except PictureError:
        return np.zeros((8, 8, 3), np.uint8)


def leaks_errors(path: Path) -> np.ndarray:
    """A decoder's own exception reaches the user."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def names_nothing(path: Path) -> np.ndarray:
    """The message does not say which file."""
    try:
        return read_picture(path)
    except PictureError as error:
        raise PictureError("a file is damaged") from error


def never_ends(path: Path) -> np.ndarray:
    """Waits for ever, as for a pipe."""
    time.sleep(600)
    return read_picture(path)


def is_greedy(path: Path) -> np.ndarray:
    """Wants three gigabytes for a small picture."""
    np.ones(3 * 1024**3, np.uint8)
    return read_picture(path)


def turns_nothing(path: Path) -> np.ndarray:
    """Takes no notice of the camera's orientation, nor of transparency."""
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("RGB"))
    except Exception as error:
        raise PictureError(f"{path}: {error}") from error


def takes_any_grey(path: Path) -> np.ndarray:
    """A mask's every value above 0 is lesion."""
    return (read_grey(path) > 0).astype(np.uint8)
