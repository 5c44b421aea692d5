"""Write a trained LF-Net as one ONNX file, for programs without PyTorch, and check it in ONNX Runtime.

Input of the graph: images (batch, 3, height, width), RGB in 0..1, sides multiples of 16. Output: the probability of
lesion in each pixel. The file is written only if both runtimes agree.

For teaching and research: this is no medical device, and an outline is no diagnosis.

    jaalnet export --checkpoint checkpoints/run/best.safetensors --out lesions.onnx
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Settings of `jaalnet export`."""

    checkpoint: Path
    """Trained LF-Net: best.safetensors, last.safetensors, or a checkpoint (*.pt) of a run."""
    out: Path
    """The file to write, such as lesions.onnx."""
    tolerance: float = 1e-4
    """Largest difference between the two runtimes' probabilities that passes."""


def run(settings: Settings) -> int:
    """Export, check, and say what was written; 0."""
    from jaalnet_core.export import export_onnx

    exported = export_onnx(settings.checkpoint, settings.out, tolerance=settings.tolerance)
    shapes = ", ".join("x".join(map(str, shape)) for shape in exported.checked)
    print(f"written: {exported.path} ({exported.path.stat().st_size / 1e6:.1f} MB), trained at {exported.size}")
    print(f"ONNX Runtime and PyTorch differ by at most {exported.largest_difference:.1e} over images {shapes}")
    return 0
