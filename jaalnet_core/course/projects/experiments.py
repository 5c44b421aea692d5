"""Controlled experiments for project B: change one thing, hold the rest, and let the numbers say what came of it.

experiment = Experiment("contrast", levels=(1.0, 0.35, 0.1), expected="worse")
result = run_experiment(experiment, network)
print(result.report)
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from jaalnet_core.bootstrap import bootstrap_interval
from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.disturbances import blur, brighten, warm
from jaalnet_core.data.synthetic.controlled import Dials, controlled_arrays
from jaalnet_core.errors import SettingsError
from jaalnet_core.evaluation import evaluate_network
from jaalnet_core.metrics import METRICS, scores
from jaalnet_core.size import Size

Expected = Literal["worse", "better", "no effect"]
Outcome = Literal["supported", "refuted", "undecided"]
Change = Callable[[np.ndarray, float], np.ndarray]

CLEAN = Dials()
DIALS = tuple(field.name for field in dataclasses.fields(Dials))
DISTURBANCES: dict[str, Change] = {"brightness": brighten, "blur": blur, "warmth": warm}
NO_EFFECT = 0.02  # an interval wholly within this of zero is called no effect
FEWEST_PICTURES = 8
BATCH = 16  # pictures at once: a laptop's memory is small


@dataclass(frozen=True)
class Experiment:
    """One thing changed in steps, and what the hypothesis says of it before it is run.

    Attributes:
        factor: a dial of the controlled pictures (`hairs`, `contrast`, `area`, `difficulty`), a disturbance of given
            pictures (`brightness`, `blur`, `warmth`), or a name for `change`.
        levels: its settings; the first is what the last is compared with.
        expected: what the hypothesis says of the score at the last level: `worse`, `better` or `no effect`.
        on: what a disturbance changes: the `given` pictures, or `controlled` ones; a dial only turns on the latter.
        held: of controlled pictures, all the other dials.
        score: one of `metrics.METRICS`.
        pictures: how many.
        size: of controlled pictures.
        seed: of controlled pictures; the same ones at every level.
        change: a disturbance of one's own, from a picture `(H, W, 3)` uint8 and a level to a picture; the mask stays.
    """

    factor: str
    levels: tuple[float, ...]
    expected: Expected
    on: Literal["given", "controlled"] = "given"
    held: Dials = CLEAN
    score: str = "dice"
    pictures: int = 16
    size: Size = Size(128, 128)
    seed: int = 0
    change: Change | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", tuple(self.levels))
        if self.factor in DIALS:
            object.__setattr__(self, "on", "controlled")
        known = (*DIALS, *DISTURBANCES)
        if self.change is None and self.factor not in known:
            raise SettingsError(f"factor: found {self.factor!r}, expected {', '.join(known)}, or a `change` with it.")
        if self.change is not None and self.factor in known:
            raise SettingsError(f"factor: {self.factor!r} is there already, expected another name for `change`.")
        if len(self.levels) < 2 or len(set(self.levels)) < len(self.levels):
            raise SettingsError(f"levels: found {self.levels}, expected two or more, all different.")
        if self.expected not in ("worse", "better", "no effect"):
            raise SettingsError(f"expected: found {self.expected!r}, expected worse, better or no effect.")
        if self.score not in METRICS:
            raise SettingsError(f"score: found {self.score!r}, expected one of {', '.join(METRICS)}.")
        if self.on not in ("given", "controlled"):
            raise SettingsError(f"on: found {self.on!r}, expected given or controlled.")
        if self.pictures < FEWEST_PICTURES:
            raise SettingsError(f"pictures: found {self.pictures}, expected {FEWEST_PICTURES} or more for an interval.")


@dataclass(frozen=True, eq=False)
class Result:
    """What came out.

    Attributes:
        experiment: that was run.
        weights: fingerprint of the network.
        ids: of the pictures.
        values: `(levels, pictures)` float64, the score of each picture at each level.
    """

    experiment: Experiment
    weights: str
    ids: tuple[str, ...]
    values: Tensor

    @property
    def means(self) -> tuple[float, ...]:
        """The mean over the pictures, at each level."""
        return tuple(self.values.mean(1).tolist())

    @property
    def difference(self) -> tuple[float, float, float]:
        """Last level minus first, picture by picture: the mean, and its 95% interval over pictures."""
        gaps = (self.values[-1] - self.values[0])[:, None]
        low, high = bootstrap_interval(gaps).flatten().tolist()
        return gaps.mean().item(), low, high

    @property
    def found(self) -> str:
        """`no effect` where the interval keeps within `NO_EFFECT` of 0; else `worse`, `better` or `undecided`."""
        _, low, high = self.difference
        if low >= -NO_EFFECT and high <= NO_EFFECT:
            return "no effect"
        return "worse" if high < 0 else "better" if low > 0 else "undecided"

    @property
    def outcome(self) -> Outcome:
        """What that means for the hypothesis."""
        if self.found == "undecided":
            return "undecided"
        return "supported" if self.found == self.experiment.expected else "refuted"

    @property
    def report(self) -> str:
        """All of it for people: three lines."""
        one, (gap, low, high) = self.experiment, self.difference
        steps = ", ".join(f"{mean:.3f} at {level:g}" for mean, level in zip(self.means, one.levels, strict=True))
        return (
            f"{one.factor}: mean {one.score} {steps}\n"
            f"  difference {gap:+.3f} (95%: {low:+.3f} to {high:+.3f})\n"
            f"  expected {one.expected}, found {self.found}: {self.outcome}"
        )


def run_experiment(experiment: Experiment, network: nn.Module, arrays: LesionArrays | None = None) -> Result:
    """Score the network at every level.

    Args:
        network: `(B, 3, H, W)` in 0..1 to logits `(B, 1, H, W)`.
        arrays: pictures that a disturbance changes; its first `experiment.pictures` are taken.

    Raises:
        SettingsError: a level outside its range, or too few pictures to disturb.
    """
    steps = [_pictures_at(experiment, level, arrays) for level in experiment.levels]
    values = torch.stack(
        [
            scores(evaluate_network(network, step, batch_size=BATCH, progress=False).counts)[experiment.score]
            for step in steps
        ]
    )
    return Result(experiment, weights_of(network), steps[0].ids, values)


def weights_of(network: nn.Module) -> str:
    """A fingerprint of a network's weights and buffers."""
    digest = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _pictures_at(experiment: Experiment, level: float, arrays: LesionArrays | None) -> LesionArrays:
    if experiment.factor in DIALS:
        return _drawn(experiment, **{experiment.factor: int(level) if experiment.factor == "hairs" else level})
    if experiment.on == "controlled":
        arrays = _drawn(experiment)
    if arrays is None or len(arrays) < experiment.pictures:
        found = "none" if arrays is None else len(arrays)
        raise SettingsError(
            f"{experiment.factor}: found {found} pictures to change, expected {experiment.pictures} or more."
        )
    change = experiment.change or DISTURBANCES[experiment.factor]
    try:
        images = np.stack([change(picture, level) for picture in arrays.images[: experiment.pictures]])
    except ValueError as error:
        raise SettingsError(f"{experiment.factor} at {level:g}: {error}") from error
    return LesionArrays(arrays.ids[: len(images)], images, arrays.masks[: len(images)])


def _drawn(experiment: Experiment, **turned: float) -> LesionArrays:
    dials = dataclasses.replace(experiment.held, **turned)
    return controlled_arrays(experiment.pictures, experiment.size, seed=experiment.seed, dials=dials)
