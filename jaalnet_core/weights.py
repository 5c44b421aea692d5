"""Weights in files: safetensors that say which network they belong to, and the door back from any checkpoint."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor, nn

from jaalnet_core.da_net import DANet, DANetSettings
from jaalnet_core.errors import CheckpointError, JaalnetError, SettingsError
from jaalnet_core.files import atomic_path
from jaalnet_core.integrity import damaged_member, is_as_sealed, sealed
from jaalnet_core.lf_net import LFNet, LFNetSettings
from jaalnet_core.size import Size
from jaalnet_core.typed_fields import from_fields
from jaalnet_core.unet import UNet, UNetSettings

SHIPPED = Path("checkpoints") / "shipped"  # weights that come with the project, a folder a run
NETWORKS = {"lf_net": (LFNet, LFNetSettings), "da_net": (DANet, DANetSettings), "unet": (UNet, UNetSettings)}
SEGMENTERS = ("lf_net", "unet")  # what draws a mask
# numbers in a network of width w, over w * w, at the very least: a file with fewer cannot be of that width
LEAST_NUMBERS = {"lf_net": 800, "da_net": 100, "unet": 300}
_FLOATING = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@dataclass(frozen=True, eq=False)
class LoadedNetwork:
    """A trained network with what its file says about it.

    Attributes:
        network: in evaluation mode, float32.
        size: the picture size it was trained at.
        metadata: what was saved with it, such as `epoch` and `validation_dice`.
        path: the file it came from.
    """

    network: LFNet | DANet | UNet
    size: Size
    metadata: dict[str, Any]
    path: Path


def save_weights(network: LFNet | DANet | UNet, path: Path, size: Size, *, half: bool = False, **metadata: Any) -> Path:
    """Write weights and what they belong to as safetensors, all or nothing.

    Args:
        size: the picture size of the training.
        half: store float16, half the space; loading gives float32 again.
        metadata: further values that JSON can hold.
    """
    tensors = {name: _stored(tensor, half) for name, tensor in network.state_dict().items()}
    header = {
        "format": "jaalnet",
        "network": kind_of(network),
        "settings": json.dumps(dataclasses.asdict(network.settings)),
        "size": str(size),
        "metadata": json.dumps(metadata),
    }
    with atomic_path(path) as temporary:
        # not `save_file`, which hides its files from everyone else
        temporary.write_bytes(sealed(save(tensors, metadata=header)))
    return path


def kind_of(network: nn.Module) -> str:
    """Its name in files: one of `NETWORKS`."""
    return next(kind for kind, (network_class, _) in NETWORKS.items() if isinstance(network, network_class))


def load_lf_net(path: str | Path, device: str | torch.device = "cpu") -> LoadedNetwork:
    """LF-Net, ready to predict, from `*.safetensors` or from a full training checkpoint (`*.pt`, averaged weights).

    Raises:
        CheckpointError: missing, damaged, not ours, or another network's.
    """
    return _load(Path(path), ("lf_net",), device)


def load_segmenter(path: str | Path, device: str | torch.device = "cpu") -> LoadedNetwork:
    """What draws masks, whichever it is: an LF-Net, or the U-Net it is compared with; from the same files.

    Raises:
        CheckpointError: missing, damaged, not ours, a DA-Net's, or a U-Net's without segmentation-models-pytorch.
    """
    return _load(Path(path), SEGMENTERS, device)


def load_da_net(path: str | Path, device: str | torch.device = "cpu") -> LoadedNetwork:
    """DA-Net, ready to judge, from `da_net.safetensors` or a full training checkpoint.

    Raises:
        CheckpointError: missing, damaged, not ours, or another network's.
    """
    return _load(Path(path), ("da_net",), device)


def read_training_checkpoint(path: Path) -> dict[str, Any]:
    """The dictionary in a full checkpoint. Loaded with `weights_only`: a file cannot run code.

    Raises:
        CheckpointError: missing, damaged, or no JAAL-Net checkpoint.
    """
    _require_file(path)
    try:
        if (member := damaged_member(path)) is not None:
            raise ValueError(f"its part {member} is not what was written: the file was damaged")
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle fails in every way there is
        raise CheckpointError(
            f"{path}: cannot be read as a checkpoint ({_first_line(error)}). It may be cut short or no checkpoint at "
            "all; use another checkpoint of the run."
        ) from error
    if not isinstance(state, dict) or state.get("format") != "jaalnet-training":
        raise CheckpointError(f"{path}: found a file without JAAL-Net's mark, expected one written by `jaalnet train`.")
    return state


def _load(path: Path, kinds: tuple[str, ...], device: str | torch.device) -> LoadedNetwork:
    try:
        kind, tensors, settings, size, metadata = _described(path, kinds)
    except (KeyError, TypeError, ValueError, AttributeError, SettingsError) as error:
        raise CheckpointError(
            f"{path}: what it says about its network cannot be read ({type(error).__name__}: {_first_line(error)}). It "
            "was damaged, or written by something else; use another checkpoint."
        ) from error
    network = _build(path, kind, settings, tensors)
    _fill(path, network, tensors)
    return LoadedNetwork(network.to(device).eval(), size, metadata, path)


def _described(
    path: Path, kinds: tuple[str, ...]
) -> tuple[str, dict[str, Tensor], dict[str, Any], Size, dict[str, Any]]:
    """Kind, weights, network settings, size and metadata; a file with holes raises whatever falls out of them."""
    if path.suffix == ".pt":
        state = read_training_checkpoint(path)
        place = kinds[0]  # a checkpoint keeps what draws under `lf_net`, whichever network it is
        section = state.get(place)
        if section is None:
            raise CheckpointError(f"{path}: holds no {place}; the run trained without one.")
        found = section.get("network", place)
        _require_kind(path, found, kinds)
        tensors, settings, metadata = section["weights"], section["settings"], state["metadata"]
        size = Size.parse(state["size"])
    else:
        tensors, header = _read_safetensors(path)
        found = header.get("network")
        _require_kind(path, found, kinds)
        settings, metadata = json.loads(header["settings"]), json.loads(header["metadata"])
        size = Size.parse(header["size"])
    if not all(isinstance(part, dict) for part in (tensors, settings, metadata)):
        raise TypeError("weights, settings and metadata: expected dictionaries")
    if not all(isinstance(tensor, Tensor) and _is_plain(tensor) for tensor in tensors.values()):
        raise TypeError("weights: found something else than plain tensors")
    return found, tensors, settings, size, metadata


def _require_kind(path: Path, found: str | None, kinds: tuple[str, ...]) -> None:
    if found not in kinds:
        expected = " or ".join(kinds)
        raise CheckpointError(f"{path}: found weights of {found or 'an unknown network'}, expected {expected}.")


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    _require_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            if not is_as_sealed(path):
                raise ValueError("its content is not what its own SHA-256 says: the file was damaged")
        return load(path.read_bytes()), header  # `get_tensor` of an open file keeps some bytes of each call for ever
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"{path}: cannot be read as safetensors ({_first_line(error)}). Copy or train it again."
        ) from error


def _is_plain(tensor: Tensor) -> bool:
    """Whether its numbers are in memory, each in its place: a checkpoint may hold sparse or empty shells too."""
    return tensor.layout == torch.strided and tensor.device.type == "cpu" and not tensor.is_quantized


def _build(path: Path, kind: str, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> LFNet | DANet | UNet:
    network_class, settings_class = NETWORKS[kind]
    # an expanded tensor shows more numbers than it holds
    held = sum(min(tensor.numel(), tensor.untyped_storage().nbytes()) for tensor in tensors.values())
    try:
        described = from_fields(settings_class, settings)
        if LEAST_NUMBERS[kind] * described.width**2 > held:  # before gigabytes are set aside for it
            raise SettingsError(f"width: found {described.width}, the file holds only {held} numbers")
        return network_class(described)
    except (TypeError, ValueError, RuntimeError, JaalnetError) as error:
        raise CheckpointError(
            f"{path}: its network settings do not fit this version ({_first_line(error)})."
        ) from error


def _fill(path: Path, network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    expected = network.state_dict()
    problems = [f"missing {name}" for name in expected if name not in tensors]
    problems += [f"unknown {name}" for name in tensors if name not in expected]
    problems += [
        f"{name} is {tuple(tensors[name].shape)}, expected {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in tensors and tensors[name].shape != tensor.shape
    ]
    problems += [
        f"{name} holds {tensors[name].dtype}, expected {tensor.dtype}"
        for name, tensor in expected.items()
        if name in tensors and tensors[name].dtype != tensor.dtype and not _both_floating(tensors[name], tensor)
    ]
    if problems:
        shown = "; ".join(problems[:3]) + (f"; and {len(problems) - 3} more" if len(problems) > 3 else "")
        raise CheckpointError(f"{path}: the weights do not fit the network its settings describe: {shown}.")
    tensors = {name: tensor.to(expected[name].dtype) for name, tensor in tensors.items()}
    if bad := [name for name, tensor in tensors.items() if not tensor.isfinite().all()]:
        raise CheckpointError(f"{path}: {bad[0]} holds values that are not finite; use another checkpoint.")
    network.load_state_dict(tensors)


def _both_floating(one: Tensor, other: Tensor) -> bool:
    return one.dtype in _FLOATING and other.dtype in _FLOATING


def _stored(tensor: Tensor, half: bool) -> Tensor:
    tensor = tensor.detach().cpu().contiguous()
    return tensor.half() if half and tensor.is_floating_point() else tensor.clone()


def _require_file(path: Path) -> None:
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no such file"
        raise CheckpointError(f"{path}: found {what}, expected weights (*.safetensors) or a checkpoint (*.pt).")


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0][:200] or type(error).__name__
