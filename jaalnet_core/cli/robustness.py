"""Score one network on pictures made worse: blur, JPEG, brightness, colour casts, hair, rotation, in three strengths.

jaalnet robustness --checkpoint checkpoints/shipped/small-isbi2016/lf_net.safetensors --json small.json

Scoring on ISBI2016's test pictures goes into the diary of test scorings first; `--split validation` needs no entry.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jaalnet_core.errors import SettingsError
from jaalnet_core.scoring_log import TEST_SCORINGS, Scoring, log_scoring, today


@dataclass(frozen=True)
class Settings:
    """Settings of `jaalnet robustness`."""

    checkpoint: Path
    """Weights (.safetensors) or a periodic checkpoint (.pt)."""
    data: str | None = None
    """Data folder, or `synthetic`; else $JAALNET_DATA, else ./data, else the synthetic set."""
    split: Literal["test", "validation"] = "test"
    """Which pictures."""
    json: Path | None = None
    """Also write every picture's counts under every condition to this file."""
    page: bool = False
    """Also rebuild README.md beside the JSON, from all studies there."""
    threshold: float = 0.5
    """Probabilities above this are lesion."""
    batch_size: int = 32
    """Pictures predicted at once."""
    device: str = "auto"
    """`auto` (a GPU where there is one), `cpu`, `cuda`, ..."""
    test_log: Path = TEST_SCORINGS
    """The diary of test scorings."""

    def __post_init__(self) -> None:
        if self.batch_size < 1 or not 0 <= self.threshold <= 1:
            raise SettingsError(
                f"--batch-size {self.batch_size}, --threshold {self.threshold}: expected at least 1, and 0 to 1."
            )
        if self.page and self.json is None:
            raise SettingsError("--page: found no --json, expected the file beside which the page is to lie.")


def run(settings: Settings) -> int:
    """Score, print the table, write the JSON and the page."""
    from jaalnet_core.data.source import open_data
    from jaalnet_core.report import sha256
    from jaalnet_core.robustness import study_robustness, study_table, write_page
    from jaalnet_core.training.folder import environment
    from jaalnet_core.weights import load_lf_net

    loaded = load_lf_net(settings.checkpoint)
    digest = sha256(settings.checkpoint)
    data = open_data(settings.data, loaded.size, splits=(settings.split,))
    for note in data.notes:
        print(note)
    machine = {name: value for name, value in environment().items() if name != "command"}
    if data.name == "ISBI2016" and settings.split == "test":
        pictures, purpose = f"{data.name} test, {len(data.test)}", "the same weights on disturbed pictures"
        revision = machine["git_revision"] or ""
        log_scoring(Scoring(today(), command(settings), revision, digest, pictures, purpose), settings.test_log)
    study = study_robustness(
        loaded,
        data,
        settings.split,
        weights_sha256=digest,
        command=command(settings),
        environment=machine,
        threshold=settings.threshold,
        batch_size=settings.batch_size,
        device=settings.device,
    )
    print(study_table(study))
    if settings.json is not None:
        print(f"written: {study.save(settings.json)}")
    if settings.page:
        print(f"written: {write_page(settings.json.parent)}")
    return 0


def command(settings: Settings) -> str:
    """The command that makes the same study again; the data folder is named by JAALNET_DATA."""
    words = ["jaalnet", "robustness", "--checkpoint", settings.checkpoint.as_posix(), "--split", settings.split]
    if settings.threshold != 0.5:
        words += ["--threshold", str(settings.threshold)]
    return shlex.join(words + (["--json", settings.json.as_posix()] if settings.json else []))
