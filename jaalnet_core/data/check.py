"""Every problem of a data folder at once, before a training run finds the first of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from jaalnet_core.data.duplicates import near_groups, same_groups, thumbnail
from jaalnet_core.data.layout import (
    LEAKED_IDS,
    SPLITS,
    Kind,
    Pairing,
    Sample,
    file_id,
    is_usable_name,
    pair_folder,
    split_folders,
)
from jaalnet_core.data.parallel import map_in_threads
from jaalnet_core.data.pictures import binarise, read_grey, read_picture
from jaalnet_core.errors import PictureError

# Pictures that are not read: whoever has some should hear of it, not find fewer pictures than expected.
_UNREAD_SUFFIXES = frozenset({".heic", ".heif", ".avif", ".gif", ".jp2", ".j2k", ".jxl", ".dcm", ".svg", ".psd"})
_RINGED = 0.9  # share of the frame's edge
_NEARLY = 32  # how far from 0 and 255 a JPEG's own losses carry a mask's values


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a data folder.

    Attributes:
        severity: `error` (mend it before training) or `warning` (know it).
        kind: what sort of problem, such as `missing mask`.
        split: `train`, `test`, `train+test`.
        files: the files concerned.
        message: what was found, and the mend.
    """

    severity: Literal["error", "warning"]
    kind: str
    split: str
    files: tuple[Path, ...]
    message: str


@dataclass(frozen=True)
class CheckReport:
    """What `check_data` found.

    Attributes:
        root: the folder.
        layout: how its files lie (see `Layout.kind`).
        pictures, masks: how many there are, by split.
        problems: errors first.
    """

    root: Path
    layout: Kind
    pictures: dict[str, int]
    masks: dict[str, int]
    problems: tuple[Problem, ...]

    def count(self, severity: Literal["error", "warning"]) -> int:
        """How many problems have this severity."""
        return sum(problem.severity == severity for problem in self.problems)

    def to_json(self) -> dict:
        """The report for a JSON file; paths are relative to `root`."""
        return {
            "root": str(self.root),
            "layout": self.layout,
            "pictures": self.pictures,
            "masks": self.masks,
            "errors": self.count("error"),
            "warnings": self.count("warning"),
            "problems": [
                {
                    "severity": problem.severity,
                    "kind": problem.kind,
                    "split": problem.split,
                    "id": file_id(problem.files[0]) if problem.files else None,
                    "files": [_relative(path, self.root) for path in problem.files],
                    "message": problem.message,
                }
                for problem in self.problems
            ],
        }


@dataclass(frozen=True)
class _Looked:
    """What one sample's files gave: problems of its own, and what comparing it with others needs."""

    split: str
    sample: Sample
    digest: bytes
    pattern: np.ndarray | None
    problems: tuple[Problem, ...]


def check_data(root: Path | str, *, max_megapixels: float | None = None, progress: bool = True) -> CheckReport:
    """Read every file of a data folder and list what is wrong with it.

    Found are: missing and orphan masks, unreadable or truncated files, masks whose size differs from their
    picture's, masks that are not binary, empty or full, files that share an id, pictures that occur twice
    (the same bytes, or nearly the same picture) within a split or across both, kinds of picture not read, and
    names of pictures behind which there is no file.

    Raises:
        NoPicturesError: nothing to check: the folder is missing or holds no pictures in a known layout.
        DataError: two layouts lie side by side.
    """
    root = Path(root)
    kind, pairings = pair_folder(root)
    jobs = [(split, sample) for split in SPLITS for sample in pairings[split].samples]
    looked = map_in_threads(lambda job: _look(*job, max_megapixels), jobs, description="checking", progress=progress)
    problems = [problem for one in looked for problem in one.problems]
    for split in SPLITS:
        problems += _name_problems(root, split, pairings[split])
    problems += _shared_names(pairings)
    problems += _duplicates(looked)
    problems.sort(key=lambda one: (one.severity, one.kind, one.split, one.files))
    return CheckReport(
        root=root,
        layout=kind,
        pictures={split: len(pairings[split].samples) for split in SPLITS},
        masks={split: sum(one.mask is not None for one in pairings[split].samples) for split in SPLITS},
        problems=tuple(problems),
    )


def _look(split: str, sample: Sample, max_megapixels: float | None) -> _Looked:
    problems = []
    shape = pattern = mask = None
    try:
        picture = read_picture(sample.picture, max_megapixels=max_megapixels)
        shape, pattern = picture.shape[:2], thumbnail(picture)
        del picture  # a large one should not lie in memory beside its mask
    except PictureError as error:
        problems.append(Problem("error", "unreadable picture", split, (sample.picture,), _found(error, sample.picture)))
    if sample.mask is None:
        message = f"no mask, expected one named {sample.id}_mask.png: add it, or remove the picture"
        problems.append(Problem("error", "missing mask", split, (sample.picture,), message))
    else:
        try:
            mask = read_grey(sample.mask, max_megapixels=max_megapixels)
        except PictureError as error:
            problems.append(Problem("error", "unreadable mask", split, (sample.mask,), _found(error, sample.mask)))
    if mask is not None:
        problems += _mask_problems(split, sample.mask, mask)
    if shape is not None and mask is not None and shape != mask.shape:
        problems.append(_size_problem(split, sample, shape, mask.shape))
    return _Looked(
        split=split,
        sample=sample,
        digest=_digest(sample.picture),
        pattern=pattern,
        problems=tuple(problems),
    )


def _found(error: PictureError, path: Path) -> str:
    """The message without the path, which the problem's files name."""
    return str(error).removeprefix(f"{path}: ")


def _mask_problems(split: str, path: Path, grey: np.ndarray) -> Iterable[Problem]:
    between = (grey > 0) & (grey < 255)
    if grey.max() == 1:
        message = "holds 0 and 1, expected 0 and 255: read as meant; multiply it by 255 for other programs"
        yield Problem("warning", "mask is 0 and 1", split, (path,), message)
    elif between.any():
        far = between & (grey >= _NEARLY) & (grey <= 255 - _NEARLY)
        message = (
            f"{between.mean():.2%} of its values lie between 0 and 255, expected only these: above 127 "
            "counts as lesion; save it as black and white (PNG, not JPEG)"
        )
        yield Problem("error" if far.any() else "warning", "mask not binary", split, (path,), message)
    lesion = binarise(grey).mean()
    if lesion == 0:
        message = "no pixel is lesion, expected some: draw it again, or remove the picture"
        yield Problem("error", "mask empty", split, (path,), message)
    elif lesion == 1:
        message = "every pixel is lesion: is it inverted, or does the lesion fill the frame?"
        yield Problem("warning", "mask full", split, (path,), message)
    elif _is_ringed(binarise(grey)):
        message = "lesion lies all around the frame: is it inverted (expected 0 = skin, 255 = lesion)?"
        yield Problem("warning", "mask inverted", split, (path,), message)


def _is_ringed(mask: np.ndarray) -> bool:
    """Whether lesion takes nearly all of the frame's edge; of ISBI2016's 1,236 masks it does in 3."""
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return bool(edge.mean() >= _RINGED)


def _size_problem(split: str, sample: Sample, picture: tuple[int, ...], mask: tuple[int, ...]) -> Problem:
    turned = " (is one of them turned by 90 degrees?)" if picture == mask[::-1] else ""
    message = (
        f"picture {picture[1]}x{picture[0]}, mask {mask[1]}x{mask[0]}, expected the same size{turned}: "
        "use the mask drawn on this picture"
    )
    return Problem("error", "sizes differ", split, (sample.picture, sample.mask), message)


def _name_problems(root: Path, split: str, pairing: Pairing) -> Iterable[Problem]:
    for mask in pairing.orphan_masks:
        message = "no picture of this id: rename the mask after its picture, or remove it"
        yield Problem("error", "orphan mask", split, (mask,), message)
    for clash in pairing.clashes:
        message = "these files have the same id: rename or remove all but one"
        yield Problem("error", "same id", split, clash, message)
    for folder in split_folders(root, split):
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in _UNREAD_SUFFIXES and not path.name.startswith("."):
                message = f"{path.suffix} files are not read: save it as PNG, JPEG or TIFF"
                yield Problem("warning", "kind not read", split, (path,), message)
            elif is_usable_name(path) and not path.exists():
                message = "a link to nothing, expected a file: mend the link, or remove it"
                yield Problem("error", "no file", split, (path,), message)
            elif is_usable_name(path) and not path.is_file() and not path.is_dir():
                yield Problem("error", "no file", split, (path,), "a pipe or device, expected a file: remove it")
    if not pairing.samples:
        yield Problem("warning", "no pictures", split, (), f"the {split} set is empty")


def _shared_names(pairings: dict[str, Pairing]) -> Iterable[Problem]:
    test = {sample.id: sample for sample in pairings["test"].samples}
    for sample in pairings["train"].samples:
        if sample.id in test:
            files = (sample.picture, test[sample.id].picture)
            message = "the same id in both splits: make sure that these are two different pictures"
            yield Problem("warning", "id in both splits", "train+test", files, message)


def _duplicates(looked: list[_Looked]) -> Iterable[Problem]:
    """Byte-identical pictures, then similar ones among the first of each identical group."""
    same = same_groups(one.digest for one in looked)
    repeated = {index for group in same for index in group[1:]}
    comparable = [index for index, one in enumerate(looked) if one.pattern is not None and index not in repeated]
    near = near_groups([looked[index].pattern for index in comparable])
    for group in same:
        yield _duplicate("duplicate picture", "the same bytes", "error", [looked[index] for index in group])
    for group in near:
        members = [looked[comparable[index]] for index in group]
        yield _duplicate("similar pictures", "nearly the same picture", "warning", members)


def _duplicate(kind: str, found: str, severity: Literal["error", "warning"], group: list[_Looked]) -> Problem:
    splits = "+".join(split for split in SPLITS if any(one.split == split for one in group))
    files = tuple(one.sample.picture for one in group)
    if any(one.split == "train" and one.sample.id in LEAKED_IDS for one in group) and "+" in splits:
        message = f"{found}: a known leak of ISBI2016; the training one is left out when the data is opened"
        return Problem("warning", kind, splits, files, message)
    where = "in training and in test, which flatters the scores" if "+" in splits else f"{len(group)} times"
    return Problem(severity, kind, splits, files, f"{found} {where}: keep one")


def _digest(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:  # reported as unreadable already; its name keeps it apart from the others
        return str(path).encode("utf-8", "surrogateescape")


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
