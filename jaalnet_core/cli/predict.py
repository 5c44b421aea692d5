"""Outline the lesions in your own pictures.

For each picture: NAME_mask.png (0 = skin, 255 = lesion, at the picture's own size), NAME_overlay.jpg (the
outline on the photograph), and a row in predictions.csv with the lesion's area. A picture that cannot be read
is reported, the rest is done, and the exit status is 1.

For teaching and research: this is no medical device, and an outline is no diagnosis.

    jaalnet predict --checkpoint checkpoints/run/best.safetensors photographs --out outlined
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional


@dataclass(frozen=True)
class Settings:
    """Settings of `jaalnet predict`."""

    pictures: Positional[tuple[Path, ...]]
    """Picture files, and folders of pictures."""
    checkpoint: Path
    """Trained LF-Net: best.safetensors, last.safetensors, or a checkpoint (*.pt) of a run."""
    out: Path
    """Folder for the results; made if it is missing. Files that no prediction wrote are never replaced."""
    threshold: float = 0.5
    """Probabilities above it count as lesion."""
    flips: bool = False
    """Average over the picture and its three mirror images: four times the work, a little steadier."""
    max_megapixels: float | None = None
    """Refuse larger pictures, by their header, before they are decoded. Left out: $JAALNET_MAX_MEGAPIXELS, else 100."""
    recursive: bool = False
    """Look into folders within folders, too."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda` or `mps`."""
    workers: int | None = None
    """Pictures in work at a time. Left out: as many as there are cores, at most 8."""


def run(settings: Settings) -> int:
    """Outline every picture; 0 when all could be read, else 1."""
    from jaalnet_core.prediction import predict_pictures
    from jaalnet_core.prediction_files import TABLE_NAME

    rows = predict_pictures(
        settings.checkpoint,
        settings.pictures,
        settings.out,
        threshold=settings.threshold,
        flips=settings.flips,
        max_megapixels=settings.max_megapixels,
        recursive=settings.recursive,
        device=settings.device,
        workers=settings.workers,
    )
    failures = [row for row in rows if row.status != "ok"]
    for row in failures:
        print(f"jaalnet predict: {row.error}", file=sys.stderr)
    outlined = len(rows) - len(failures)
    print(f"{outlined} of {len(rows)} outlined; masks, overlays and areas: {settings.out / TABLE_NAME}")
    return 1 if failures else 0
