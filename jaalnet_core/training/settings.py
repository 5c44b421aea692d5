"""Every setting of a training run: the command line, a notebook's argument and the JSON saved with the run are this."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from jaalnet_core.choices import (
    DA_NET_PARTS,
    LF_NET_PARTS,
    AdversarialKind,
    Augmentation,
    AugmentOn,
    DANetPart,
    LFNetPart,
    NetworkName,
    Normalisation,
    Precision,
    Preset,
    RecipeName,
    Schedule,
)
from jaalnet_core.errors import SettingsError
from jaalnet_core.size import Size
from jaalnet_core.typed_fields import FieldError, from_fields

_PATHS = ("out", "start_from")  # settings that JSON holds as text


@dataclass(frozen=True)
class TrainSettings:
    """Settings of `jaalnet train`. A setting left at None takes its value from the recipe."""

    data: str | None = None
    """Data folder, or `synthetic`. Left out: $JAALNET_DATA, else data/, else the synthetic set."""
    preset: Preset = "small"
    """Width of both networks: tiny 8, small 16, base 32 (published)."""
    recipe: RecipeName = "course"
    """`course` (what measurably works) or `published` (Adam, 100 L1 + 50 EPE + BCE, no augmentation)."""
    epochs: int = 300
    """Times every training picture is seen."""
    batch_size: int = 16
    """Pictures a step, in all processes together."""
    learning_rate: float = 1e-4
    """Base rate; the schedule peaks at `peak_factor` times this."""
    checkpoint_every: int = 10
    """Epochs between full checkpoints."""
    seed: int = 0
    """Start of every random number: weights, order, augmentation."""
    out: Path | None = None
    """The run's folder. Left out: checkpoints/<data>-<preset>-<recipe>-seed<seed>."""
    resume: bool = False
    """Go on from the newest checkpoint in the run's folder; in an empty folder start afresh."""
    size: Size = Size(128, 128)
    """Picture size: N, or WxH (width x height)."""
    limit: int | None = None
    """Use only so many training pictures (a quick trial); None: all."""
    start_from: Path | None = None
    """Weights or a checkpoint to start LF-Net from, for fine-tuning on other pictures. Left out: random weights."""
    network: NetworkName = "lf-net"
    """What learns to draw: LF-Net, or for comparison a `unet` of equal arithmetic (segmentation-models-pytorch)."""
    without: tuple[LFNetPart | DANetPart, ...] = ()
    """Parts of the networks to leave out, to see what they are worth."""

    region_loss: RecipeName | None = None
    """`course`: cross-entropy + soft Dice; `published`: 100 L1 + 50 EPE."""
    contour_weight: float | None = None
    """Weight of the contour stream's supervision; 0 switches it off. Without a contour stream it is 0."""
    adversarial_weight: float | None = None
    """Weight of DA-Net's opinion in LF-Net's loss; 0 trains LF-Net alone."""
    adversarial_loss: AdversarialKind | None = None
    """`bce`, `hinge` or `least-squares`."""
    second_fake: bool | None = None
    """Also show DA-Net (expert mask, predicted mask) as a fake pair, as published."""
    normalisation: Normalisation | None = None
    """DA-Net's: `spectral` or `batch`."""
    optimizer: Literal["adam", "adamw"] | None = None
    """Optimiser of both networks."""
    beta1: float | None = None
    """Adam's memory of the gradient's mean, LF-Net's."""
    weight_decay: float | None = None
    """Decoupled weight decay of LF-Net (adamw only)."""
    schedule: Schedule | None = None
    """`constant`, `linear` (constant, then to 0 from half-way), `cosine` or `one-cycle`."""
    peak_factor: float | None = None
    """LF-Net's highest learning rate is this times `learning_rate`."""
    discriminator_factor: float | None = None
    """DA-Net's highest learning rate is this times `learning_rate`."""
    clip: float | None = None
    """Largest gradient norm of a step, for each network; 0 does not clip."""
    average: float | None = None
    """Decay of LF-Net's averaged weights, which are validated and shipped; 0 does not average."""
    augmentation: Augmentation | None = None
    """`none`, `flips`, `course` (flips, rotation, zoom, shear, colour) or `strong` (more, hair, cut-outs, ...)."""

    keep_checkpoints: int = 0
    """Keep only so many of the periodic checkpoints; 0: all."""
    precision: Precision = "auto"
    """`auto`: bf16-mixed on a GPU, 32-true on a CPU; a CPU takes nothing else."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda` or `mps`."""
    workers: int = 0
    """Processes that prepare pictures; 0 prepares them in the training process."""
    augment_on: AugmentOn = "auto"
    """`loader`: picture by picture, on the CPU; `device`: all pictures lie on the training device as bytes, and a batch
    is augmented there at once; `auto`: device on a GPU, unless it needs the loader (`strong`, or `--workers`)."""
    compile: bool = False
    """Compile both networks first (torch.compile): a minute or more of waiting, then steps that are faster on some
    machines (docs/speed.md)."""
    devices: int = 1
    """Training processes on a machine, one a GPU (or on the CPU); they divide every batch among them."""
    nodes: int = 1
    """Machines that train together; the command is started on each of them (docs/cluster.md)."""

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "checkpoint_every", "devices", "nodes"):
            _require(self, name, getattr(self, name) >= 1, "at least 1")
        for name in ("keep_checkpoints", "workers", "seed"):
            _require(self, name, getattr(self, name) >= 0, "0 or more")
        _require(self, "learning_rate", self.learning_rate > 0, "a number above 0")
        _require(self, "limit", self.limit is None or self.limit >= 1, "at least 1")
        for name in ("contour_weight", "adversarial_weight", "weight_decay", "clip", "discriminator_factor"):
            _require(self, name, (getattr(self, name) or 0) >= 0, "0 or more")
        _require(self, "peak_factor", self.peak_factor is None or self.peak_factor > 0, "a number above 0")
        for name in ("average", "beta1"):
            _require(self, name, 0 <= (getattr(self, name) or 0) < 1, "at least 0 and below 1")
        if self.augment_on == "device":
            _require(self, "augmentation", self.augmentation != "strong", "another with --augment-on device")
            _require(self, "workers", self.workers == 0, "0 with --augment-on device, where nothing is left to prepare")
        self._check_networks()

    def _check_networks(self) -> None:
        _require(self, "network", self.network in get_args(NetworkName), " or ".join(get_args(NetworkName)))
        known = (*LF_NET_PARTS, *DA_NET_PARTS)
        _require(self, "without", set(self.without) <= set(known), f"some of {', '.join(known)}")
        # each once and in one order: two ways to write it are one setting
        object.__setattr__(self, "without", tuple(part for part in known if part in self.without))
        if self.network == "unet":
            fits = not set(self.without) & set(LF_NET_PARTS)
            _require(self, "without", fits, f"only {', '.join(DA_NET_PARTS)}: a U-Net has no other of these parts")
        if not self.has_contour:
            _require(self, "contour_weight", not self.contour_weight, "0: there is no contour stream to supervise")

    @property
    def has_contour(self) -> bool:
        """Whether the network that draws has a contour stream."""
        return self.network == "lf-net" and "contour-attention" not in self.without

    def resolved(self) -> TrainSettings:
        """The same settings with every None that belongs to the recipe filled in."""
        recipe = RECIPES[self.recipe]
        if not self.has_contour:
            recipe = recipe | {"contour_weight": 0.0}
        return dataclasses.replace(self, **{k: v for k, v in recipe.items() if getattr(self, k) is None})

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON; `from_json` reads them back."""
        values = dataclasses.asdict(self)
        paths = {name: None if values[name] is None else str(values[name]) for name in _PATHS}
        return values | {"size": str(self.size), "without": list(self.without), **paths}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> TrainSettings:
        """Read what `to_json` wrote.

        Raises:
            SettingsError: a field that this version does not know, or of another type, named.
        """
        if not isinstance(values, dict) or not isinstance(values.get("size"), str):
            raise FieldError("found no size such as '128x128', expected the settings of a training run")
        paths = {name: Path(values[name]) for name in _PATHS if isinstance(values.get(name), str)}
        return from_fields(cls, values | {"size": Size.parse(values["size"]), **paths})


RECIPES: dict[str, dict[str, Any]] = {
    "course": {
        "region_loss": "course",
        "contour_weight": 0.5,
        "adversarial_weight": 0.02,
        "adversarial_loss": "hinge",
        "second_fake": True,
        "normalisation": "spectral",
        "optimizer": "adamw",
        "beta1": 0.9,
        "weight_decay": 1e-2,
        "schedule": "one-cycle",
        "peak_factor": 20.0,
        "discriminator_factor": 4.0,
        "clip": 1.0,
        "average": 0.998,
        "augmentation": "course",
    },
    "published": {
        "region_loss": "published",
        "contour_weight": 0.0,
        "adversarial_weight": 1.0,
        "adversarial_loss": "bce",
        "second_fake": True,
        "normalisation": "batch",
        "optimizer": "adam",
        "beta1": 0.5,
        "weight_decay": 0.0,
        "schedule": "linear",
        "peak_factor": 1.0,
        "discriminator_factor": 1.0,
        "clip": 1.0,
        "average": 0.0,
        "augmentation": "none",
    },
}


def _require(settings: TrainSettings, name: str, holds: bool, expected: str) -> None:
    if not holds:
        option = "--" + name.replace("_", "-")
        raise SettingsError(f"{option}: found {getattr(settings, name)}, expected {expected}.")
