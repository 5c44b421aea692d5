"""Pictures that occur twice: the same bytes, or the same photograph saved, resized or recoloured again."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import numpy as np

from jaalnet_core.data.preprocess import resize_picture
from jaalnet_core.size import Size

# On the 1,238 ISBI2016 pictures, 16x16 grey thumbnails of the same photograph correlate at 0.999 and more (a
# recoloured one included), those of different photographs at 0.968 and less.
NEAR_CORRELATION = 0.99
_THUMBNAIL = Size(16, 16)
_PLAIN = 1.0  # a thumbnail that varies less (standard deviation, of 255) has no pattern to compare
_ROWS = 1024  # of the correlation matrix at a time: 4 KB a picture


def thumbnail(picture: np.ndarray) -> np.ndarray:
    """`(256,)` float32: the picture `(H, W, 3)` as a 16x16 grey pattern of mean 0 and length 1.

    A plain picture, with no pattern to compare, is all 0 and resembles nothing. Brightness, contrast
    and size fall out of it, so that the product of two is their correlation.
    """
    grey = resize_picture(picture, _THUMBNAIL).astype(np.float32).mean(axis=2).ravel()
    grey -= grey.mean()
    if grey.std() < _PLAIN:
        return np.zeros_like(grey)
    return grey / np.linalg.norm(grey)


def same_groups(keys: Iterable[Hashable]) -> list[list[int]]:
    """The positions of equal keys, for every key that occurs more than once."""
    groups: dict[Hashable, list[int]] = {}
    for index, key in enumerate(keys):
        groups.setdefault(key, []).append(index)
    return [group for group in groups.values() if len(group) > 1]


def near_groups(thumbnails: Sequence[np.ndarray], correlation: float = NEAR_CORRELATION) -> list[list[int]]:
    """The positions of thumbnails that look the same, directly or through others between them.

    Args:
        thumbnails: what `thumbnail` returned for each picture.
        correlation: from which correlation two count as the same photograph.
    """
    if not thumbnails:
        return []
    patterns = np.stack(thumbnails)
    parent = list(range(len(patterns)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for start in range(0, len(patterns), _ROWS):
        alike = patterns[start : start + _ROWS] @ patterns[start:].T >= correlation
        for row, column in np.argwhere(np.triu(alike, k=1)):
            parent[root(start + int(column))] = root(start + int(row))
    return same_groups(root(index) for index in range(len(patterns)))
