"""The smallest training that is still a real one: drawn lesions, a tiny LF-Net against its DA-Net, 32x32 pixels."""

from __future__ import annotations

import hashlib
import multiprocessing
from multiprocessing.context import BaseContext
from pathlib import Path

import numpy as np

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.source import LesionData
from jaalnet_core.size import Size
from jaalnet_core.training import RunResult, TrainSettings, train
from jaalnet_core.weights import read_training_checkpoint

SIDE = 32


def drawn_lesions(count: int, seed: int = 0, side: int = SIDE) -> LesionArrays:
    """`count` pictures of a dark ellipse on light, noisy skin."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side] / side
    centres, radii = random.uniform(0.35, 0.65, (count, 2)), random.uniform(0.15, 0.35, (count, 2))
    masks = np.stack(
        [((rows - y) / b) ** 2 + ((columns - x) / a) ** 2 < 1 for (y, x), (b, a) in zip(centres, radii, strict=True)]
    ).astype(np.uint8)
    images = np.array([215, 175, 155]) - 100 * masks[..., None] + random.normal(0, 9, (count, side, side, 3))
    ids = tuple(f"drawn_{seed}_{number:03}" for number in range(count))
    return LesionArrays(ids, images.clip(0, 255).astype(np.uint8), masks)


def as_data(train: LesionArrays, validation: LesionArrays | None = None) -> LesionData:
    """Arrays as the data set that `train` takes; two other pictures validate unless some are given."""
    none = train.take([])
    validation = drawn_lesions(2, seed=99) if validation is None else validation
    return LesionData("drawn", Path("drawn"), train, validation, none, (), ())


def small_settings(out: Path, **changes: object) -> TrainSettings:
    """A run of seconds; `changes` are fields of `TrainSettings`."""
    usual = {"epochs": 2, "batch_size": 2, "checkpoint_every": 1, "learning_rate": 1e-3}
    return TrainSettings(
        preset="tiny", size=Size(SIDE, SIDE), out=out, device="cpu", **{"peak_factor": 1.0} | usual | changes
    )


def quietly(settings: TrainSettings, data: LesionData, **options: object) -> RunResult:
    """Train without a word."""
    return train(settings, data=data, progress=False, say=lambda text: None, **options)


def weights_digest(checkpoint: Path) -> str:
    """SHA-256 over every weight of both networks and of both optimisers' memories, bit for bit."""
    state = read_training_checkpoint(checkpoint)
    digest = hashlib.sha256()
    for section in (state["lf_net"], state["da_net"], state["training"]["lf_net"]):
        _take_in(digest, section)
    for name in ("lf_optimizer", "da_optimizer"):
        _take_in(digest, state["training"][name])
    return digest.hexdigest()


def _take_in(digest, value: object) -> None:
    if isinstance(value, dict):
        for name in value:
            digest.update(str(name).encode())
            _take_in(digest, value[name])
    elif hasattr(value, "numpy"):
        digest.update(np.ascontiguousarray(value.numpy()).tobytes())
    else:
        digest.update(repr(value).encode())


def fresh_processes() -> BaseContext:
    """A way to start processes that have imported the package and computed nothing."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["jaalnet_core.training.loop", "jaalnet_core.prediction", "torch.utils.tensorboard"])
    return context
