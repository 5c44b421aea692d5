"""What lies in somebody's folders and archives: pictures and masks, and the split their names tell."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jaalnet_core.data.layout import file_id, is_mask_name, is_usable_name, mask_id
from jaalnet_core.data.pictures import SUFFIXES
from jaalnet_core.errors import DataError

_WORD = re.compile(r"[^\W_]+")
_MASK_WORDS = {"mask", "masks", "groundtruth", "segmentation", "segmentations", "label", "labels"}
_SURE_MASK_WORDS = {"mask", "masks", "groundtruth"}
_PICTURE_WORDS = {"image", "images", "img", "imgs", "picture", "pictures", "photo", "photos"}
_VALIDATION_WORDS = {"val", "valid", "validation", "dev"}
_ARCHIVE_SUFFIXES = {".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz"}


@dataclass(frozen=True)
class FoundFile:
    """A picture or mask in a folder or archive.

    Attributes:
        path: where it lies now.
        is_mask: told from its name, or from the name of a folder it lies in.
        id: what pairs it with its counterpart.
        split: `train` or `test` where a folder's name tells, else None.
    """

    path: Path
    is_mask: bool
    id: str
    split: str | None


def gather(paths: Sequence[Path], scratch: Path, *, progress: bool = True) -> tuple[list[FoundFile], tuple[Path, ...]]:
    """Find every picture and mask under `paths`.

    Args:
        paths: folders (searched to any depth), zip or tar archives, or single pictures.
        scratch: an existing folder into which archives are unpacked.
        progress: show bars.

    Returns:
        What was found, and the files passed over as no pictures.

    Raises:
        DataError: a path is missing, is neither folder, archive nor picture, or holds no pictures.
        ArchiveError: an archive is damaged or refused.
    """
    from jaalnet_core.data.archive import extract_archive, is_archive

    found: list[FoundFile] = []
    passed_over: list[Path] = []
    for number, path in enumerate(paths):
        if path.is_dir():
            folder, above, files = path, _told_by(path.resolve()), walk(path)
        elif path.is_file() and path.suffix.lower() in SUFFIXES:
            folder, above, files = path.parent, _told_by(path.resolve().parent), [path]
        elif path.is_file() and (path.suffix.lower() in _ARCHIVE_SUFFIXES or is_archive(path)):
            # `Test_Data.zip` may hold its files without a folder: then its own name says what they are.
            folder, above = scratch / f"unpacked-{number}", [path.name.split(".")[0]]
            extract_archive(path, folder, progress=progress)
            files = walk(folder)
        else:
            what = "neither a picture nor a zip or tar archive" if path.exists() else "nothing there"
            raise DataError(f"{path}: found {what}, expected a folder, an archive or a picture: check the path.")
        usable = [file for file in files if is_usable_name(file) and file.is_file()]
        if not usable:
            raise DataError(f"{path}: no pictures in it, expected some ({', '.join(sorted(SUFFIXES))}).")
        found += [describe(file, [*above, *file.relative_to(folder).parent.parts]) for file in usable]
        taken = set(usable)
        passed_over += [file for file in files if file not in taken]
    return found, tuple(passed_over)


def walk(folder: Path) -> list[Path]:
    """Files at any depth, in a fixed order, but for hidden ones and macOS's litter.

    Raises:
        OSError: a folder may not be read.
    """
    files = []
    for parent, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__MACOSX")
        files += [Path(parent, name) for name in sorted(names) if not name.startswith(".")]
    return files


def _refuse(error: OSError) -> None:
    raise error


def describe(file: Path, folders: Sequence[str]) -> FoundFile:
    """Tell from names what a file is; the innermost folder that says something decides.

    Args:
        file: the picture or mask.
        folders: the names of the folders it lies in, outermost first (or an archive's name).
    """
    words = [set(_WORD.findall(name.casefold())) for name in folders]
    is_mask = is_mask_name(file) or _in_mask_folder(words)
    split = next((told for near in reversed(words) if (told := _split_told(near))), None)
    return FoundFile(file, is_mask, mask_id(file) if is_mask else file_id(file), split)


def _in_mask_folder(words: list[set[str]]) -> bool:
    for depth, near in reversed(list(enumerate(words))):
        # "segmentation" in the outermost name may be the data set's subject: it is not proof of masks.
        mask = bool(near & (_MASK_WORDS if depth else _SURE_MASK_WORDS))
        if mask != bool(near & _PICTURE_WORDS):
            return mask
    return False


def _split_told(words: set[str]) -> str | None:
    told = {split for split in ("train", "test") if any(word.startswith(split) for word in words)}
    if words & _VALIDATION_WORDS:
        told.add("train")  # our own validation pictures are taken out of the training set, by id
    return told.pop() if len(told) == 1 else None


def _told_by(folder: Path) -> list[str]:
    """The names that speak for files given as this folder: its own, and its parent's if it is `images`."""
    plain = set(_WORD.findall(folder.name.casefold())) & (_PICTURE_WORDS | _MASK_WORDS)
    return [folder.parent.name, folder.name] if plain else [folder.name]
