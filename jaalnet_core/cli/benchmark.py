"""Measure what the networks cost: arithmetic, speed and memory, beside a U-Net (resnet18) in the same run.

    jaalnet benchmark --preset small --json figures.json
    jaalnet benchmark --of inference

`make speed` measures everything that docs/speed.md shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaalnet_core.benchmark_settings import SUBJECTS, BenchmarkSettings

LABELS = {
    "lfnet": "LF-Net, forward and backward",
    "danet": "DA-Net, forward and backward",
    "step": "whole adversarial step",
    "baseline": "U-Net resnet18, forward and backward",
    "authors": "the authors' whole step, stand-in",
}


@dataclass(frozen=True)
class Settings(BenchmarkSettings):
    """Settings of `jaalnet benchmark`."""

    json: Path | None = None
    """Also write the figures to this file."""


def run(settings: Settings) -> int:
    """Measure, print what came out, and write the JSON where one was asked for."""
    import json

    from jaalnet_core.files import write_json

    results = _measure(settings)
    print(format_table(results) if settings.of == "training" else json.dumps(results, indent=2))
    if settings.json is not None:
        write_json(settings.json, results)
        print(f"Written to {settings.json}.")
    return 0


def _measure(settings: Settings) -> dict[str, Any]:
    if settings.of == "training":
        from jaalnet_core.benchmark import run_benchmark as measure
    elif settings.of == "inference":
        from jaalnet_core.speed.inference import measure_inference as measure
    elif settings.of == "attention":
        from jaalnet_core.speed.positions import measure_attention as measure
    elif settings.of == "step":
        from jaalnet_core.speed.step_parts import measure_step as measure
    elif settings.of == "epoch":
        from jaalnet_core.speed.epochs import measure_epochs as measure
    elif settings.of == "scores":
        from jaalnet_core.speed.scores import measure_scores as measure
    elif settings.of == "beside":
        from jaalnet_core.speed.beside import measure_beside as measure
    elif settings.of == "layers":
        from jaalnet_core.speed.layers import measure_layers as measure
    elif settings.of == "folder":
        from jaalnet_core.speed.folder import measure_folder as measure
    else:
        from jaalnet_core.speed.changes import measure_changes as measure
    return measure(settings)


def format_table(results: dict[str, Any]) -> str:
    """The figures as lines of text."""
    header = f"{'':<38}{'GFLOP/image':>12}{'images/s':>10}{'(range)':>16}{'peak MB':>9}{'parameters':>12}"
    lines = [header]
    for name in SUBJECTS:
        row = results[name]
        if row is None and name == "authors":
            continue
        if row is None:
            lines.append(f"{LABELS[name]:<38} not measured: install segmentation-models-pytorch for it.")
            continue
        low, high = row["images_per_second_range"]
        lines.append(
            f"{LABELS[name]:<38}{row['gflop_per_image']:>12.2f}{row['images_per_second']:>10.1f}"
            f"{f'{low:.1f}-{high:.1f}':>16}{row['peak_mb']:>9.0f}{row['parameters']:>12,}"
        )
    return "\n".join(lines)
