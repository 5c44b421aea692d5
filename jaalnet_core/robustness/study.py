"""The same weights on disturbed pictures: how much of its Dice a network keeps, beside the undisturbed pictures.

Pictures are disturbed at the size at which the network sees them, in three strengths that were fixed before any network
was scored. The same picture is disturbed in the same way for every network, so each is its own control: the difference
is paired, and its interval is drawn over pictures. A turned picture has corners that nobody photographed; there only
pixels of the photograph count, and the control is the outline of the upright picture, turned along.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.disturbances import blur, brighten, compress, grow_hair, in_view, turn, warm
from jaalnet_core.data.source import LesionData
from jaalnet_core.errors import DataError, SettingsError
from jaalnet_core.evaluation import choose_device, predict_probabilities
from jaalnet_core.files import write_json
from jaalnet_core.interval import Interval
from jaalnet_core.metrics import confusion_counts, scores
from jaalnet_core.scoring import Split
from jaalnet_core.size import Size
from jaalnet_core.typed_fields import from_fields
from jaalnet_core.weights import LoadedNetwork

FORMAT = "jaalnet-robustness"
LOST = 0.1  # a picture that loses more Dice than this counts as lost


@dataclass(frozen=True)
class Disturbance:
    """One way of making pictures worse.

    Attributes:
        levels: three strengths, from weak to strong.
        says: a strength in words, with `{}` or `{0}` for its number.
        change: from a picture `(H, W, 3)` uint8, a strength and the picture's id to a picture.
        turns: whether the mask moves along.
    """

    levels: tuple[float, float, float]
    says: str
    change: Callable[[np.ndarray, float, str], np.ndarray]
    turns: bool = False


DISTURBANCES: dict[str, Disturbance] = {
    "blur": Disturbance((1, 2, 4), "Gaussian, {} % of the shorter side", lambda p, level, _: blur(p, level)),
    "JPEG": Disturbance((50, 20, 10), "quality {}", lambda p, level, _: compress(p, int(level))),
    "darker": Disturbance((0.75, 0.5, 0.3), "colours times {}", lambda p, level, _: brighten(p, level)),
    "lighter": Disturbance((1.25, 1.5, 2), "colours times {}", lambda p, level, _: brighten(p, level)),
    "red cast": Disturbance((10, 20, 30), "red +{0} %, blue -{0} %", lambda p, level, _: warm(p, level / 50)),
    "blue cast": Disturbance((10, 20, 30), "blue +{0} %, red -{0} %", lambda p, level, _: warm(p, -level / 50)),
    "hair": Disturbance((10, 30, 90), "{} hairs drawn over", lambda p, level, id: grow_hair(p, int(level), id)),
    "rotation": Disturbance((15, 45, 90), "{} degrees", lambda p, level, _: turn(p, level), turns=True),
}


@dataclass(frozen=True, eq=False)
class Condition:
    """One disturbance in one strength.

    Attributes:
        disturbance: one of `DISTURBANCES`.
        level: its strength.
        says: the strength in words.
        counts: `(N, 4)` int64, tp, fp, fn, tn of each disturbed picture.
        control: the same of the undisturbed ones where other pixels count than in `undisturbed`, else None.
    """

    disturbance: str
    level: float
    says: str
    counts: Tensor
    control: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Study:
    """The counted pixels of every picture under every condition, and where they came from.

    Attributes:
        checkpoint: the weights' file, as it was named.
        weights_sha256: of that file.
        data: the data set's name and split, such as `ISBI2016 test`.
        size: the network's, at which pictures were disturbed and pixels counted.
        threshold: probabilities above it are lesion.
        command: makes the study anew.
        environment: versions and machine, with `git_revision`.
        ids: the `N` picture ids.
        undisturbed: `(N, 4)` int64.
        conditions: every strength of every disturbance.
    """

    checkpoint: str
    weights_sha256: str
    data: str
    size: Size
    threshold: float
    command: str
    environment: dict[str, Any]
    ids: tuple[str, ...]
    undisturbed: Tensor
    conditions: tuple[Condition, ...]

    def difference(self, condition: Condition) -> Interval:
        """Dice per image, disturbed minus undisturbed, picture by picture: the mean and its 95% interval."""
        return Interval.of(self._gaps(condition))

    def lost(self, condition: Condition) -> float:
        """The share of the pictures whose Dice falls by more than `LOST`."""
        return (self._gaps(condition) < -LOST).double().mean().item()

    def dice(self, condition: Condition | None = None) -> Interval:
        """Mean Dice per image and its 95% interval, of a condition or of the undisturbed pictures."""
        return Interval.of(scores(self.undisturbed if condition is None else condition.counts)["dice"])

    def _gaps(self, condition: Condition) -> Tensor:
        control = self.undisturbed if condition.control is None else condition.control
        return scores(condition.counts)["dice"] - scores(control)["dice"]

    def save(self, path: Path) -> Path:
        """Write everything as JSON, whole or not at all."""
        values = {"format": FORMAT} | {name: getattr(self, name) for name in self.__dataclass_fields__}
        values |= {"size": [self.size.height, self.size.width], "undisturbed": self.undisturbed.tolist()}
        values["conditions"] = [
            vars(one)
            | {"counts": one.counts.tolist(), "control": None if one.control is None else one.control.tolist()}
            for one in self.conditions
        ]
        write_json(Path(path), values, rows=True)
        return Path(path)


def read_study(path: Path) -> Study:
    """Read what `Study.save` wrote.

    Raises:
        DataError: missing, damaged, or something else.
    """
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
        if values.pop("format") != FORMAT:
            raise ValueError("another format")
        count = len(values["ids"])
        values |= {"ids": tuple(values["ids"]), "size": Size(*values["size"])}
        values["undisturbed"] = _table(values["undisturbed"], count)
        values["conditions"] = tuple(
            from_fields(
                Condition,
                one
                | {
                    "counts": _table(one["counts"], count),
                    "control": None if one["control"] is None else _table(one["control"], count),
                },
            )
            for one in values["conditions"]
        )
        return from_fields(Study, values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{path}: cannot be read as a study of robustness ({type(error).__name__}: {error}). Remove it, and "
            "`jaalnet robustness` makes it anew."
        ) from error


def study_robustness(
    loaded: LoadedNetwork,
    data: LesionData,
    split: Split = "test",
    *,
    weights_sha256: str = "",
    command: str = "",
    environment: dict[str, Any] | None = None,
    threshold: float = 0.5,
    batch_size: int = 32,
    device: str = "auto",
    progress: bool = True,
) -> Study:
    """Score a network on one split, undisturbed and under every condition.

    Args:
        loaded: the network; `data` were opened at its size.
        weights_sha256, command, environment: to keep with the result.
        threshold: probabilities above it are lesion.
        batch_size: pictures predicted at once.

    Raises:
        DataError: the split holds no picture.
        SettingsError: the data were opened at another size.
    """
    arrays: LesionArrays = getattr(data, split)
    if len(arrays) == 0:
        raise DataError(f"{data.root}: holds no {split} pictures with masks, expected at least one.")
    if arrays.size != loaded.size:
        raise SettingsError(f"size: the pictures are {arrays.size}, the network expects {loaded.size}.")
    where = choose_device(device)

    def probabilities(images: np.ndarray) -> np.ndarray:
        tensors, _ = LesionArrays(arrays.ids, images, arrays.masks).tensors()
        return predict_probabilities(loaded.network, tensors, batch_size=batch_size, device=where)[:, 0].numpy()

    upright = probabilities(arrays.images)
    conditions = []
    steps = [(name, one, level) for name, one in DISTURBANCES.items() for level in one.levels]
    for name, one, level in tqdm(steps, desc="disturbing", unit="condition", disable=not progress):
        images = np.stack([one.change(*pair) for pair in _with(arrays, level)])
        disturbed, masks, control, view = probabilities(images), arrays.masks, None, None
        if one.turns:
            view = in_view(arrays.size, level)
            masks = np.stack([turn(mask.astype(np.float32), level) for mask in arrays.masks]) > 0.5
            turned = np.stack([turn(probability, level) for probability in upright])
            control = counted(turned > threshold, masks, view)
        says = one.says.format(f"{level:g}")
        conditions.append(Condition(name, level, says, counted(disturbed > threshold, masks, view), control))
    return Study(
        checkpoint=loaded.path.name,
        weights_sha256=weights_sha256,
        data=f"{data.name} {split}",
        size=arrays.size,
        threshold=threshold,
        command=command,
        environment=dict(environment or {}),
        ids=arrays.ids,
        undisturbed=counted(upright > threshold, arrays.masks),
        conditions=tuple(conditions),
    )


def counted(outlines: np.ndarray, masks: np.ndarray, view: np.ndarray | None = None) -> Tensor:
    """`(N, 4)` tp, fp, fn, tn of `(N, H, W)` outlines and masks, of the pixels in `view` `(H, W)` alone."""
    pairs = (torch.from_numpy(np.ascontiguousarray(one, dtype=bool)) for one in (outlines, masks))
    flat = [one.flatten(1) if view is None else one[:, torch.from_numpy(view)] for one in pairs]
    return confusion_counts(flat[0][:, None], flat[1][:, None])


def _with(arrays: LesionArrays, level: float) -> Iterator[tuple[np.ndarray, float, str]]:
    return zip(arrays.images, repeat(level), arrays.ids, strict=False)


def _table(rows: list[list[int]], count: int) -> Tensor:
    table = torch.tensor(rows, dtype=torch.int64)
    if table.shape != (count, 4):
        raise ValueError(f"found counts {tuple(table.shape)}, expected ({count}, 4)")
    return table
