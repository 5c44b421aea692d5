"""Make the synthetic set: dermoscopic pictures with exact masks, the same ones for the same settings.

    jaalnet data synthesize --out data/synthetic --train 400 --test 100 --size 256 --seed 0 --difficulty 0.5

A set that already stands in the folder with the same settings is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jaalnet_core.size import Size

SHEET_COLUMNS, SHEET_ROWS, SHEET_TILE = 8, 4, 160


@dataclass(frozen=True)
class Settings:
    """What to make, and where."""

    out: Path = Path("data/synthetic")
    """the folder; it gets {train,test}/{images,masks} and synthetic.json, the settings"""

    train: int = 400
    """training pictures"""

    test: int = 100
    """test pictures; how many there are does not change the training set, nor the other way round"""

    size: Size = Size(256, 256)
    """picture size: one number, or WIDTHxHEIGHT"""

    seed: int = 0
    """another seed, another set"""

    difficulty: float = 0.5
    """0: clear dark lesions on clean skin; 0.5: about as in ISBI2016; 1: all the trouble"""

    hardest: float | None = None
    """with it, every picture draws its own difficulty between --difficulty and this"""

    sheet: Path | None = None
    """also write a contact sheet with the outlines to this PNG file"""


def run(settings: Settings) -> int:
    """Make the set, or find it made; 0."""
    from jaalnet_core.data.synthetic import write_dataset

    difficulty = settings.difficulty
    if settings.hardest is not None:
        difficulty = (settings.difficulty, settings.hardest)
    folder = write_dataset(
        settings.out.expanduser(),
        train=settings.train,
        test=settings.test,
        size=settings.size,
        seed=settings.seed,
        difficulty=difficulty,
    )
    print(f"{folder}: {settings.train} training and {settings.test} test pictures of {settings.size}.")
    if settings.sheet is not None:
        sheet = settings.sheet.expanduser()
        write_sheet(folder, sheet)
        print(f"{sheet}: contact sheet of the first training pictures.")
    print(f"Next: jaalnet train --data {settings.out}")
    return 0


def write_sheet(folder: Path, sheet: Path) -> None:
    """Draw the first training pictures of a set, with their outlines, on one PNG.

    Raises:
        SettingsError: the sheet cannot be written.
    """
    import cv2
    import numpy as np

    from jaalnet_core.data.layout import find_layout
    from jaalnet_core.data.pictures import read_mask, read_picture
    from jaalnet_core.errors import SettingsError
    from jaalnet_core.figures import draw_outlines

    samples = find_layout(folder).train[: SHEET_COLUMNS * SHEET_ROWS]
    rows = -(-len(samples) // SHEET_COLUMNS)
    columns = min(len(samples), SHEET_COLUMNS)
    canvas = np.full((rows * SHEET_TILE, columns * SHEET_TILE, 3), 255, dtype=np.uint8)
    for i, sample in enumerate(samples):
        tile = draw_outlines(read_picture(sample.picture), expert=read_mask(sample.mask))
        top, left = i // SHEET_COLUMNS * SHEET_TILE, i % SHEET_COLUMNS * SHEET_TILE
        tile = cv2.resize(tile, (SHEET_TILE, SHEET_TILE), interpolation=cv2.INTER_AREA)
        canvas[top : top + SHEET_TILE, left : left + SHEET_TILE] = tile
    encoded = cv2.imencode(".png", cv2.cvtColor(canvas, cv2.COLOR_RGB2BGR))[1]
    try:
        sheet.parent.mkdir(parents=True, exist_ok=True)
        sheet.write_bytes(encoded.tobytes())
    except OSError as error:
        raise SettingsError(f"--sheet {sheet}: cannot be written ({error.strerror}); name another file.") from error
