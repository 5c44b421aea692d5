"""Scoring a loaded network on one split of a data set: what `evaluate`, `report`, `reproduce` and `ship` share."""

from __future__ import annotations

from typing import Literal

from jaalnet_core.data.layout import Sample, find_layout
from jaalnet_core.data.source import LesionData
from jaalnet_core.evaluation import Evaluation, ScoreAt, choose_device, evaluate_network
from jaalnet_core.weights import LoadedNetwork

Split = Literal["train", "validation", "test"]


def places(split: Split) -> dict[str, ScoreAt]:
    """What a full account scores: a heading for people, and where pixels are counted. The first is the headline."""
    return {split: "network", f"{split} at the masks' own size": "mask"}


def score(
    loaded: LoadedNetwork,
    data: LesionData,
    split: Split = "test",
    *,
    score_at: ScoreAt = "network",
    batch_size: int = 32,
    threshold: float = 0.5,
    flips: bool = False,
    device: str = "auto",
    progress: bool = True,
) -> Evaluation:
    """Count the pixels of one split, opened at the network's size; see `evaluate_network` for the options.

    Raises:
        DataError: the split holds no picture, or a mask file is missing.
        SettingsError: the data were opened at another size than the network's.
    """
    return evaluate_network(
        loaded.network,
        getattr(data, split),
        size=loaded.size,
        score_at=score_at,
        samples=_samples(data, split) if score_at == "mask" else (),
        batch_size=batch_size,
        threshold=threshold,
        flips=flips,
        device=choose_device(device),
        progress=progress,
        checkpoint=loaded.path.name,
        data=f"{data.name} {split}",
    )


def _samples(data: LesionData, split: Split) -> tuple[Sample, ...]:
    """The files of a split; training and validation pictures lie in the same folder."""
    return data.test_samples if split == "test" else find_layout(data.root).train
