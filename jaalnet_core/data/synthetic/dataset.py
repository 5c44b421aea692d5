"""Whole synthetic sets: as arrays in memory, or as files in the layout `{train,test}/{images,masks}`."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

import cv2
import numpy as np
from tqdm.auto import tqdm

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.synthetic.picture import DEFAULT_SIZE, Difficulty, check_difficulty, make_picture
from jaalnet_core.errors import DataError, SettingsError
from jaalnet_core.size import Size

GENERATOR_VERSION = 2  # raise it when the same seed would draw other pictures: kept sets are then made anew
SETTINGS_NAME = "synthetic.json"
TEST_START = 1_000_000  # test pictures have their own indices: more training pictures never change the test set


def make_arrays(
    count: int,
    size: Size = DEFAULT_SIZE,
    *,
    seed: int = 0,
    difficulty: Difficulty = 0.5,
    first: int = 0,
    progress: bool = True,
) -> LesionArrays:
    """Draw `count` pictures with the indices `first`, `first + 1`, …

    Returns:
        images `(count, H, W, 3)` uint8 and masks `(count, H, W)` uint8, ids `synthetic_0000000` and so on.

    Raises:
        SettingsError: a setting outside its range.
    """
    if count < 1:
        raise SettingsError(f"count: found {count}, expected at least one picture.")
    size = Size(*size)
    images = np.empty((count, *size, 3), dtype=np.uint8)
    masks = np.empty((count, *size), dtype=np.uint8)
    for i in tqdm(range(count), desc="synthetic pictures", unit="picture", disable=not progress):
        images[i], masks[i] = make_picture(seed, first + i, size, difficulty)
    return LesionArrays(tuple(_name(first + i) for i in range(count)), images, masks)


def write_dataset(
    folder: Path,
    *,
    train: int = 400,
    test: int = 100,
    size: Size = DEFAULT_SIZE,
    seed: int = 0,
    difficulty: Difficulty = 0.5,
    progress: bool = True,
) -> Path:
    """Write a set into `folder`, or keep the one that stands there if it was made with the same settings.

    Pictures and masks are PNG files named by id, masks 0 and 255; `synthetic.json` holds the settings. The
    files are made in a neighbouring folder that is renamed when complete: `folder` never holds half a set.

    Returns:
        `folder`.

    Raises:
        DataError: `folder` holds something else.
        SettingsError: a setting outside its range.
    """
    folder = Path(folder)
    size = Size(*size)
    if train < 1 or test < 1:
        raise SettingsError(f"train and test: found {train} and {test}, expected at least one picture in each.")
    settings = {
        "made_by": "jaalnet data synthesize",
        "generator_version": GENERATOR_VERSION,
        "train": int(train),
        "test": int(test),
        "size": [size.height, size.width],
        "seed": int(seed),
        "difficulty": list(check_difficulty(difficulty)),
    }
    found = _settings_of(folder)
    if found == settings and _complete(folder, settings):
        return folder
    if found is None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(
            f"{folder}: holds something other than a synthetic set, expected an empty or missing folder. "
            "Name another folder (--out), or move what is there."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.partial-", dir=folder.parent))
    try:
        for split, count, first in (("train", train, 0), ("test", test, TEST_START)):
            _write_split(partial / split, count, first, size, seed, difficulty, progress)
        (partial / SETTINGS_NAME).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
        partial.chmod(0o755)  # mkdtemp makes it readable by its owner alone
        _replace(folder, partial, settings)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _write_split(
    folder: Path, count: int, first: int, size: Size, seed: int, difficulty: Difficulty, progress: bool
) -> None:
    images, masks = folder / "images", folder / "masks"
    images.mkdir(parents=True)
    masks.mkdir()
    for index in tqdm(range(first, first + count), desc=f"{folder.name} set", unit="picture", disable=not progress):
        picture, mask = make_picture(seed, index, size, difficulty)
        _write_png(images / f"{_name(index)}.png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        _write_png(masks / f"{_name(index)}.png", mask * 255)


def _write_png(path: Path, array: np.ndarray) -> None:
    # encoded in memory: cv2.imwrite fails silently and, on Windows, on names beyond ASCII
    path.write_bytes(cv2.imencode(".png", array, (cv2.IMWRITE_PNG_COMPRESSION, 1))[1].tobytes())


def _replace(folder: Path, partial: Path, settings: dict) -> None:
    """Put the finished set in place; whoever made the same set meanwhile wins."""
    if folder.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old-", dir=folder.parent))
        try:
            os.replace(folder, old / "set")
        except FileNotFoundError:
            pass  # another process is replacing it too
        finally:
            shutil.rmtree(old, ignore_errors=True)
    try:
        os.replace(partial, folder)
    except OSError:
        if _settings_of(folder) != settings:
            raise


def _settings_of(folder: Path) -> dict | None:
    """The settings of the synthetic set in `folder`; None where there is no such set."""
    try:
        settings = json.loads((folder / SETTINGS_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return settings if isinstance(settings, dict) else None


def _complete(folder: Path, settings: dict) -> bool:
    """Whether every file is still there: a person may have deleted some."""
    return all(
        sum(1 for _ in (folder / split / kind).glob("*.png")) == settings[split]
        for split in ("train", "test")
        for kind in ("images", "masks")
    )


def _name(index: int) -> str:
    return f"synthetic_{index:07d}"
