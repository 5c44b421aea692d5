"""What the front page shows, as numbers: a short training on synthetic pictures, a look into a trained network."""

from __future__ import annotations

import base64
import json
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.source import LesionData
from jaalnet_core.data.synthetic import TEST_START, make_arrays
from jaalnet_core.errors import DataError
from jaalnet_core.figures.patches import patch_maps
from jaalnet_core.position_maps import look_from, position_maps, telling_pixels
from jaalnet_core.pretrained import DA_NET, shipped_weights
from jaalnet_core.size import Size
from jaalnet_core.snapshots import Snapshot, take_snapshot
from jaalnet_core.training.background import BackgroundTraining
from jaalnet_core.training.settings import TrainSettings
from jaalnet_core.weights import load_da_net, load_lf_net

TRAINING, LOOK = "training.json", "look.json"
PICTURES = (0, 1, 2, 3)  # of the validation pictures
TRAIN, VALIDATION = 240, 40  # pictures
SETTINGS = TrainSettings(
    preset="tiny", size=Size(64, 64), epochs=20, batch_size=16, learning_rate=2e-4, checkpoint_every=20, device="cpu"
)
LOOKED_AT = 7  # a synthetic test picture
WEIGHTS = "small-synthetic"


@dataclass(frozen=True, eq=False)
class TrainingRecord:
    """A training from its first epoch to its last.

    Attributes:
        pictures: the validation pictures that are shown, made anew.
        snapshots: one an epoch.
        lines: the log's, one an epoch.
    """

    pictures: LesionArrays
    snapshots: list[Snapshot]
    lines: list[dict[str, float]]


@dataclass(frozen=True, eq=False)
class LookRecord:
    """One synthetic picture through a trained LF-Net and DA-Net.

    Attributes:
        picture: `(H, W, 3)` uint8.
        expert, drawn: `(H, W)` boolean masks.
        dice: of the drawn one, 0..1.
        pixel: row and column from which position attention is looked at.
        attention: `(h, w)` float, its weights against the most it gives to any position, 0..1.
        opinion: `(h, w)` float, DA-Net's opinion of picture and drawing, 0..1.
    """

    picture: np.ndarray
    expert: np.ndarray
    drawn: np.ndarray
    dice: float
    pixel: tuple[int, int]
    attention: np.ndarray
    opinion: np.ndarray


def make_training_record() -> dict[str, Any]:
    """Train the smallest networks on synthetic pictures and keep what they drew after every epoch. Takes minutes."""
    size = SETTINGS.size
    train = make_arrays(TRAIN, size, progress=False)
    validation = make_arrays(VALIDATION, size, first=TEST_START // 2, progress=False)
    data = LesionData("synthetic", Path("synthetic"), train, validation, validation.take([]), (), ())
    shown = validation.take(PICTURES)
    lines, taken = [], []

    def end_epoch(line: dict[str, float], run: Any) -> None:
        lines.append({name: round(value, 6) for name, value in line.items() if name != "seconds"})
        taken.append(take_snapshot(int(line["epoch"]), run.lf_net, run.da_net, shown))

    with tempfile.TemporaryDirectory(prefix="jaalnet-") as folder:
        settings = SETTINGS.resolved()
        kept = settings.to_json() | {"train": TRAIN, "validation": VALIDATION, "torch": torch.__version__}
        run = BackgroundTraining(
            TrainSettings.from_json(settings.to_json() | {"out": str(Path(folder) / "run")}),
            data=data,
            on_epoch=end_epoch,
            progress=True,
        )
        run.start()
        run.wait()
    return {
        "command": "python -m jaalnet_core.front_page training",
        "pictures": "synthetic, made by jaalnet_core.data.synthetic",
        "settings": kept,
        "lines": lines,
        "snapshots": [
            {
                "epoch": one.epoch,
                "dice": [round(float(dice), 6) for dice in one.dice],
                "masks": _packed(np.packbits(one.masks)),
                "real": _packed(_bytes(one.real)),
                "fake": _packed(_bytes(one.fake)),
            }
            for one in taken
        ],
    }


def read_training_record(path: Path) -> TrainingRecord:
    """What `make_training_record` wrote, with the pictures made anew.

    Raises:
        DataError: missing, or not such a record.
    """
    values = _read(path)
    try:
        size = Size.parse(values["settings"]["size"])
        count, grid = len(PICTURES), (-(-size.height // 8), -(-size.width // 8))
        shape = (count, size.height, size.width)
        snapshots = [
            Snapshot(
                one["epoch"],
                np.unpackbits(_unpacked(one["masks"]), count=int(np.prod(shape))).reshape(shape).astype(bool),
                np.array(one["dice"]),
                *(_unpacked(one[name]).reshape(count, *grid) / np.float32(255) for name in ("real", "fake")),
            )
            for one in values["snapshots"]
        ]
        lines = [dict(line) for line in values["lines"]]
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise DataError(f"{path}: not a record of a training ({error!r}); make it anew by its command.") from error
    pictures = make_arrays(max(PICTURES) + 1, size, first=TEST_START // 2, progress=False).take(PICTURES)
    return TrainingRecord(pictures, snapshots, lines)


def make_look_record() -> dict[str, Any]:
    """Let the shipped networks for synthetic pictures look at one of them, and keep what they answer."""
    shown = make_arrays(1, Size(128, 128), first=TEST_START + LOOKED_AT, progress=False)
    lf_net = load_lf_net(shipped_weights(WEIGHTS)).network
    da_net = load_da_net(shipped_weights(WEIGHTS, DA_NET)).network
    images, _ = shown.tensors()
    with torch.no_grad():
        drawn = torch.sigmoid(lf_net(images))
    taken = take_snapshot(0, lf_net, da_net, shown)
    maps = position_maps(da_net, shown.images[0], drawn[0, 0].numpy())
    pixel = telling_pixels(maps.mask)[0]
    attention = look_from(maps, pixel).map
    return {
        "command": "python -m jaalnet_core.front_page look",
        "pictures": "synthetic, made by jaalnet_core.data.synthetic",
        "weights": f"checkpoints/shipped/{WEIGHTS}",
        "dice": round(float(taken.dice[0]), 6),
        "drawn": _packed(np.packbits(taken.masks[0])),
        "pixel": [int(part) for part in pixel],
        "grid": list(attention.shape),
        "attention": _packed(_bytes(attention / attention.max())),
        "opinion": _packed(_bytes(patch_maps(da_net, images, drawn)[0].numpy())),
    }


def read_look_record(path: Path) -> LookRecord:
    """What `make_look_record` wrote, with the picture made anew.

    Raises:
        DataError: missing, or not such a record.
    """
    values = _read(path)
    shown = make_arrays(1, Size(128, 128), first=TEST_START + LOOKED_AT, progress=False)
    expert = shown.masks[0].astype(bool)
    try:
        attention, opinion = (
            _unpacked(values[name]).reshape(values["grid"]) / np.float32(255) for name in ("attention", "opinion")
        )
        drawn = np.unpackbits(_unpacked(values["drawn"]), count=expert.size).reshape(expert.shape).astype(bool)
        row, column = values["pixel"]
        dice = float(values["dice"])
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise DataError(f"{path}: not a record of a look ({error!r}); make it anew by its command.") from error
    return LookRecord(shown.images[0], expert, drawn, dice, (row, column), attention, opinion)


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); `python -m jaalnet_core.front_page` makes it.") from error
    if not isinstance(values, dict):
        raise DataError(f"{path}: found {type(values).__name__}, expected a record of the front page.")
    return values


def _bytes(values: np.ndarray) -> np.ndarray:
    """0..1 as 0..255: as much as a picture can show."""
    return (255 * values).round().clip(0, 255).astype(np.uint8)


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(zlib.compress(values.tobytes(), 9)).decode()


def _unpacked(text: str) -> np.ndarray:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=np.uint8)
