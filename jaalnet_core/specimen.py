"""What both networks make of one picture, step by step, ready to be looked at: LF-Net's drawing, DA-Net's judgement."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from jaalnet_core.attention import ChannelAttention, PositionAttention
from jaalnet_core.contour import ImageEdges
from jaalnet_core.da_net import DANet, pair
from jaalnet_core.gating import run_with_gates, stream_contrast
from jaalnet_core.lf_net import LFNet
from jaalnet_core.position_maps import PositionMaps
from jaalnet_core.switched_off import parts_of, switched_off

DRAWN, EXPERT = "the drawn mask", "the expert's mask"


@dataclass(frozen=True, eq=False)
class Slide:
    """A picture to look at: its name, `(H, W, 3)` uint8, RGB, and the expert's mask `(H, W)` of 0 and 1, or None."""

    name: str
    picture: np.ndarray
    expert: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Drawing:
    """What LF-Net made of a picture. Levels run from the coarsest, next to the bottleneck, to the finest.

    Attributes:
        probabilities: of lesion, `(H, W)` float32, 0..1.
        outline: what the contour stream draws, `(H, W)` float32, 0..1; None for a network without contour stream.
        gates: how far each level's gate stood open, `(h, w)` in 0..1 a level; empty without contour stream.
        streams: what the stream says after each gate, `(h, w)` a level: how far each place lies from the average over
            the picture, root mean square over the channels.
        edges: Canny's edges of the photograph, `(H, W)` of 0 and 1; None without contour stream.
        off: the parts that were switched off.
    """

    probabilities: np.ndarray
    outline: np.ndarray | None
    gates: tuple[np.ndarray, ...]
    streams: tuple[np.ndarray, ...]
    edges: np.ndarray | None
    off: frozenset[str]


@dataclass(frozen=True, eq=False)
class Judgement:
    """What DA-Net made of a picture and a mask.

    Attributes:
        mask: what was judged, `(H, W)` float32, 0..1.
        opinion: a patch of 8x8 pixels each, `(h, w)`, 0 = a network drew this, 1 = an expert did.
        maps: the position attention's weights; None for a network without it.
        channels: what channel attention is given, `(C, h, w)`; None for a network without it.
        gram: dot products of all its channels, `(C, C)`.
        weights: the channel attention's, `(C, C)`; row `i` holds what channel `i` takes from the others, summing to 1.
        off: the parts that were switched off. They change the opinion, not what stands in front of them.
    """

    mask: np.ndarray
    opinion: np.ndarray
    maps: PositionMaps | None
    channels: np.ndarray | None
    gram: np.ndarray | None
    weights: np.ndarray | None
    off: frozenset[str]


@torch.no_grad()
def draw_mask(lf_net: LFNet, picture: np.ndarray, *, off: Collection[str] = ()) -> Drawing:
    """Let LF-Net draw, and keep what it did on the way.

    Args:
        lf_net: in evaluation mode.
        picture: `(H, W, 3)` uint8, RGB, sides from 32 up.
        off: parts to switch off, of `switched_off.parts_of(lf_net)`.

    Raises:
        ValueError: a part that the network does not have, or a picture of another shape.
    """
    images = _as_images(picture)
    height, width = picture.shape[:2]
    with switched_off(lf_net, *off):
        if not lf_net.settings.contour_attention:
            return Drawing(_numbers(torch.sigmoid(lf_net(images))), None, (), (), None, frozenset(off))
        edges: list[Tensor] = []
        watched = next(module for module in lf_net.modules() if isinstance(module, ImageEdges))
        handle = watched.register_forward_hook(lambda _module, _inputs, output: edges.append(output))
        try:
            run = run_with_gates(lf_net, images, forced=0.0 if "contour gates" in off else None)
        finally:
            handle.remove()
    return Drawing(
        probabilities=_numbers(torch.sigmoid(run.logits)),
        outline=_numbers(torch.sigmoid(run.contour)),
        gates=tuple(_numbers(gate) for gate in run.gates),
        streams=tuple(_numbers(stream_contrast(stream)) for stream in run.streams),
        edges=_numbers(edges[0])[:height, :width],
        off=frozenset(off),
    )


@torch.no_grad()
def judge_mask(da_net: DANet, picture: np.ndarray, mask: np.ndarray, *, off: Collection[str] = ()) -> Judgement:
    """Let DA-Net judge a mask, and keep what its two attentions are given and do.

    Args:
        da_net: in evaluation mode.
        picture: `(H, W, 3)` uint8, RGB, sides from 32 up.
        mask: `(H, W)`, an expert's of 0 and 1, or drawn probabilities.
        off: parts to switch off, of `switched_off.parts_of(da_net)`.

    Raises:
        ValueError: a part that the network does not have, or a picture or mask of another shape.
    """
    if mask.shape != picture.shape[:2]:
        raise ValueError(f"mask: found shape {mask.shape} for a picture of {picture.shape[:2]}, expected the same.")
    shown = torch.from_numpy(np.ascontiguousarray(mask, dtype=np.float32))[None, None]
    given: dict[type[nn.Module], tuple[nn.Module, Tensor]] = {}
    watched = [module for module in da_net.modules() if isinstance(module, (PositionAttention, ChannelAttention))]

    def keep(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        given[type(module)] = (module, inputs[0])

    handles = [module.register_forward_pre_hook(keep) for module in watched]
    try:
        with switched_off(da_net, *off):
            opinion = torch.sigmoid(da_net(pair(_as_images(picture), shown)))
    finally:
        for handle in handles:
            handle.remove()
    maps, channels, gram, weights = None, None, None, None
    if PositionAttention in given:
        attention, features = given[PositionAttention]
        grid = (features.shape[-2], features.shape[-1])
        maps = PositionMaps(attention.attention_map(features)[0].numpy(), grid, picture, shown[0, 0].numpy())
    if ChannelAttention in given:
        attention, features = given[ChannelAttention]
        flat = features[0].flatten(1)
        channels, gram = features[0].numpy(), (flat @ flat.T).numpy()
        weights = attention.attention_map(features)[0].numpy()
    return Judgement(shown[0, 0].numpy(), _numbers(opinion), maps, channels, gram, weights, frozenset(off))


class Stage:
    """Both networks, and what they made of the last slides: a part switched on again is there at once.

    Attributes:
        parts: the name of each network to its parts that can be switched off.
    """

    def __init__(self, lf_net: LFNet, da_net: DANet, *, keep: int = 32) -> None:
        """Put two networks in evaluation mode under the microscope; `keep` results of each stay in memory."""
        self.parts = {"LF-Net": parts_of(lf_net), "DA-Net": parts_of(da_net)}
        self._drawn = lru_cache(keep)(lambda slide, off: draw_mask(lf_net, slide.picture, off=off))
        self._judged = lru_cache(keep)(
            lambda slide, mask_of, off: judge_mask(
                da_net, slide.picture, slide.expert if mask_of is None else mask_of.probabilities, off=off
            )
        )

    def drawing(self, slide: Slide, off: Collection[str] = ()) -> Drawing:
        """What LF-Net makes of a slide, with parts of either network switched off; the same object when asked again.

        Raises:
            ValueError: a part that neither network has.
        """
        return self._drawn(slide, self._those_off("LF-Net", off))

    def judgement(self, slide: Slide, kind: str, off: Collection[str] = ()) -> Judgement:
        """What DA-Net makes of the mask that LF-Net draws, `DRAWN`, or of the slide's own, `EXPERT`.

        Raises:
            ValueError: a part that neither network has, another kind, or a slide without an expert's mask.
        """
        if kind not in (DRAWN, EXPERT) or (kind == EXPERT and slide.expert is None):
            raise ValueError(f"kind: found {kind!r}, expected {DRAWN!r}, or {EXPERT!r} where there is one.")
        # the expert's mask is what it is, whatever LF-Net draws
        return self._judged(slide, self.drawing(slide, off) if kind == DRAWN else None, self._those_off("DA-Net", off))

    def _those_off(self, network: str, off: Collection[str]) -> frozenset[str]:
        there = [part for parts in self.parts.values() for part in parts]
        if unknown := sorted(set(off) - set(there)):
            raise ValueError(f"off: found {unknown[0]!r}, expected parts of these networks: {', '.join(there)}.")
        return frozenset(self.parts[network]) & frozenset(off)


def _as_images(picture: np.ndarray) -> Tensor:
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(f"picture: found {picture.shape} of {picture.dtype}, expected (H, W, 3) of uint8, RGB.")
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255


def _numbers(values: Tensor) -> np.ndarray:
    """`(H, W)` of one picture's map, whichever axes of 1 it brings."""
    return values.reshape(values.shape[-2:]).numpy()
