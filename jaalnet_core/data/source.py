"""One door to the data: a folder, the synthetic set, or whatever this machine has."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.layout import Layout, NoPicturesError, Sample, find_layout, pair_folder
from jaalnet_core.data.preprocess import cache_folder, load_arrays
from jaalnet_core.data.splits import held_back
from jaalnet_core.errors import DataError
from jaalnet_core.size import Size

DATA_VARIABLE = "JAALNET_DATA"
DEFAULT_FOLDER = Path("data")
SYNTHETIC_FOLDER = DEFAULT_FOLDER / "synthetic"
SYNTHETIC = "synthetic"
ALL_SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class LesionData:
    """A data set in memory, at one size.

    Attributes:
        name: `ISBI2016`, `synthetic`, or the folder's name.
        root: the folder it came from.
        train, validation, test: the arrays; a split not asked for, or not there, holds no pictures.
        test_samples: the files behind `test`, in the same order (for scoring at the masks' own size).
        notes: what a person should know: which set, how many pictures, what was left out and why.
    """

    name: str
    root: Path
    train: LesionArrays
    validation: LesionArrays
    test: LesionArrays
    test_samples: tuple[Sample, ...]
    notes: tuple[str, ...]

    def pictures(self, ids: Sequence[str]) -> LesionArrays:
        """The pictures of these ids, in that order, from the split that holds them all.

        Raises:
            DataError: no split does.
        """
        for split in ALL_SPLITS:
            arrays: LesionArrays = getattr(self, split)
            place = {id: index for index, id in enumerate(arrays.ids)}
            if ids and all(id in place for id in ids):
                return arrays.take([place[id] for id in ids])
        named = f" (such as {ids[0]})" if ids else ""
        raise DataError(
            f"{self.root}: does not hold the {len(ids)} pictures that were scored{named} in one split; expected the "
            "same data set and split as in the evaluation."
        )


def open_data(
    data: str | Path | None,
    size: Size,
    *,
    splits: Collection[str] = ALL_SPLITS,
    limit: int | None = None,
    progress: bool = True,
    synthetic_folder: Path = SYNTHETIC_FOLDER,
    max_megapixels: float | None = None,
) -> LesionData:
    """Load a data set at `size`, from the cache where it was loaded before.

    Args:
        data: a data folder, `"synthetic"`, or None: `$JAALNET_DATA`, else `./data` if it holds pictures, else
            the synthetic set (the notes say which).
        size: height and width of the arrays.
        splits: which of `train`, `validation` and `test` to load.
        limit: read only the first so many pictures of each split, and leave the cache alone; None: all.
        progress: show a bar with the time left.
        synthetic_folder: where the synthetic pictures are made once, and found again.
        max_megapixels: refuse larger pictures; None: $JAALNET_MAX_MEGAPIXELS, else 100.

    Raises:
        DataError: the folder is missing or unusable, or a split is unknown.
        PictureError: a file cannot be read.
    """
    if unknown := set(splits) - set(ALL_SPLITS):
        raise DataError(f"splits: found {sorted(unknown)}, expected some of {', '.join(ALL_SPLITS)}.")
    name, layout, notes = _locate(data, synthetic_folder, progress)
    samples, left_out = _by_split(layout)
    chosen = {split: samples[split][:limit] if split in splits else () for split in ALL_SPLITS}
    folder = cache_folder(layout.root) if limit is None else None
    arrays = {
        split: load_arrays(
            chosen[split],
            size,
            cache=folder / f"{split}-{size}.npz" if folder and chosen[split] else None,
            progress=progress,
            max_megapixels=max_megapixels,
        )
        for split in ALL_SPLITS
    }
    counts = ", ".join(f"{len(samples[split])} {split}" for split in ALL_SPLITS)
    notes.append(f"{name} at {layout.root}: {counts} pictures, read at {size}.")
    notes += _omissions(layout, left_out)
    return LesionData(
        name=name,
        root=layout.root,
        **arrays,
        test_samples=chosen["test"],
        notes=tuple(notes),
    )


def locate_folder(data: str | Path | None) -> Path | None:
    """The folder that `open_data(data, …)` would read, or None when that is the synthetic set.

    Raises:
        DataError: `./data` was meant, and holds two layouts side by side.
    """
    if data is None:
        data = os.environ.get(DATA_VARIABLE) or None
    if data is None:
        try:
            pair_folder(DEFAULT_FOLDER)
        except NoPicturesError:
            return None
        return DEFAULT_FOLDER
    return None if str(data) == SYNTHETIC else Path(data).expanduser()


def _locate(data: str | Path | None, synthetic_folder: Path, progress: bool) -> tuple[str, Layout, list[str]]:
    folder = locate_folder(data)
    if folder is not None:
        layout = find_layout(folder)
        if folder.resolve() == synthetic_folder.resolve():
            return SYNTHETIC, layout, []
        return ("ISBI2016" if layout.kind == "official" else folder.resolve().name), layout, []
    notes = ["These are synthetic pictures, made by this program: scores on them say nothing about patients."]
    if data is None and not os.environ.get(DATA_VARIABLE):
        notes.append(
            f"No real pictures found: {DATA_VARIABLE} is not set and ./{DEFAULT_FOLDER} holds none. "
            "`jaalnet data download` fetches ISBI2016."
        )
    return SYNTHETIC, _synthetic_layout(synthetic_folder, progress), notes


def _synthetic_layout(folder: Path, progress: bool) -> Layout:
    try:
        return find_layout(folder)
    except NoPicturesError:
        from jaalnet_core.data.synthetic import write_dataset  # only needed the first time

        try:
            return find_layout(write_dataset(folder, progress=progress))
        except OSError as error:
            raise DataError(
                f"{folder}: the synthetic pictures cannot be written there ({error.strerror or error}): make "
                "them elsewhere with `jaalnet data synthesize` and name that folder."
            ) from error


def _by_split(layout: Layout) -> tuple[dict[str, tuple[Sample, ...]], list[Sample]]:
    """Samples with masks of each of the three splits, and those left out for want of a mask."""
    masked = [sample for sample in layout.train if sample.mask]
    held = held_back([sample.id for sample in masked])
    samples = {
        "train": tuple(sample for sample in masked if sample.id not in held),
        "validation": tuple(sample for sample in masked if sample.id in held),
        "test": tuple(sample for sample in layout.test if sample.mask),
    }
    left_out = [sample for sample in (*layout.train, *layout.test) if not sample.mask]
    if not any(samples.values()):
        raise DataError(
            f"{layout.root}: {len(left_out)} pictures and no mask for any, expected masks named ID_mask.png "
            "or ID_Segmentation.png, or of the picture's name in masks/: `jaalnet data check` lists them."
        )
    return samples, left_out


def _omissions(layout: Layout, left_out: list[Sample]) -> list[str]:
    notes = []
    if layout.dropped:
        ids = ", ".join(layout.dropped)
        notes.append(f"Left out of training: {ids} (leaked: the test set holds the same pictures).")
    if left_out:
        few = ", ".join(sample.id for sample in left_out[:3]) + (" …" if len(left_out) > 3 else "")
        notes.append(f"Left out for want of a mask: {len(left_out)} ({few}).")
    for split, there in (("train", layout.train), ("test", layout.test)):
        if not there:
            notes.append(f"There are no {split} pictures here.")
    return notes
