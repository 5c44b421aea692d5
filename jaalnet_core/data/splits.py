"""The fixed validation split: a picture belongs to it by its id alone, so no file is ever moved."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from jaalnet_core.errors import SettingsError

VALIDATION_FRACTION = 0.1


def id_position(id: str) -> float:
    """Where the SHA-256 of an id falls in `[0, 1)`: evenly spread, and the same on every machine."""
    return int.from_bytes(hashlib.sha256(id.encode("utf-8", "surrogatepass")).digest()[:6], "big") / 2**48


def is_validation(id: str, fraction: float = VALIDATION_FRACTION) -> bool:
    """Whether the training picture `id` is held back for validation.

    The answer depends on nothing but the id: adding or removing pictures moves no other picture across the
    split, and a larger `fraction` keeps everything a smaller one held.

    Args:
        id: the picture's id, such as `ISIC_0000000`.
        fraction: share of the pictures held back, 0..1; about that share, since ids fall where they fall.

    Raises:
        SettingsError: the fraction lies outside 0..1.
    """
    if not 0.0 <= fraction <= 1.0:
        raise SettingsError(f"fraction: found {fraction}, expected a share between 0 and 1, such as 0.1.")
    return id_position(id) < fraction


def held_back(ids: Collection[str], fraction: float = VALIDATION_FRACTION) -> frozenset[str]:
    """The ids held back for validation: those of `is_validation`, and in a small set at least one.

    With a handful of pictures chance may put none of them below `fraction` (or all of them); then the one with the
    lowest position is held back (or the one with the highest is not), so that two pictures are enough to train with.
    """
    held = {id for id in ids if is_validation(id, fraction)}
    if len(ids) > 1:
        if not held:
            held.add(min(ids, key=id_position))
        elif len(held) == len(ids):
            held.remove(max(ids, key=id_position))
    return frozenset(held)
