"""Which files of a data folder are pictures, which are masks, and which of them belong together (by id)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jaalnet_core.data.pictures import is_picture_name
from jaalnet_core.errors import DataError

Kind = Literal["official", "folders", "flat"]
SPLITS = ("train", "test")
OFFICIAL_FOLDERS = {
    "train": ("ISBI2016_ISIC_Part1_Training_Data", "ISBI2016_ISIC_Part1_Training_GroundTruth"),
    "test": ("ISBI2016_ISIC_Part1_Test_Data", "ISBI2016_ISIC_Part1_Test_GroundTruth"),
}
# Training pictures that are byte for byte pictures of the official test set (system.md of the ISBI2016 data).
LEAKED_IDS = ("ISIC_0001184", "ISIC_0001385")

_MASK_ENDING = re.compile(r"(.+)_(?:segmentation|mask)", re.IGNORECASE | re.DOTALL)
_IGNORED_ENDING = re.compile(r".*_superpixels", re.IGNORECASE | re.DOTALL)


class NoPicturesError(DataError):
    """A folder in which no layout of pictures and masks was found."""


@dataclass(frozen=True)
class Sample:
    """One picture, and its expert mask where there is one.

    Attributes:
        id: the file name without its ending (Unicode NFC), such as `ISIC_0000000`.
        picture: the photograph.
        mask: the mask of the same id, or None.
    """

    id: str
    picture: Path
    mask: Path | None


@dataclass(frozen=True)
class Layout:
    """What a data folder holds.

    Attributes:
        root: the folder.
        kind: how the files lie: the official four folders, `{train,test}/{images,masks}`, or flat.
        train: training samples by id, without the leaked ones.
        test: test samples by id.
        dropped: ids taken out of the training set because the test set holds the same picture.
    """

    root: Path
    kind: Kind
    train: tuple[Sample, ...]
    test: tuple[Sample, ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True)
class Pairing:
    """The files of one split, paired by id.

    Attributes:
        samples: one for each id, in the order of the ids.
        orphan_masks: masks without a picture.
        clashes: two or more files that claim the same id (of all but the first no sample is made).
    """

    samples: tuple[Sample, ...]
    orphan_masks: tuple[Path, ...]
    clashes: tuple[tuple[Path, ...], ...]


def find_layout(root: Path | str) -> Layout:
    """Recognise a data folder and pair its pictures with their masks by id.

    A folder with only one of the two splits is usable for what it holds; the other split is then empty.

    Raises:
        NoPicturesError: the folder is missing or holds no pictures in a known layout.
        DataError: two pictures or two masks of a split have the same id, or two layouts lie side by side.
    """
    root = Path(root)
    kind, pairings = pair_folder(root)
    for split, pairing in pairings.items():
        for clash in pairing.clashes:
            names = " and ".join(str(path) for path in clash)
            raise DataError(
                f"{names}: the same id {file_id(clash[0])!r} twice in the {split} set, expected one picture "
                "and one mask for each id: rename or remove one (a mask beside its picture: ID_mask.png)."
            )
    train = pairings["train"].samples
    dropped = tuple(sample.id for sample in train if sample.id in LEAKED_IDS)
    train = tuple(sample for sample in train if sample.id not in LEAKED_IDS)
    return Layout(root=root, kind=kind, train=train, test=pairings["test"].samples, dropped=dropped)


def pair_folder(root: Path) -> tuple[Kind, dict[str, Pairing]]:
    """Both splits of a data folder as they lie, problems included.

    Raises:
        NoPicturesError: the folder is missing or holds no pictures in a known layout.
        DataError: the official folders and a `train` or `test` folder with pictures lie side by side, or a folder
            may not be read.
    """
    try:
        return _paired(root)
    except OSError as error:  # forbidden, or a name too long
        raise DataError(
            f"{root}: cannot be read ({error}), expected a data folder: check path and permissions."
        ) from error


def _paired(root: Path) -> tuple[Kind, dict[str, Pairing]]:
    if not root.is_dir():
        raise NoPicturesError(f"{root}: no such folder, expected a data folder: {_expected()}")
    official = {split: _official_files(root, split) for split in SPLITS}
    own = {split: _own_files(root / split) for split in SPLITS}
    has_official = any(pictures for pictures, _ in official.values())
    has_own = any(pictures for pictures, _ in own.values())
    if has_official and has_own:
        raise DataError(
            f"{root}: holds the official ISBI2016 folders and also pictures in train or test, expected one "
            "of the two: move one of them to a folder of its own and name that folder."
        )
    if not has_official and not has_own:
        raise NoPicturesError(f"{root}: no pictures found{_nearby(root)}; {_expected()}")
    pairings = {split: pair(*files) for split, files in (official if has_official else own).items()}
    if has_official:
        return "official", pairings
    return ("folders" if any((root / split / "images").is_dir() for split in SPLITS) else "flat"), pairings


def split_folders(root: Path, split: str) -> tuple[Path, ...]:
    """The existing folders in which files of a split may lie."""
    folders = [root / name for name in OFFICIAL_FOLDERS[split]]
    folders += [root / split, root / split / "images", root / split / "masks"]
    return tuple(folder for folder in folders if folder.is_dir())


def pair(pictures: Iterable[Path], masks: Iterable[Path]) -> Pairing:
    """Pair pictures and masks by id, never by their order."""
    clashes: list[tuple[Path, ...]] = []
    by_id = _by_id([(file_id(path), path) for path in pictures], clashes)
    # `a_mask.png` in masks/ belongs to a picture `a_mask.jpg` if there is one, otherwise to `a.jpg`.
    named = [(name if (name := file_id(path)) in by_id else mask_id(path), path) for path in masks]
    masks_by_id = _by_id(named, clashes)
    return Pairing(
        samples=tuple(Sample(id, by_id[id], masks_by_id.get(id)) for id in sorted(by_id)),
        orphan_masks=tuple(path for id, path in sorted(masks_by_id.items()) if id not in by_id),
        clashes=tuple(clashes),
    )


def file_id(path: Path) -> str:
    """The name without its ending, in Unicode NFC: a Mac may store `é` as two characters, others as one."""
    return unicodedata.normalize("NFC", path.stem)


def mask_id(path: Path) -> str:
    """The id a mask's name stands for: `a` for `a_Segmentation.png`, `a_mask.tif` and `a.png`."""
    name = file_id(path)
    match = _MASK_ENDING.fullmatch(name)
    return match[1] if match else name


def is_mask_name(path: Path) -> bool:
    """Whether the name alone says mask: it ends in `_Segmentation` or `_mask`, in either case."""
    return _MASK_ENDING.fullmatch(path.stem) is not None


def is_usable_name(path: Path) -> bool:
    """Whether the name is a picture's or a mask's: not hidden, not one of the superpixel files."""
    return is_picture_name(path) and _IGNORED_ENDING.fullmatch(path.stem) is None


def _by_id(named: list[tuple[str, Path]], clashes: list[tuple[Path, ...]]) -> dict[str, Path]:
    groups: dict[str, list[Path]] = {}
    for id, path in named:
        groups.setdefault(id, []).append(path)
    clashes.extend(tuple(group) for group in groups.values() if len(group) > 1)
    return {id: group[0] for id, group in groups.items()}


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if is_usable_name(path) and path.is_file())


def _official_files(root: Path, split: str) -> tuple[list[Path], list[Path]]:
    pictures, masks = OFFICIAL_FOLDERS[split]
    return _files(root / pictures), _files(root / masks)


def _own_files(folder: Path) -> tuple[list[Path], list[Path]]:
    """Pictures and masks of `train` or `test`: in `images` and `masks`, and what lies flat beside them."""
    flat = _files(folder)
    pictures = _files(folder / "images") + [path for path in flat if not is_mask_name(path)]
    masks = _files(folder / "masks") + [path for path in flat if is_mask_name(path)]
    return pictures, masks


def _nearby(root: Path) -> str:
    """A hint for the most common slip: naming the folder above the right one."""
    for folder in sorted(root.iterdir()):
        if folder.is_dir() and not folder.name.startswith("."):
            files = [_official_files(folder, split)[0] or _own_files(folder / split)[0] for split in SPLITS]
            if any(files):
                return f" (but there are some in {folder}: name that folder)"
    return ""


def _expected() -> str:
    return (
        "expected the four ISBI2016_ISIC_Part1_* folders, or {train,test}/{images,masks}, or pictures and "
        "ID_mask.png lying in train and test. `jaalnet data download`, `import` and `synthesize` make one."
    )
