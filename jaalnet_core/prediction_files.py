"""Which pictures go into a prediction, and which files come out: no name twice, no foreign file replaced."""

from __future__ import annotations

import csv
import dataclasses
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jaalnet_core.data.layout import is_mask_name, is_usable_name
from jaalnet_core.errors import SettingsError
from jaalnet_core.files import atomic_path

TABLE_NAME = "predictions.csv"
_ELSEWHERE = "choose another --out, or move that file."
_LONGEST_STEM = 160  # bytes of a file name; systems allow 255, and the endings and a number come on top


@dataclass(frozen=True)
class PictureResult:
    """One row of `predictions.csv`.

    Attributes:
        file: the picture, as it was named or found.
        mask: name of the mask PNG beside the table: 0 = skin, 255 = lesion, at the picture's own size.
        overlay: name of the photograph with its outline, beside the table.
        width, height: of the upright picture, in pixels; None when it could not be read.
        lesion_pixels: the lesion's area.
        lesion_percent: the lesion's share of the frame, 0..100.
        seconds: from opening the picture to the last file written.
        status: `ok` or `error`.
        error: what was wrong, in one sentence.
    """

    file: str
    mask: str = ""
    overlay: str = ""
    width: int | None = None
    height: int | None = None
    lesion_pixels: int | None = None
    lesion_percent: float | None = None
    seconds: float | None = None
    status: str = "ok"
    error: str = ""


_COLUMNS = tuple(field.name for field in dataclasses.fields(PictureResult))


@dataclass(frozen=True)
class FoundPictures:
    """What the named files and folders hold.

    Attributes:
        pictures: every picture once, in the order named; a folder's by name.
        failures: what was named and is not there, or holds no picture.
        masks_left_out: files in folders that are masks by name (`…_mask`, `…_Segmentation`, `masks/…`).
    """

    pictures: tuple[Path, ...]
    failures: tuple[PictureResult, ...]
    masks_left_out: int


def find_pictures(inputs: Sequence[Path], out: Path, *, recursive: bool = False) -> FoundPictures:
    """Collect the pictures to outline. A file named itself is always taken, whatever its name.

    Args:
        inputs: files and folders.
        out: where the results go; its files are never taken as pictures.
        recursive: also look into folders within folders (not into hidden ones).

    Raises:
        SettingsError: `out` is one of the folders to read: the next run would take results for pictures.
    """
    pictures: dict[Path, Path] = {}  # by its resolved path, so that no picture is taken twice
    failures: list[PictureResult] = []
    masks_left_out = 0
    for named in inputs:
        if os.path.isdir(named):  # unlike `Path.is_dir`, a name too long or forbidden is no error here
            if _place(named) == _place(out):
                raise SettingsError(
                    f"--out: found {out}, which is also a folder to read; expected another folder, or the "
                    f"next run would take the results for pictures: for example {out / 'outlined'}."
                )
            files, unreadable = _files(named, recursive)
            files = [path for path in files if _place(out) not in _place(path).parents]
            failures += unreadable
            usable = [path for path in files if not _is_mask(path, named)]
            masks_left_out += len(files) - len(usable)
            pictures.update((_place(path), path) for path in usable if _place(path) not in pictures)
            if not usable and not unreadable:
                failures.append(_failure(named, _no_pictures(named, len(files), recursive)))
        elif os.path.lexists(named):
            pictures.setdefault(_place(named), named)
        else:
            failures.append(_failure(named, f"{named}: no such file or folder: check the path."))
    return FoundPictures(tuple(pictures.values()), tuple(failures), masks_left_out)


def plan_outputs(pictures: Sequence[Path], out: Path, earlier: Iterable[PictureResult]) -> list[PictureResult]:
    """Give each picture its two file names in `out`, different from all others even where case is ignored.

    A second picture of the same name gets `-2`, also when the first was outlined by an earlier run; a picture
    outlined before gets its old names back.

    Args:
        pictures: what `find_pictures` found.
        out: the folder of results.
        earlier: the rows of the table that is already in `out`.

    Raises:
        SettingsError: a file of that name is there and no earlier prediction wrote it: it may be an expert's
            mask, or one of the pictures.
    """
    owners = {row.mask.casefold(): _place(Path(row.file)) for row in earlier if row.mask}
    ours = {name.casefold() for row in earlier for name in (row.mask, row.overlay)} | {TABLE_NAME}
    wanted = {_shortened(picture.stem).casefold() for picture in pictures}
    taken: set[str] = set()
    plan = []
    for picture in pictures:
        stem, number = _shortened(picture.stem), 1
        name = stem
        # A numbered name must not be one that another picture bears by itself (`a-2.jpg`).
        while (
            name.casefold() in taken
            or (number > 1 and name.casefold() in wanted)
            or owners.get(f"{name}_mask.png".casefold(), _place(picture)) != _place(picture)
        ):
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        plan.append(PictureResult(str(picture), f"{name}_mask.png", f"{name}_overlay.jpg"))
    inputs = {_place(picture) for picture in pictures}
    for path in (out / name for row in plan for name in (row.mask, row.overlay)):
        if _place(path) in inputs:
            raise SettingsError(f"{path}: is one of the pictures to outline, and would be replaced: {_ELSEWHERE}")
        if path.exists() and path.name.casefold() not in ours:
            raise SettingsError(f"{path}: is there already and no earlier prediction wrote it: {_ELSEWHERE}")
    return plan


def read_table(out: Path) -> list[PictureResult]:
    """The rows of the `predictions.csv` in `out`; none when there is no such file.

    Raises:
        SettingsError: a file of that name is no table of ours.
    """
    path = out / TABLE_NAME
    if not path.exists():
        return []
    try:
        with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) == _COLUMNS:
                return [PictureResult(**{k: v if v else _EMPTY[k] for k, v in row.items()}) for row in reader]
    except (OSError, csv.Error, TypeError) as error:
        reason = str(error)
    else:
        reason = "other columns"
    raise SettingsError(f"{path}: is there already and is no table of predictions ({reason}): {_ELSEWHERE}")


def write_table(out: Path, rows: Iterable[PictureResult]) -> Path:
    """Write `predictions.csv` into `out`, whole or not at all. A name that is no text keeps its bytes."""
    path = out / TABLE_NAME
    with (
        atomic_path(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file,
    ):
        writer = csv.DictWriter(file, _COLUMNS)
        writer.writeheader()
        writer.writerows(dataclasses.asdict(row) for row in rows)
    return path


_EMPTY = {field.name: field.default for field in dataclasses.fields(PictureResult)} | {"file": ""}


def _files(folder: Path, recursive: bool) -> tuple[list[Path], list[PictureResult]]:
    """Files named like pictures or masks, in the order of their paths, none in a hidden folder; and what of that
    name is no file, or may not be looked into."""
    failures: list[PictureResult] = []

    def refuse(error: OSError) -> None:
        message = f"{error.filename}: cannot be looked into ({error.strerror}): check its permissions."
        failures.append(_failure(Path(error.filename), message))

    files = []
    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if recursive and not name.startswith(".")]
        for path in (Path(parent, name) for name in names):
            if is_usable_name(path) and os.path.isfile(path):
                files.append(path)
            elif is_usable_name(path):
                message = f"{path}: no file (a link to nothing, a pipe or a device): mend or remove it."
                failures.append(_failure(path, message))
    return sorted(files), failures


def _place(path: Path) -> Path:
    """Where a file really lies, links followed; unlike `Path.resolve`, links that run in a circle are no error."""
    return Path(os.path.realpath(path))


def _is_mask(path: Path, folder: Path) -> bool:
    return is_mask_name(path) or "masks" in (part.lower() for part in path.relative_to(folder).parts[:-1])


def _no_pictures(folder: Path, masks: int, recursive: bool) -> str:
    if masks:
        return f"{folder}: holds {masks} masks and no picture; name the folder of the photographs."
    hint = "" if recursive else ", or look into its folders too with --recursive"
    return f"{folder}: holds no picture (JPEG, PNG, BMP, TIFF, WebP); name another folder{hint}."


def _failure(named: Path, message: str) -> PictureResult:
    return PictureResult(str(named), status="error", error=message)


def _shortened(stem: str) -> str:
    return stem.encode("utf-8", "surrogateescape")[:_LONGEST_STEM].decode("utf-8", "ignore") or "picture"
