"""Files that are made from other files and hold nothing of their own: pages, tables between two markers, figures.

    page = DerivedText(folder / "README.md", text)
    page.is_current() or page.write()

A page is current when it says the same. A figure is current when it was drawn from the same numbers: their SHA-256
stands in the PNG, because another version of a drawing library writes other bytes for the same picture.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import ExifTags, Image

from jaalnet_core.errors import DataError
from jaalnet_core.figures.style import save_figure
from jaalnet_core.files import atomic_path

DRAWN_FROM = "Drawn from"  # the PNG's text that holds the digest
PLAYS = 3  # of an animation


@dataclass(frozen=True)
class DerivedText:
    """A text file and what it has to say.

    Attributes:
        path: the file.
        text: the whole of it.
    """

    path: Path
    text: str

    def is_current(self) -> bool:
        """Whether the file says this already."""
        return self.path.is_file() and self.path.read_text(encoding="utf-8") == self.text

    def write(self) -> None:
        """Write the file, whole or not at all."""
        with atomic_path(self.path) as temporary:
            temporary.write_text(self.text, encoding="utf-8")


@dataclass(frozen=True)
class DerivedFigure:
    """A PNG, the numbers it shows, and how it is drawn.

    Attributes:
        path: the file.
        numbers: everything that the figure shows, as plain values for JSON.
        draw: makes the figure.
    """

    path: Path
    numbers: Any
    draw: Callable[[], Figure] = field(repr=False)

    def is_current(self) -> bool:
        """Whether the file was drawn from these numbers."""
        return self.path.is_file() and drawn_from(self.path) == digest(self.numbers)

    def write(self) -> None:
        """Draw and write the file, whole or not at all."""
        save_figure(self.draw(), self.path, {DRAWN_FROM: digest(self.numbers)})


@dataclass(frozen=True)
class Frame:
    """One picture of an animation.

    Attributes:
        picture: `(H, W, 3)` uint8, RGB.
        milliseconds: how long it is shown.
    """

    picture: np.ndarray
    milliseconds: int


@dataclass(frozen=True)
class DerivedAnimation:
    """An animated WebP, the numbers it shows, and how its frames are drawn.

    It is played `PLAYS` times and then stands still on its last frame: nobody has to read beside something that moves.

    Attributes:
        path: the file.
        numbers: everything that the frames show, as plain values for JSON.
        draw: makes the frames, at least one, all of one size.
    """

    path: Path
    numbers: Any
    draw: Callable[[], Sequence[Frame]] = field(repr=False)

    def is_current(self) -> bool:
        """Whether the file was drawn from these numbers."""
        return self.path.is_file() and drawn_from(self.path) == digest(self.numbers)

    def write(self) -> None:
        """Draw and write the file, whole or not at all."""
        frames = self.draw()
        first, *others = (Image.fromarray(frame.picture) for frame in frames)
        words = Image.Exif()
        words[ExifTags.Base.ImageDescription] = f"{DRAWN_FROM}: {digest(self.numbers)}"
        with atomic_path(self.path) as temporary:
            first.save(
                temporary,
                format="WEBP",
                save_all=True,
                append_images=others,
                duration=[frame.milliseconds for frame in frames],
                loop=PLAYS,
                quality=80,
                method=6,
                exif=words,
            )


Derived = DerivedText | DerivedFigure | DerivedAnimation


def between_markers(path: Path, begin: str, end: str, block: str) -> DerivedText:
    """The file with `block` in place of what lies between two markers; the rest stays as a person wrote it.

    Args:
        path: a text file with exactly one pair of markers.
        begin, end: the markers.
        block: the new text, without the markers.

    Raises:
        DataError: no such file, or not one pair of markers in it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error}), expected the page with {begin}.") from error
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise DataError(f"{path}: found no single pair of {begin} and {end}, expected the place for the table.")
    before, rest = text.split(begin)
    return DerivedText(path, f"{before}{begin}\n{block}\n{end}{rest.split(end)[1]}")


def digest(numbers: Any) -> str:
    """SHA-256 of plain values, in hexadecimal."""
    return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()


def drawn_from(path: Path) -> str:
    """The digest in a PNG or a WebP of ours; empty for any other file."""
    try:
        with Image.open(path) as picture:
            if picture.format == "WEBP":
                words = str(picture.getexif().get(ExifTags.Base.ImageDescription, ""))
                return words.partition(f"{DRAWN_FROM}: ")[2]
            return str(getattr(picture, "text", {}).get(DRAWN_FROM, ""))
    except OSError:  # a damaged picture, or none: then it is drawn anew
        return ""
