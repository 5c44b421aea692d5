"""What `jaalnet ablate` is asked for, and its table of variants; without torch, so that `--help` answers at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jaalnet_core.choices import Preset
from jaalnet_core.errors import SettingsError
from jaalnet_core.profile import ProfileName
from jaalnet_core.scoring_log import TEST_SCORINGS
from jaalnet_core.size import Size


@dataclass(frozen=True)
class Variant:
    """One row of the comparison: a name, what it changes, and the change itself.

    Attributes:
        name: of the row and of its files.
        says: the change in words, for the table.
        changes: fields of `TrainSettings` with their values; what is not named stays the base's.
    """

    name: str
    says: str
    changes: Mapping[str, Any] = field(default_factory=dict)


VARIANTS: dict[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant("course", "the course's recipe, nothing changed"),
        Variant("without-adversary", "LF-Net learns alone, no DA-Net", {"adversarial_weight": 0.0}),
        Variant("without-second-fake", "DA-Net never sees (expert mask, predicted mask)", {"second_fake": False}),
        Variant("without-contour-supervision", "no boundary loss on the contour stream", {"contour_weight": 0.0}),
        Variant("without-contour-attention", "no contour stream, no image edges", {"without": ("contour-attention",)}),
        Variant("without-dense", "the encoder's layers in a row, nothing concatenated", {"without": ("dense",)}),
        Variant("plain-convolutions", "plain dilated 3x3 convolutions for DDSConv", {"without": ("separable",)}),
        Variant("without-cbam", "no CBAM in the decoder", {"without": ("cbam",)}),
        Variant(
            "without-position-attention",
            "DA-Net's position branch is a convolution alone",
            {"without": ("position-attention",)},
        ),
        Variant(
            "without-channel-attention",
            "DA-Net's channel branch is a convolution alone",
            {"without": ("channel-attention",)},
        ),
        Variant("unet-of-equal-cost", "a U-Net of as many FLOPs in LF-Net's place", {"network": "unet"}),
        Variant("without-augmentation", "every picture as it is, every time", {"augmentation": "none"}),
        Variant("strong-augmentation", "bends, hair, blur, cut-outs as well", {"augmentation": "strong"}),
        Variant("augmented-on-device", "batches augmented at once, as on a GPU", {"augment_on": "device"}),
        Variant("compiled", "both networks translated by torch.compile", {"compile": True}),
        Variant("without-averaging", "the trained weights, not their moving average", {"average": 0.0}),
        Variant("cosine-schedule", "falling from the start, no warm-up", {"schedule": "cosine"}),
        Variant("stronger-adversary", "adversarial weight 0.2 instead of 0.02", {"adversarial_weight": 0.2}),
        Variant("bce-adversary", "cross-entropy instead of the hinge loss", {"adversarial_loss": "bce"}),
        Variant("least-squares-adversary", "squares instead of the hinge loss", {"adversarial_loss": "least-squares"}),
        Variant("batch-norm-discriminator", "batch instead of spectral normalisation", {"normalisation": "batch"}),
        Variant("published-region-loss", "100 L1 + 50 EPE instead of BCE + Dice", {"region_loss": "published"}),
        Variant(
            "published",
            "the published recipe, learning rate 1e-4 as published",
            {"recipe": "published", "learning_rate": 1e-4},
        ),
        Variant(
            "published-faster",
            "the published recipe, learning rate 1e-3",
            {"recipe": "published", "learning_rate": 1e-3},
        ),
        Variant(
            "published-without-adversary",
            "the same at 1e-3, LF-Net alone",
            {"recipe": "published", "learning_rate": 1e-3, "adversarial_weight": 0.0},
        ),
    )
}
FIRST = ("course", "published", "published-faster", "without-adversary")


@dataclass(frozen=True)
class AblationSettings:
    """Settings of `jaalnet ablate`. An amount that is left out is the profile's."""

    variants: tuple[str, ...] = FIRST
    """Rows to train, by name; `all` for every row that is known."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Each variant is trained once a seed."""
    base: str = "course"
    """The row that the others are compared with."""
    out: Path = Path("reports") / "ablation"
    """Folder of the results: one JSON a run, and the table."""
    runs: Path = Path("checkpoints") / "ablation"
    """Folder of the training runs themselves, from which an interrupted one goes on."""
    data: str | None = None
    """Data folder, or `synthetic`. Left out: $JAALNET_DATA, else data/, else the synthetic set."""
    profile: ProfileName | None = None
    """Whose amounts: `fast` or `full`. Left out: $JAALNET_PROFILE, else fast."""
    preset: Preset | None = None
    """Width of both networks."""
    size: Size | None = None
    """Picture size: N, or WxH."""
    epochs: int | None = None
    """The same for every run: the last epoch's weights are scored, none is chosen."""
    batch_size: int | None = None
    """Pictures a step."""
    learning_rate: float | None = None
    """Base rate of the variants that bring none of their own."""
    limit: int | None = None
    """At most so many training pictures."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda` or `mps`."""
    score_test: str | None = None
    """Also score the test pictures, for this reason. Every such scoring is added to `test_log`."""
    test_log: Path = TEST_SCORINGS
    """The diary of test scorings."""
    table: bool = False
    """Train nothing: rebuild the table from the results that are there."""

    def __post_init__(self) -> None:
        unknown = [name for name in (*self.variants, self.base) if name not in VARIANTS and name != "all"]
        if unknown or self.base == "all":
            raise SettingsError(
                f"--variants, --base: found {', '.join(unknown or ['all'])}, expected some of {', '.join(VARIANTS)}."
            )
        if not self.variants or not self.seeds or min(self.seeds) < 0:
            raise SettingsError(
                f"--variants, --seeds: found {self.variants} and {self.seeds}, expected at least one of each, "
                "and seeds of 0 or more."
            )

        if self.score_test is not None and not self.score_test.strip():
            raise SettingsError("--score-test: found no reason, expected one in words: it goes into the diary.")

    def chosen(self) -> tuple[Variant, ...]:
        """The variants asked for, each once, in the order of the asking."""
        names = VARIANTS if "all" in self.variants else self.variants
        return tuple(VARIANTS[name] for name in dict.fromkeys(names))
