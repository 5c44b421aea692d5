"""What the lesions turned out to be: the benign or malignant of ISBI2016's Part 3, for the same pictures as Part 1."""

from __future__ import annotations

import csv
from pathlib import Path

from jaalnet_core.data.source import LesionData
from jaalnet_core.errors import DataError

BENIGN, MALIGNANT = "benign", "malignant"
FILES = {
    "train": "ISBI2016_ISIC_Part3_Training_GroundTruth.csv",
    "validation": "ISBI2016_ISIC_Part3_Training_GroundTruth.csv",
    "test": "ISBI2016_ISIC_Part3_Test_GroundTruth.csv",
}
# The training file says it in words, the test file in numbers.
_WORDS = {BENIGN: BENIGN, MALIGNANT: MALIGNANT, "0": BENIGN, "0.0": BENIGN, "1": MALIGNANT, "1.0": MALIGNANT}
_TITLES = ("id", "img_id", "image_id", "image", "picture")  # of the first column, where a line names the columns


def find_diagnoses(data: LesionData, split: str) -> dict[str, str] | None:
    """Picture id to `benign` or `malignant`, from the official file beside the pictures; None where there is none.

    Args:
        data: whose folder to look into.
        split: `train`, `validation` or `test`; training and validation pictures stand in one file.

    Raises:
        DataError: no such split, or the file cannot be understood.
    """
    if split not in FILES:
        raise DataError(f"split: found {split!r}, expected one of {', '.join(FILES)}.")
    path = data.root / FILES[split]
    return read_diagnoses(path) if path.is_file() else None


def read_diagnoses(path: Path) -> dict[str, str]:
    """Read lines of `id,diagnosis`, where the diagnosis is benign or malignant, or 0 or 1; a line of titles may lead.

    Raises:
        DataError: the file cannot be read, says something else, or names a picture twice with two diagnoses.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            rows = [(number, row) for number, row in enumerate(csv.reader(file), 1) if any(map(str.strip, row))]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as a table of diagnoses ({error}); copy it again.") from error
    if rows and rows[0][1][0].strip().lower() in _TITLES:
        rows = rows[1:]
    if not rows:
        raise DataError(f"{path}: holds no diagnosis, expected lines such as ISIC_0000000,benign; copy it again.")
    diagnoses: dict[str, str] = {}
    for number, row in rows:
        word = _WORDS.get(row[1].strip().lower()) if len(row) == 2 else None
        if word is None:
            raise DataError(
                f"{path}, line {number}: found {','.join(row)!r}, expected a picture's id and benign, malignant, 0 or "
                "1: correct the line, or take the file of the challenge's Part 3 again."
            )
        id = row[0].strip()
        if diagnoses.setdefault(id, word) != word:
            raise DataError(
                f"{path}, line {number}: {id} is {word} here and {diagnoses[id]} above, expected one diagnosis for "
                "each picture: remove the wrong line."
            )
    return diagnoses
