"""Pictures and masks brought to one size, once, and kept as arrays for the next run."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
import uuid
import warnings
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.layout import Sample
from jaalnet_core.data.parallel import map_in_threads
from jaalnet_core.data.pictures import read_mask, read_picture
from jaalnet_core.errors import DataError, PictureError
from jaalnet_core.size import Size

CACHE_NAME = ".cache-jaalnet"
_CACHE_VERSION = 2  # raise it when preprocessing changes, so that older caches are rebuilt


def resize_picture(picture: np.ndarray, size: Size) -> np.ndarray:
    """Bring a photograph `(H, W, 3)` uint8 to `(size.height, size.width, 3)` uint8, the whole frame kept.

    A side that shrinks is averaged over areas (no aliasing); one that grows is interpolated linearly.
    """
    return _resized(picture, size)


def resize_mask(mask: np.ndarray, size: Size) -> np.ndarray:
    """Bring a mask `(H, W)` of 0 and 1 to `size`, uint8: lesion where it covers half a new pixel."""
    return (_resized(mask.astype(np.float32), size) >= 0.5).astype(np.uint8)


def load_arrays(
    samples: Sequence[Sample],
    size: Size,
    *,
    cache: Path | None = None,
    progress: bool = True,
    max_megapixels: float | None = None,
) -> LesionArrays:
    """Read samples, resize them, and keep the result.

    Args:
        samples: pictures with masks; their order is kept.
        size: height and width of the arrays.
        cache: the file (`.npz`) to take the arrays from, and to write them to when it is missing, damaged, or
            made from other files, other modification times or another size. None: no cache.
        progress: show a bar with the time left.
        max_megapixels: refuse larger pictures; None: $JAALNET_MAX_MEGAPIXELS, else 100.

    Raises:
        PictureError: a file cannot be read, named in the message.
        DataError: a sample has no mask.
    """
    for sample in samples:
        if sample.mask is None:
            raise DataError(f"{sample.picture}: has no mask, expected one named {sample.id}_mask.png: add it.")
    if cache is None:
        return _read_all(samples, size, progress, max_megapixels)
    key = _key(samples, size)
    arrays = _from_cache(cache, key)
    if arrays is None:
        arrays = _read_all(samples, size, progress, max_megapixels)
        _to_cache(cache, key, arrays)
    return arrays


def cache_folder(root: Path) -> Path | None:
    """Where the arrays of a data folder are kept: in it when it may be written to, else in the user's cache.

    Returns:
        `<root>/.cache-jaalnet`, or a folder under `$XDG_CACHE_HOME` (else `~/.cache`, on Windows
        `%LOCALAPPDATA%`), or None when neither can be written to.
    """
    root = root.resolve()
    # The permission bits count even for an administrator, whom the system would let write anywhere.
    read_only = not root.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    own = [] if read_only else [root / CACHE_NAME]
    mark = hashlib.sha256(str(root).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    for folder in [*own, _user_cache() / f"{root.name}-{mark}"]:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return None


def _resized(values: np.ndarray, size: Size) -> np.ndarray:
    height, width = values.shape[:2]
    smaller = (min(size.width, width), min(size.height, height))
    # OpenCV averages areas only if both sides shrink; a frame that shrinks one way and grows the other takes
    # two steps.
    if smaller != (width, height):
        values = cv2.resize(values, smaller, interpolation=cv2.INTER_AREA)
    if smaller != (size.width, size.height):
        values = cv2.resize(values, (size.width, size.height), interpolation=cv2.INTER_LINEAR)
    return values


def _read_all(samples: Sequence[Sample], size: Size, progress: bool, max_megapixels: float | None) -> LesionArrays:
    images = np.empty((len(samples), *size, 3), np.uint8)
    masks = np.empty((len(samples), *size), np.uint8)

    def read(index: int) -> None:
        sample = samples[index]
        picture = read_picture(sample.picture, max_megapixels=max_megapixels)
        shape, images[index] = picture.shape[:2], resize_picture(picture, size)
        del picture  # a large one should not lie in memory beside its mask
        mask = read_mask(sample.mask, max_megapixels=max_megapixels)
        if not _same_proportions(shape, mask.shape):
            raise PictureError(
                f"{sample.mask}: {mask.shape[1]}x{mask.shape[0]} pixels, expected the proportions of its picture "
                f"{sample.picture.name}, {shape[1]}x{shape[0]}: use the mask drawn on this picture."
            )
        masks[index] = resize_mask(mask, size)

    try:
        map_in_threads(read, range(len(samples)), description=f"reading pictures at {size}", progress=progress)
    except PictureError as error:
        raise PictureError(f"{error} `jaalnet data check` lists every such file at once.") from error
    return LesionArrays(tuple(sample.id for sample in samples), images, masks)


def _same_proportions(picture: tuple[int, ...], mask: tuple[int, ...]) -> bool:
    """Whether a mask `(H, W)` fits a picture `(H, W)` when it is scaled, give or take the rounding of its sides."""
    height, width = picture
    return abs(height * mask[1] - width * mask[0]) <= max(height, width, *mask)


def _key(samples: Sequence[Sample], size: Size) -> str:
    """A digest of the size and of every file's name, length and modification time."""
    digest = hashlib.sha256(f"{_CACHE_VERSION} {size}".encode())
    for sample in samples:
        for path in (sample.picture, sample.mask):
            try:
                status = path.stat()
            except OSError as error:
                raise PictureError(f"{path}: cannot be read ({error.strerror}): check the file.") from error
            entry = (sample.id, path.parent.name, path.name, status.st_size, status.st_mtime_ns)
            digest.update(repr(entry).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _from_cache(cache: Path, key: str) -> LesionArrays | None:
    try:
        with np.load(cache, allow_pickle=False) as stored:
            if str(stored["key"]) != key:
                return None
            ids = tuple(str(id) for id in stored["ids"])
            return LesionArrays(ids, stored["images"], stored["masks"])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except Exception as error:  # damaged bytes may fail anywhere between the zip's directory and the arrays
        warnings.warn(f"{cache}: damaged ({error}); it is made again.", stacklevel=3)
        return None


def _to_cache(cache: Path, key: str, arrays: LesionArrays) -> None:
    """Write to a temporary file and rename it: a reader sees the old cache or the whole new one."""
    # Not mkstemp, whose files only their owner may read: a class may share one data folder.
    temporary = cache.with_name(f"{cache.stem}-{uuid.uuid4().hex}.part")
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "xb") as file:
            ids = np.array(arrays.ids, dtype=np.str_)
            np.savez(file, key=np.array(key), ids=ids, images=arrays.images, masks=arrays.masks)
        os.replace(temporary, cache)
    except OSError as error:
        warnings.warn(f"{cache}: not written ({error}); the pictures are read again next time.", stacklevel=3)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _user_cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("LOCALAPPDATA") if sys.platform == "win32" else None)
    return (Path(home) if home else Path.home() / ".cache") / "jaalnet"
