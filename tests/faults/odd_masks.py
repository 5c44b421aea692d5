"""Masks as they come: every way to save one, damaged ones, and ones that do not fit their pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from damaged_files import cut_short, with_bytes_changed
from fault_study import Study, Tally, needs_linux
from odd_files import READ_MASK, OddFile, read_all
from PIL import Image
from whole_masks import KINDS, outline, whole_mask
from whole_pictures import exif, saved, stored

from jaalnet_core.data.check import CheckReport, check_data
from jaalnet_core.data.source import open_data
from jaalnet_core.errors import DataError
from jaalnet_core.size import Size

AREA = "Pictures"
SIZE = Size(32, 32)


def corpus(times: int, seed: int, change: Callable[..., OddFile] | None = None) -> Iterator[OddFile]:
    """So many masks, every kind in turn; with `change`, damaged by it."""
    kinds = sorted(KINDS)
    for number in range(times):
        rng = np.random.default_rng([seed, number])
        mask = whole_mask(rng, kinds[number % len(kinds)])
        yield change(mask, rng) if change else mask


def damaged(mask: OddFile, rng: np.random.Generator) -> OddFile:
    return (cut_short if rng.random() < 0.5 else with_bytes_changed)(mask, rng)


def beside(mask: np.ndarray, rng: np.random.Generator, kind: str) -> tuple[bytes, str | None, np.ndarray | None]:
    """A mask that goes wrong beside its picture.

    Returns:
        Its file, the problem that `data check` must name (None: none), and what training must get of it, `(H, W)` of 0
        and 1 at the picture's size (None: it must be refused by name).
    """
    white = mask * np.uint8(255)
    height, width = mask.shape
    if kind == "half the size":
        small = cv2.resize(white, (width // 2, height // 2), interpolation=cv2.INTER_NEAREST)
        return saved(small, "PNG"), "sizes differ", np.zeros(0)
    if kind == "turned by 90 degrees":
        return saved(np.rot90(white), "PNG"), "sizes differ", None
    if kind == "turned, and turned back by EXIF":
        return saved(stored(white, 6), "PNG", exif=exif(6)), None, mask
    if kind == "of a part of the picture":
        return saved(white[: height // 2], "PNG"), "sizes differ", None
    if kind == "inverted":
        return saved(255 - white, "PNG"), "mask inverted", 1 - mask
    if kind == "soft":
        soft = cv2.GaussianBlur(white, (0, 0), 2)
        soft[0, 0] = 255
        return saved(soft, "PNG"), "mask not binary", (soft > 127).astype(np.uint8)
    if kind == "dim":
        return saved(mask * np.uint8(rng.integers(2, 128)), "PNG"), "mask not binary", None
    if kind == "empty":
        return saved(mask * 0, "PNG"), "mask empty", mask * 0
    if kind == "full":
        return saved(mask * 0 + 255, "PNG"), "mask full", mask * 0 + 1
    if kind == "0 and 1":
        return saved(mask, "PNG"), "mask is 0 and 1", mask
    if kind == "cut short":
        content = saved(white, "PNG")
        return content[: int(rng.integers(0, len(content) - 20))], "unreadable mask", None
    return saved(white, "PNG"), None, mask


BESIDE = (
    "as it should be",
    "half the size",
    "turned by 90 degrees",
    "turned, and turned back by EXIF",
    "of a part of the picture",
    "inverted",
    "soft",
    "dim",
    "empty",
    "full",
    "0 and 1",
    "cut short",
)


def masks_beside(times: int, folder: Path, check: Callable[[Path], CheckReport] | None = None) -> Tally:
    """Each odd mask in a data folder of good ones: `check_data` names it, and `open_data` reads or refuses it."""
    tally = Tally()
    check = check or (lambda root: check_data(root, progress=False))
    for number in range(times):
        rng = np.random.default_rng([7, number])
        kind = BESIDE[number % len(BESIDE)]
        root = folder / str(number)
        mask = outline(rng)
        while not _is_plain(mask):
            mask = outline(rng)
        content, problem, meant = beside(mask, rng, kind)
        for part in ("images", "masks"):
            (root / "test" / part).mkdir(parents=True)
        odd = root / "test" / "masks" / "odd_mask.png"
        for name, values in (("good", content), ("odd", content)):
            picture = rng.integers(0, 256, (*mask.shape, 3), dtype=np.uint8)
            Image.fromarray(picture).save(root / "test" / "images" / f"{name}.png")
            (root / "test" / "masks" / f"{name}_mask.png").write_bytes(
                values if name == "odd" else saved(mask * np.uint8(255), "PNG")
            )
        _judge(tally, kind, check(root), root, odd, problem, meant)
    return tally


def _is_plain(mask: np.ndarray) -> bool:
    """No square, which would fit when it is turned, and hardly touching the frame, where inverted is hard to tell."""
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return abs(mask.shape[0] - mask.shape[1]) > 4 and edge.mean() < 0.05


def _judge(
    tally: Tally, kind: str, report: CheckReport, root: Path, odd: Path, problem: str | None, meant: np.ndarray | None
) -> None:
    named = {one.kind for one in report.problems if odd in one.files}
    if (problem is None and named) or (problem is not None and problem not in named):
        tally.broke(f"{kind}: `data check` found {sorted(named)}, expected {problem}")
        return
    if any("good" in path.name for one in report.problems for path in one.files):
        tally.broke(f"{kind}: the good mask was blamed")
        return
    try:
        read = open_data(root, SIZE, splits=("test",), progress=False).test
    except DataError as error:
        if meant is not None or odd.name not in str(error):
            tally.broke(f"{kind}: {error}")
        else:
            tally.kept("named by `data check`, refused by training")
        return
    if meant is None:
        tally.broke(f"{kind}: training took it")
        return
    got, good = read.masks[read.ids.index("odd")], read.masks[read.ids.index("good")]
    wanted = cv2.resize(meant.astype(np.float32), SIZE[::-1], interpolation=cv2.INTER_AREA) if meant.size else good
    if (away := float((got != (wanted >= 0.5)).mean())) > 0.08:
        tally.broke(f"{kind}: {away:.3f} of the pixels are others")
    else:
        tally.kept("read as stored" if problem is None else "named by `data check`, read as stored")


STUDIES = [
    Study(
        AREA,
        f"a mask saved in one of {len(KINDS)} ways",
        "the outline that was drawn; one that cannot be told (nothing above 127) is refused by name",
        2 * len(KINDS),
        600,
        lambda times, folder: read_all(corpus(times, 5), folder, reader=READ_MASK, channels=1),
        needs_linux,
    ),
    Study(
        AREA,
        "a mask cut short or with bytes changed",
        "a clear error that names the file, or a mask; a PNG is right or refused",
        46,
        600,
        lambda times, folder: read_all(corpus(times, 6, damaged), folder, reader=READ_MASK, channels=1),
        needs_linux,
    ),
    Study(
        AREA,
        "a mask inverted, soft, dim, empty, full, turned or of another size beside its picture",
        "`jaalnet data check` names it; training reads it as stored, or refuses what cannot fit, by name",
        len(BESIDE),
        10 * len(BESIDE),
        masks_beside,
    ),
]
