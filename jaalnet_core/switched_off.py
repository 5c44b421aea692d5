"""Parts of a trained network switched off for a forward pass: by hooks, its weights untouched, itself as before after.

with switched_off(lf_net, "CBAM", "edges"):
    logits = lf_net(images)

A part that is switched off hands on what it was given, or zeros where it would have added something. That is not the
network as it would be had it been trained without the part: the others learnt to rely on it. What a part earns is
measured by training without it (`jaalnet ablate`); what a trained network makes of it is seen here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from jaalnet_core.attention import CBAM, ChannelAttention, PositionAttention
from jaalnet_core.blocks import DDSConv, DenseBlock, ResidualBlock
from jaalnet_core.contour import ContourGate
from jaalnet_core.lf_net import LFNet

Change = tuple[Callable[..., RemovableHandle], Callable[..., object]]  # how to register a hook, and the hook

PARTS = {
    "CBAM": "CBAM passes the decoder's features on as they came: no channel and no place is weighted.",
    "contour gates": "Every gate of the contour stream is shut: the stream goes on as it came, nothing is let through "
    "doubled.",
    "outline": "The outline that the contour stream draws does not reach the mask: the head reads zeros.",
    "edges": "Canny's edges of the photograph do not reach the mask: the head reads zeros.",
    "dense connections": "In the encoder's dense blocks a layer reads the one before it, and zeros for all others.",
    "skip connections": "The decoder reads zeros in place of the encoder's features of its size.",
    "shortcuts": "The residual blocks' shortcuts carry nothing: only the convolutions' branch goes on.",
    "position attention": "DA-Net's position attention adds nothing, as if its gamma were 0.",
    "channel attention": "DA-Net's channel attention adds nothing, as if its gamma were 0.",
}
"""Name of each part, and what becomes of it."""


def parts_of(network: nn.Module) -> tuple[str, ...]:
    """Those of `PARTS` that a network has and that can be switched off."""
    return tuple(part for part in PARTS if _CHANGES[part](network))


@contextmanager
def switched_off(network: nn.Module, *parts: str) -> Iterator[None]:
    """Run `network` without some of its parts as long as the block lasts.

    Args:
        network: an LF-Net or a DA-Net.
        parts: of `parts_of(network)`.

    Raises:
        ValueError: a part that the network does not have; the message lists those that it has.
    """
    there = parts_of(network)
    if unknown := [part for part in parts if part not in there]:
        raise ValueError(
            f"part: found {unknown[0]!r}, expected a {type(network).__name__}'s: {', '.join(there) or 'none'}."
        )
    with ExitStack() as hooked:
        for part in dict.fromkeys(parts):
            for register, hook in _CHANGES[part](network):
                hooked.callback(register(hook).remove)
        yield


def _of(network: nn.Module, *kinds: type[nn.Module]) -> Iterable[nn.Module]:
    return [module for module in network.modules() if isinstance(module, kinds)]


def _passing(*kinds: type[nn.Module]) -> Callable[[nn.Module], list[Change]]:
    """Modules that return what they are given."""

    def as_it_came(_module: nn.Module, inputs: tuple[Tensor, ...], _output: Tensor) -> Tensor:
        return inputs[0]

    return lambda network: [(module.register_forward_hook, as_it_came) for module in _of(network, *kinds)]


def _reading_zeros(channels: slice) -> Callable[..., tuple[Tensor]]:
    """A hook that lets a module read zeros in some channels of `(B, C, H, W)`."""

    def hook(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor]:
        features = inputs[0].clone()
        features[:, channels] = 0
        return (features,)

    return hook


def _gates(network: nn.Module) -> list[Change]:
    def shut(gate: ContourGate, inputs: tuple[Tensor, Tensor], _output: Tensor) -> Tensor:
        return gate.conv(inputs[0])

    return [(gate.register_forward_hook, shut) for gate in _of(network, ContourGate)]


def _last_of_head(channels: slice) -> Callable[[nn.Module], list[Change]]:
    """The outline is the last channel but one that the head reads, the edges are the last."""

    def changes(network: nn.Module) -> list[Change]:
        if not isinstance(network, LFNet) or not network.settings.contour_attention:
            return []
        return [(network.head.register_forward_pre_hook, _reading_zeros(channels))]

    return changes


def _dense(network: nn.Module) -> list[Change]:
    changes: list[Change] = []
    for block in _of(network, DenseBlock):
        if block.dense:
            layer = block.layers[0]
            made = (layer.pointwise if isinstance(layer, DDSConv) else layer[0]).out_channels
            readers = [*block.layers[1:], block.transition]  # the first layer reads the block's input anyway
            changes += [(reader.register_forward_pre_hook, _reading_zeros(slice(None, -made))) for reader in readers]
    return changes


def _skips(network: nn.Module) -> list[Change]:
    if not isinstance(network, LFNet):
        return []
    # the second half of what a decoder block reads comes from the encoder
    return [
        (block.register_forward_pre_hook, _reading_zeros(slice(block.conv1.in_channels // 2, None)))
        for block in network.decoder
    ]


def _shortcuts(network: nn.Module) -> list[Change]:
    def nothing(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return torch.zeros_like(output)

    return [(block.shortcut.register_forward_hook, nothing) for block in _of(network, ResidualBlock)]


_CHANGES: dict[str, Callable[[nn.Module], list[Change]]] = {
    "CBAM": _passing(CBAM),
    "contour gates": _gates,
    "outline": _last_of_head(slice(-2, -1)),
    "edges": _last_of_head(slice(-1, None)),
    "dense connections": _dense,
    "skip connections": _skips,
    "shortcuts": _shortcuts,
    "position attention": _passing(PositionAttention),
    "channel attention": _passing(ChannelAttention),
}
