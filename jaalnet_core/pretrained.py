"""Trained networks by name: those that come with the project, a file, or a repository of the Hugging Face hub.

from jaalnet_core import from_pretrained, outline_lesion

network = from_pretrained("small")           # an nn.Module: images (B, 3, H, W) in 0..1 to logits (B, 1, H, W)
outline_lesion(network, "mole.jpg").mask     # (H, W) uint8, 0 or 1
"""

from __future__ import annotations

from pathlib import Path

import torch

from jaalnet_core.errors import CheckpointError, JaalnetError
from jaalnet_core.lf_net import LFNet
from jaalnet_core.supplied import supplied
from jaalnet_core.weights import SHIPPED, load_lf_net

LF_NET, DA_NET = "lf_net.safetensors", "da_net.safetensors"
SHORT_NAMES = {
    "best": "best-isbi2016",
    "small": "small-isbi2016",
    "small-192": "small-192-isbi2016",
    "published": "small-published",
    "synthetic": "small-synthetic",
}


def from_pretrained(name: str | Path, *, revision: str | None = None, device: str | torch.device = "cpu") -> LFNet:
    """A trained LF-Net in evaluation mode: a plain `nn.Module`, images `(B, 3, H, W)` to logits `(B, 1, H, W)`.

    Any size from 32x32 goes in; `small-192` was trained at 192x192, all others at 128x128.

    Args:
        name: `best`, `small`, `small-192`, `published` or `synthetic`; a folder of `checkpoints/shipped/`; a weights
            file or a checkpoint by path; or `owner/repository` on the Hugging Face hub, which holds
            `lf_net.safetensors`.
        revision: of the hub's repository: a branch, tag or commit.
        device: where to put it.

    Raises:
        CheckpointError: no such weights, or unusable ones; the message names those that are there.
    """
    return load_lf_net(_file_of(name, revision), device).network


def shipped_weights(name: str, file: str = LF_NET) -> Path:
    """The file of weights that come with the project.

    Args:
        name: of a folder in `checkpoints/shipped/`, or a short name.
        file: `LF_NET` or `DA_NET`.

    Raises:
        CheckpointError: there are none of that name; the message names those that are there.
    """
    try:
        shipped = supplied(SHIPPED.as_posix())
    except JaalnetError:
        shipped = SHIPPED
    path = shipped / SHORT_NAMES.get(name, name) / file
    if not path.is_file():
        there = ", ".join(sorted(found.parent.name for found in shipped.glob(f"*/{file}"))) or "none"
        raise CheckpointError(f"{path.parent}: found no weights there, expected one of the shipped runs ({there}).")
    return path


def _file_of(name: str | Path, revision: str | None) -> Path:
    path = Path(name)
    if path.suffix in (".safetensors", ".pt") or path.is_file():
        return path
    words = str(name).split("/")
    if len(words) == 2 and all(words):
        return _from_hub(str(name), revision)
    return shipped_weights(str(name))


def _from_hub(repository: str, revision: str | None) -> Path:
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as error:
        raise CheckpointError(
            f"{repository}: reads like a repository of the Hugging Face hub, which needs: pip install huggingface-hub. "
            f"Weights that come with the project: {', '.join(SHORT_NAMES)}."
        ) from error
    try:
        return Path(hf_hub_download(repository, LF_NET, revision=revision))
    except Exception as error:  # no network, no such repository, no access: each with an exception of its own
        first = str(error).strip().split("\n")[0][:200] or type(error).__name__
        raise CheckpointError(
            f"{repository}: {LF_NET} could not be had from the Hugging Face hub ({first}). Check the name and the "
            f"network; weights that come with the project: {', '.join(SHORT_NAMES)}."
        ) from error
