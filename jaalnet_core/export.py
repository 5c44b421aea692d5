"""LF-Net as one ONNX file, for programs without PyTorch: exported, then checked in ONNX Runtime against PyTorch.

    exported = export_onnx("best.safetensors", Path("lesions.onnx"))
    exported.largest_difference          # between the two runtimes' probabilities, over `exported.checked`

The graph ends in probabilities, so that whoever runs it needs a threshold and nothing else. Its input is images
`(batch, 3, 16*h, 16*w)`, RGB float32 in 0..1: sides are multiples of 16, which the network needs no padding for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from jaalnet_core.errors import CheckpointError, SettingsError
from jaalnet_core.files import atomic_path
from jaalnet_core.lf_net import STRIDE
from jaalnet_core.size import SMALLEST_SIDE, Size
from jaalnet_core.weights import LoadedNetwork, load_segmenter

INPUT, OUTPUT = "images", "probabilities"
TOLERANCE = 1e-4  # of a probability: far below what moves an outline, far above float32's rounding
_LARGEST_SIDE = 4096
_NOTICE = "For teaching and research: no medical device, and an outline is no diagnosis."
_MISSING = "is not installed, expected it for ONNX: pip install onnx onnxscript onnxruntime."


@dataclass(frozen=True)
class ExportedNetwork:
    """What was written, and how it was checked.

    Attributes:
        path: the ONNX file; it holds the weights too.
        size: the picture size of the training; other sizes run, but were not trained for.
        checked: shapes `(B, 3, H, W)` of the pictures both runtimes were given.
        largest_difference: between the two runtimes' probabilities, over all of them.
    """

    path: Path
    size: Size
    checked: tuple[tuple[int, ...], ...]
    largest_difference: float


class _Probabilities(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return torch.sigmoid(self.network(images))


def export_onnx(
    network: LoadedNetwork | str | Path, out: Path | str, *, tolerance: float = TOLERANCE
) -> ExportedNetwork:
    """Write LF-Net as ONNX and compare both runtimes on random pictures of several sizes and batches.

    The file takes its name only after it has passed: a file that stood there before stays as it was otherwise.

    Args:
        network: weights or a checkpoint by path, or what `load_segmenter` returned (it is left as it is).
        out: the file to write, `*.onnx`.
        tolerance: largest difference of probabilities that passes.

    Raises:
        CheckpointError: the weights are unusable, or the exported graph computes something else.
        SettingsError: `out` does not end in .onnx or cannot be written, or a package is missing.
    """
    out = Path(out)
    if out.suffix.lower() != ".onnx" or out.is_dir():
        raise SettingsError(f"--out: found {out}, expected a file name that ends in .onnx.")
    loaded = network if isinstance(network, LoadedNetwork) else load_segmenter(network)
    module = _Probabilities(loaded.network).eval()
    device = next(module.parameters()).device
    try:
        with atomic_path(out) as temporary:
            _write_graph(module, _pictures((2, 3, *_trial_sizes(loaded.size)[0]), device), temporary, loaded)
            shapes = tuple((batch, 3, *size) for batch, size in enumerate(_trial_sizes(loaded.size), start=1))
            worst = float(np.max([_difference(module, temporary, _pictures(shape, device)) for shape in shapes]))
            if not worst <= tolerance:  # nan, too
                raise CheckpointError(
                    f"{out}: not written: ONNX Runtime's probabilities differ from PyTorch's by {worst:.2g}, expected "
                    f"at most {tolerance:g}: another version of torch or onnxruntime may agree."
                )
    except OSError as error:
        raise SettingsError(f"--out: {out} cannot be written ({error}): choose another file.") from error
    return ExportedNetwork(out, loaded.size, shapes, worst)


def onnx_probabilities(path: Path | str, images: Tensor) -> Tensor:
    """Run an exported file in ONNX Runtime, on the CPU.

    Args:
        images: `(B, 3, H, W)` float32, RGB in 0..1, sides multiples of 16.

    Returns:
        Probabilities `(B, 1, H, W)` float32.

    Raises:
        CheckpointError: the file is missing or no exported LF-Net.
        SettingsError: onnxruntime is not installed.
        ValueError: images of another shape.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise SettingsError(f"onnxruntime {_MISSING}") from error
    height, width = images.shape[-2:] if images.ndim == 4 else (0, 0)
    if (
        images.ndim != 4
        or images.shape[1] != 3
        or min(height, width) < SMALLEST_SIDE
        or height % STRIDE
        or width % STRIDE
    ):
        raise ValueError(
            f"images: found shape {tuple(images.shape)}, expected (B, 3, H, W) with sides from {SMALLEST_SIDE} up, "
            f"multiples of {STRIDE}: resize the pictures first."
        )
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        values = session.run([OUTPUT], {INPUT: np.ascontiguousarray(images.cpu().numpy(), dtype=np.float32)})[0]
    except Exception as error:  # onnxruntime's errors have no public common base
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise CheckpointError(f"{path}: cannot be run as an exported LF-Net ({reason}): export it again.") from error
    return torch.from_numpy(values)


def _write_graph(module: nn.Module, example: Tensor, path: Path, loaded: LoadedNetwork) -> None:
    sides = {
        axis: STRIDE * torch.export.Dim(name, min=SMALLEST_SIDE // STRIDE, max=_LARGEST_SIDE // STRIDE)
        for axis, name in ((2, "h"), (3, "w"))
    }
    try:
        program = torch.onnx.export(
            module,
            (example,),
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: torch.export.Dim("batch"), **sides},),
            dynamo=True,
            verbose=False,
        )
    except ImportError as error:
        raise SettingsError(f"{error.name or 'onnx'} {_MISSING}") from error
    program.model.metadata_props.update(
        made_by="jaalnet export",
        input="RGB in 0..1, float32",
        output="probability of lesion in each pixel",
        trained_at=str(loaded.size),
        training=json.dumps(loaded.metadata),
        notice=_NOTICE,
    )
    program.save(str(path), external_data=False)


def _trial_sizes(size: Size) -> list[Size]:
    """The training's size, a wide and a tall one; each side a multiple of 16."""
    height, width = (max(SMALLEST_SIDE, round(side / STRIDE) * STRIDE) for side in size)
    return [Size(height, width), Size(height, width + STRIDE), Size(height + 2 * STRIDE, width)]


def _pictures(shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Random blotches in 0..1: smooth enough to have regions, rough enough to have edges."""
    generator = torch.Generator().manual_seed(sum(shape))
    coarse = torch.rand((*shape[:2], 4, 4), generator=generator)
    smooth = nn.functional.interpolate(coarse, shape[2:], mode="bilinear", align_corners=False)
    return (smooth + 0.1 * torch.rand(shape, generator=generator)).clamp(0, 1).to(device)


def _difference(module: nn.Module, path: Path, images: Tensor) -> float:
    with torch.inference_mode():
        expected = module(images).cpu()
    return float((onnx_probabilities(path, images) - expected).abs().max())
