"""Copy folders and archives into a data folder: whole files, nothing overwritten, all or nothing."""

from __future__ import annotations

import filecmp
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jaalnet_core.data.gathering import FoundFile, gather
from jaalnet_core.data.layout import NoPicturesError, mask_id, pair_folder
from jaalnet_core.data.parallel import map_in_threads
from jaalnet_core.data.splits import id_position
from jaalnet_core.errors import DataError
from jaalnet_core.files import move_to_new

TEST_FRACTION = 0.2  # of the pictures whose place no folder name tells


@dataclass(frozen=True)
class ImportReport:
    """What `import_pictures` did.

    Attributes:
        out: the data folder.
        copied: the new files.
        already_there: files that stood there with the same content.
        passed_over: files that are no pictures.
        divided: how many pictures went to train or test by their id, for want of a folder name that tells.
    """

    out: Path
    copied: tuple[Path, ...]
    already_there: tuple[Path, ...]
    passed_over: tuple[Path, ...]
    divided: int

    def sentences(self) -> list[str]:
        """The report for a person."""
        lines = []
        for folder in sorted({path.parent for path in self.copied}):
            number = sum(path.parent == folder for path in self.copied)
            lines.append(f"copied {number} to {folder}")
        if self.already_there:
            lines.append(f"{len(self.already_there)} were there already, with the same content")
        if self.passed_over:
            few = ", ".join(path.name for path in self.passed_over[:3])
            few += ", …" if len(self.passed_over) > 3 else ""
            lines.append(f"passed over {len(self.passed_over)} that are no pictures ({few})")
        if self.divided:
            lines.append(
                f"no folder name says train or test for {self.divided} pictures: about one in "
                f"{round(1 / TEST_FRACTION)} went to test, by its id (--split decides otherwise)"
            )
        return lines


@dataclass(frozen=True)
class _Job:
    """A file and where it is to stand; `holder` is the file that has its place or id already."""

    source: Path
    target: Path
    holder: Path | None


_Standing = dict[tuple[str, bool, str], Path]  # by split, being a mask, and id


def import_pictures(
    paths: Sequence[Path],
    out: Path,
    *,
    split: Literal["train", "test", "auto"] = "auto",
    progress: bool = True,
) -> ImportReport:
    """Copy pictures and masks into `out/{train,test}/{images,masks}`.

    Args:
        paths: folders (searched to any depth), archives, or single pictures.
        out: the data folder; made when missing.
        split: where they belong; with `auto`, folder names such as `train` or `..._Test_Data` decide, and
            where these say nothing, a hash of the id (one in five is a test picture). A mask follows its
            picture.
        progress: show bars with the time left.

    Raises:
        DataError: a path is missing or holds no pictures, two files want the same place, a different file
            of the same id stands there already, or the disk refuses. Nothing has been copied then.
        ArchiveError: an archive is damaged or refused.
    """
    out = Path(out)
    standing = _standing(out)
    existed = out.exists()
    scratch = None
    try:
        out.mkdir(parents=True, exist_ok=True)
        # Beside the final places, so that a finished file moves there by renaming.
        scratch = Path(tempfile.mkdtemp(prefix=".import-", dir=out))
        found, passed_over = gather([Path(path) for path in paths], scratch, progress=progress)
        placed, divided = _place(found, split, standing)
        fresh, there = _without_clashes(_jobs(out, placed, standing), progress)
        _copy(fresh, scratch, progress)
    except OSError as error:
        raise DataError(f"{out}: import failed ({error}); nothing was copied. Mend that and call again.") from error
    finally:
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)
        if not existed and out.is_dir() and not any(out.iterdir()):
            out.rmdir()
    return ImportReport(out, tuple(job.target for job in fresh), there, passed_over, divided)


def _standing(out: Path) -> _Standing:
    """What the data folder holds already."""
    try:
        kind, pairings = pair_folder(out)
    except NoPicturesError:
        return {}
    if kind == "official":
        raise DataError(
            f"{out}: holds the official ISBI2016 folders, expected a folder for your own pictures: name "
            "another, such as --out data/mine, and train with --data data/mine."
        )
    standing: _Standing = {}
    for split, pairing in pairings.items():
        for sample in pairing.samples:
            standing[split, False, sample.id] = sample.picture
            if sample.mask:
                standing[split, True, sample.id] = sample.mask
        for mask in pairing.orphan_masks:
            standing[split, True, mask_id(mask)] = mask
    return standing


def _place(
    found: list[FoundFile], split: Literal["train", "test", "auto"], standing: _Standing
) -> tuple[list[tuple[FoundFile, str]], int]:
    """The split of every file, and how many pictures the hash had to place.

    What tells, weakest first: a mask's folder, a picture that stands in the data folder, a picture's folder.
    """
    if split != "auto":
        return [(one, split) for one in found], 0
    told = {one.id: one.split for one in found if one.is_mask and one.split}
    told |= {id: where for where, is_mask, id in standing if not is_mask}
    told |= {one.id: one.split for one in found if not one.is_mask and one.split}
    placed, divided = [], 0
    for one in found:
        where = one.split or told.get(one.id)
        if where is None:
            where = "test" if is_test(one.id) else "train"
            divided += not one.is_mask
        placed.append((one, where))
    return placed, divided


def is_test(id: str) -> bool:
    """Whether a picture without a telling folder name becomes a test picture.

    By the upper end of its position: validation takes the lower end of the rest, and must find its share there.
    """
    return id_position(id) >= 1 - TEST_FRACTION


def _jobs(out: Path, placed: list[tuple[FoundFile, str]], standing: _Standing) -> list[_Job]:
    taken = dict(standing)
    jobs = []
    for one, split in placed:
        key = (split, one.is_mask, one.id)
        target = out / split / ("masks" if one.is_mask else "images") / one.path.name
        holder = taken.get(key) or (target if target.exists() else None)
        jobs.append(_Job(one.path, target, holder))
        taken.setdefault(key, one.path)
    return jobs


def _without_clashes(jobs: list[_Job], progress: bool) -> tuple[list[_Job], tuple[Path, ...]]:
    """What is left to copy, and what stands there already; all clashes are named in one error."""
    held = [job for job in jobs if job.holder]
    same = map_in_threads(
        lambda job: filecmp.cmp(job.source, job.holder, shallow=False),
        held,
        description="comparing",
        unit="file",
        progress=progress,
    )
    clashes = [f"{job.source} and {job.holder}" for job, equal in zip(held, same, strict=True) if not equal]
    if clashes:
        more = f"; and {len(clashes) - 5} more such pairs" if len(clashes) > 5 else ""
        raise DataError(
            f"{'; '.join(clashes[:5])}{more}: the same id with different content, expected one file for each "
            "id; nothing was copied. Rename one of each, or import into another folder (--out)."
        )
    return [job for job in jobs if not job.holder], tuple(job.holder for job in held)


def _copy(jobs: list[_Job], scratch: Path, progress: bool) -> None:
    """Copy to the scratch folder, then move everything into place; a failure takes back what was moved."""
    staged = scratch / "staged"
    staged.mkdir()

    def copy(number: int) -> Path:
        return Path(shutil.copyfile(jobs[number].source, staged / str(number)))

    copies = map_in_threads(copy, range(len(jobs)), description="copying", unit="file", progress=progress)
    moved: list[Path] = []
    try:
        for copied, job in zip(copies, jobs, strict=True):
            job.target.parent.mkdir(parents=True, exist_ok=True)
            move_to_new(copied, job.target)  # fails where the name was taken meanwhile: somebody else is writing here
            moved.append(job.target)
    except BaseException:
        for target in moved:
            target.unlink(missing_ok=True)
        raise
