"""Scoring a network on a set of pictures: counted pixels of each image, every averaging, intervals, JSON.

    evaluation = evaluate_network(network, data.test)
    evaluation.averages()["per_image"]["dice"]
    evaluation.save("scores.json")

The pixels are counted at one of two sizes. At network size the expert's mask was reduced as the photograph
was. At the mask's own size the probabilities (not the thresholded outline) are enlarged bilinearly and then
thresholded: what the official scorer sees, and what a published "full resolution" figure means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm.auto import tqdm

from jaalnet_core.bootstrap import Intervals, metric_intervals
from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.layout import Sample
from jaalnet_core.data.pictures import read_mask
from jaalnet_core.errors import CheckpointError, DataError, SettingsError
from jaalnet_core.files import write_json
from jaalnet_core.metrics import AVERAGINGS, confusion_counts
from jaalnet_core.size import Size
from jaalnet_core.typed_fields import FieldError, from_fields

ScoreAt = Literal["network", "mask"]
MIRRORS = ((), (-1,), (-2,), (-2, -1))  # dimensions to flip: as it is, left-right, up-down, both
_COLUMNS = ("tp", "fp", "fn", "tn")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The counted pixels of each image, and how they were counted.

    Attributes:
        ids: the `N` picture ids.
        counts: `(N, 4)` int64 on the CPU: tp, fp, fn, tn of each image.
        size: the network's input size.
        score_at: whether pixels were counted at `network` size or at each `mask`'s own size.
        threshold: probabilities above it are lesion.
        flips: whether probabilities were averaged over the four mirror images.
        checkpoint: the weights' file, as it was named; empty for a network that came from none.
        data: the data set's name and split, such as `ISBI2016 test`.
        resamples, seed: of the bootstrap.
    """

    ids: tuple[str, ...]
    counts: Tensor
    size: Size
    score_at: ScoreAt = "network"
    threshold: float = 0.5
    flips: bool = False
    checkpoint: str = ""
    data: str = ""
    resamples: int = 2000
    seed: int = 0

    def averages(self) -> dict[str, dict[str, float]]:
        """The five metrics, 0..1, in each averaging of `metrics.AVERAGINGS`."""
        return {name: average(self.counts) for name, average in AVERAGINGS.items()}

    def intervals(self) -> Intervals:
        """The 95% bootstrap interval over images of each of the `averages`."""
        return metric_intervals(self.counts, samples=self.resamples, seed=self.seed)

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values: fractions, and the tables from which every average follows."""
        return {
            "n_images": len(self.ids),
            "size": [self.size.height, self.size.width],
            "score_at": self.score_at,
            "threshold": self.threshold,
            "flips": self.flips,
            "checkpoint": self.checkpoint,
            "data": self.data,
            **self.averages(),
            "ci95": {
                averaging: {metric: list(ends) for metric, ends in intervals.items()}
                for averaging, intervals in self.intervals().items()
            },
            "bootstrap": {"resamples": self.resamples, "seed": self.seed},
            "images": [
                {"id": id, **dict(zip(_COLUMNS, row, strict=True))}
                for id, row in zip(self.ids, self.counts.tolist(), strict=True)
            ],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Evaluation:
        """The evaluation that `to_json` wrote; averages and intervals are computed anew from its tables."""
        counts = [[image[column] for column in _COLUMNS] for image in values["images"]]
        if not all(type(count) is int and 0 <= count < 2**63 for row in counts for count in row):
            raise FieldError(f"images: expected whole numbers of pixels as {', '.join(_COLUMNS)}")
        fields = {name: values[name] for name in ("score_at", "threshold", "flips", "checkpoint", "data")}
        fields |= {"ids": [image["id"] for image in values["images"]], "size": Size(*values["size"])}
        return from_fields(cls, fields | values["bootstrap"] | {"counts": torch.tensor(counts)})

    def save(self, path: str | Path) -> Path:
        """Write the JSON; the file appears whole or not at all. Missing folders are made."""
        write_json(Path(path), self.to_json())
        return Path(path)


def evaluate_network(
    network: nn.Module,
    arrays: LesionArrays,
    *,
    size: Size | None = None,
    score_at: ScoreAt = "network",
    samples: Sequence[Sample] = (),
    batch_size: int = 32,
    threshold: float = 0.5,
    flips: bool = False,
    device: str | torch.device = "cpu",
    progress: bool = True,
    checkpoint: str = "",
    data: str = "",
) -> Evaluation:
    """Count each image's pixels.

    Args:
        network: images `(B, 3, H, W)` to logits `(B, 1, H, W)`; moved to `device`; its training mode is
            restored.
        arrays: pictures and masks, both already at network size.
        size: the network's input size, where the caller wants it checked against the arrays.
        score_at: count at `network` size, or at each `mask`'s own size.
        samples: the files behind the arrays, whose masks are read for `score_at="mask"`; matched by id.
        batch_size: pictures predicted at once.
        threshold: probabilities above it are lesion.
        flips: average the probabilities over the four mirror images.
        device: where to predict.
        progress: show a bar with the time left.
        checkpoint, data: names to keep with the result.

    Raises:
        DataError: there is no picture, or a mask file is missing.
        PictureError: a mask file cannot be read.
        SettingsError: the arrays have another size than `size`, or a setting is outside its range.
    """
    if len(arrays) == 0:
        raise DataError("evaluate: found no pictures with masks in this split, expected at least one.")
    if size is not None and arrays.size != size:
        raise SettingsError(f"size: the pictures are {arrays.size}, the network expects {size}.")
    if score_at not in ("network", "mask"):
        raise SettingsError(f"score_at: found {score_at!r}, expected 'network' or 'mask'.")
    if batch_size < 1 or not 0 <= threshold <= 1:
        raise SettingsError(f"batch_size {batch_size}, threshold {threshold}: expected at least 1, and 0 to 1.")
    files = _mask_files(arrays.ids, samples) if score_at == "mask" else {}
    counts: list[Tensor] = []
    with tqdm(total=len(arrays), desc="scoring", unit="picture", disable=not progress) as bar:
        for start in range(0, len(arrays), batch_size):
            images, masks = arrays.tensors(start, start + batch_size)
            probabilities = predict_probabilities(network, images, flips=flips, device=device)
            if score_at == "network":
                counts.append(confusion_counts(probabilities > threshold, masks))
            else:
                for id, probability in zip(arrays.ids[start:], probabilities, strict=False):
                    counts.append(_counts_at_mask_size(probability, read_mask(files[id]), threshold))
            bar.update(len(images))
    return Evaluation(
        ids=arrays.ids,
        counts=torch.cat(counts),
        size=arrays.size,
        score_at=score_at,
        threshold=threshold,
        flips=flips,
        checkpoint=checkpoint,
        data=data,
    )


def predict_probabilities(
    network: nn.Module,
    images: Tensor,
    *,
    batch_size: int | None = None,
    flips: bool = False,
    device: str | torch.device = "cpu",
) -> Tensor:
    """The probability of lesion in each pixel.

    Args:
        network: images `(B, 3, H, W)` to logits `(B, 1, H, W)`; moved to `device`; its training mode is
            restored.
        images: `(N, 3, H, W)` float32 in 0..1.
        batch_size: pictures predicted at once; all of them unless given.
        flips: average over the picture, its left-right mirror, its upside-down mirror, and both. The average
            is of probabilities, so that one very sure view does not outvote three others.
        device: where to predict.

    Returns:
        `(N, 1, H, W)` float32 on the CPU, 0..1.

    Raises:
        CheckpointError: the network's output is not finite.
        ValueError: the network's output is not `(B, 1, H, W)`.
    """
    network.to(device)
    batches = images.split(batch_size or max(1, len(images)))
    with _evaluating(network), torch.inference_mode():
        return torch.cat([_probabilities(network, batch.to(device), flips).cpu() for batch in batches])


def _probabilities(network: nn.Module, images: Tensor, flips: bool) -> Tensor:
    total = torch.zeros_like(images[:, :1])
    mirrors = MIRRORS if flips else MIRRORS[:1]
    for mirror in mirrors:
        logits = network(images.flip(mirror))
        if logits.shape != total.shape:
            raise ValueError(
                f"network: found output {tuple(logits.shape)} for images {tuple(images.shape)}, expected "
                f"logits {tuple(total.shape)}."
            )
        if not bool(logits.isfinite().all()):
            raise CheckpointError(
                "network: its output holds NaN or infinity, expected finite logits; the weights are damaged "
                "or the training diverged: take an earlier checkpoint."
            )
        total += logits.float().sigmoid().flip(mirror)
    return total / len(mirrors)


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)


def _counts_at_mask_size(probability: Tensor, mask: np.ndarray, threshold: float) -> Tensor:
    """`(1, 4)` from a probability map `(1, H, W)` and a mask `(H', W')` of 0 and 1."""
    enlarged = functional.interpolate(probability[None], mask.shape, mode="bilinear", align_corners=False)
    return confusion_counts(enlarged > threshold, torch.from_numpy(mask)[None, None])


def _mask_files(ids: Sequence[str], samples: Sequence[Sample]) -> dict[str, Path]:
    files = {sample.id: sample.mask for sample in samples if sample.mask is not None}
    missing = [id for id in ids if id not in files]
    if missing:
        raise DataError(
            f"score_at mask: found no mask file for {len(missing)} of {len(ids)} pictures, such as "
            f"{missing[0]}, expected one for each; score at network size, or pass their samples."
        )
    return files


def choose_device(name: str = "auto") -> torch.device:
    """The device of that name; `auto` takes a GPU where there is one.

    Raises:
        SettingsError: there is no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch built without CUDA raises an AssertionError
        reason = str(error).splitlines()[0]
        raise SettingsError(f"device: found {name!r}, which does not work here ({reason}); try cpu.") from error
    return device
