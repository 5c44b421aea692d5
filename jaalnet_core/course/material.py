"""Pictures to look at and trained networks to look into: real ones where the learner has them, synthetic ones else."""

from __future__ import annotations

from dataclasses import dataclass

from jaalnet_core.da_net import DANet
from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.source import locate_folder, open_data
from jaalnet_core.data.synthetic import TEST_START, Difficulty, make_arrays
from jaalnet_core.errors import DataError
from jaalnet_core.lf_net import LFNet
from jaalnet_core.pretrained import DA_NET, shipped_weights
from jaalnet_core.size import Size
from jaalnet_core.weights import load_da_net, load_lf_net

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
    lf_net, da_net = load_lf_net(shipped_weights(name)), load_da_net(shipped_weights(name, DA_NET))
    return Trained(lf_net.network, da_net.network, name, lf_net.size)


def _square(size: int | Size) -> Size:
    return size if isinstance(size, Size) else Size(size, size)
