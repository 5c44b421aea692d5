"""Pictures to look at and trained networks to look into: real ones where the learner has them, synthetic ones else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jaalnet_core.da_net import DANet
from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.source import locate_folder, open_data
from jaalnet_core.data.synthetic import TEST_START, Difficulty, make_arrays
from jaalnet_core.errors import CheckpointError, DataError, JaalnetError
from jaalnet_core.lf_net import LFNet
from jaalnet_core.size import Size
from jaalnet_core.weights import SHIPPED, load_da_net, load_lf_net

FOR_REAL_PICTURES = "small-isbi2016"
FOR_SYNTHETIC_PICTURES = "small-synthetic"
_FIRST = {"train": 0, "validation": TEST_START // 2, "test": TEST_START}  # indices of synthetic pictures never overlap


@dataclass(frozen=True, eq=False)
class Trained:
    """The two opponents of a shipped run.

    Attributes:
        lf_net, da_net: in evaluation mode, on the CPU.
        name: the run's, such as `small-isbi2016`; its card is `checkpoints/shipped/<name>/README.md`.
        size: the picture size of the training.
    """

    lf_net: LFNet
    da_net: DANet
    name: str
    size: Size


def pictures(count: int, size: int | Size = 128, *, split: str = "test") -> LesionArrays:
    """The first `count` pictures with masks: real ones where the learner has them, else synthetic ones.

    Real are those in `JAALNET_DATA`, else in `data/`. Numbers measured on these pictures differ between learners:
    show them, do not quote them.

    Args:
        count: how many; a smaller real set gives all it has.
        size: height and width.
        split: `train`, `validation` or `test`.

    Raises:
        DataError: the learner's set has no picture in that split.
    """
    size = _square(size)
    if locate_folder(None) is None:
        return make_arrays(count, size, first=_FIRST[split], progress=False)
    data = open_data(None, size, splits=(split,), limit=count, progress=False)
    found: LesionArrays = getattr(data, split)
    if not len(found):
        raise DataError(f"{data.root}: found no {split} pictures with masks, expected at least one.")
    return found


def synthetic_pictures(
    count: int, size: int | Size = 128, *, seed: int = 0, difficulty: Difficulty = 0.5
) -> LesionArrays:
    """`count` synthetic pictures with exact masks, the same for everyone: numbers measured on them can be quoted."""
    return make_arrays(count, _square(size), seed=seed, difficulty=difficulty, first=TEST_START, progress=False)


def trained(name: str | None = None) -> Trained:
    """A shipped LF-Net and the DA-Net that it was trained against.

    Args:
        name: of a folder in `checkpoints/shipped/`; by default the one trained on the kind of pictures that
            `pictures` returns.

    Raises:
        CheckpointError: no such weights; the message names those that are there.
    """
    name = name or (FOR_SYNTHETIC_PICTURES if locate_folder(None) is None else FOR_REAL_PICTURES)
    folder = _shipped_folder() / name
    if not (folder / "lf_net.safetensors").is_file():
        there = ", ".join(sorted(path.parent.name for path in folder.parent.glob("*/lf_net.safetensors"))) or "none"
        raise CheckpointError(f"{folder}: found no weights there, expected one of the shipped runs ({there}).")
    lf_net, da_net = load_lf_net(folder / "lf_net.safetensors"), load_da_net(folder / "da_net.safetensors")
    return Trained(lf_net.network, da_net.network, name, lf_net.size)


def supplied(path: str) -> Path:
    """A file or folder that comes with the project, such as `reports/published/failing-runs`.

    Looked for in the current folder first, then in the checkout that this package lies in: a learner's workspace
    needs no copy.

    Raises:
        JaalnetError: it is in neither.
    """
    checkout = Path(__file__).resolve().parents[2]
    for folder in (Path(), checkout):
        if (folder / path).exists():
            return folder / path
    raise JaalnetError(f"{path}: found neither here ({Path.cwd()}) nor beside the package ({checkout})")


def _shipped_folder() -> Path:
    try:
        return supplied(SHIPPED.as_posix())
    except JaalnetError:
        return SHIPPED


def _square(size: int | Size) -> Size:
    return size if isinstance(size, Size) else Size(size, size)
