"""LF-Net, the generator: draws a lesion's outline from a photograph."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from jaalnet_core.attention import CBAM
from jaalnet_core.blocks import ConvNormAct, DeConv, DenseBlock, ResidualBlock
from jaalnet_core.choices import Preset
from jaalnet_core.contour import ContourAttention, ImageEdges
from jaalnet_core.errors import SettingsError
from jaalnet_core.size import SMALLEST_SIDE

WIDTHS: dict[str, int] = {"tiny": 8, "small": 16, "base": 32}
LEVELS = 5
STRIDE = 2 ** (LEVELS - 1)  # the bottleneck is this much smaller than the picture
MOST_DILATIONS, LARGEST_DILATION = 8, 64  # more a settings file may not ask for: memory grows with both


@dataclass(frozen=True)
class LFNetSettings:
    """What an LF-Net is built from; saved beside its weights."""

    width: int = 16
    """Channels of the first level; level `i` has `width * 2**i`. 8 is `tiny`, 16 `small`, 32 (published) `base`."""
    dilations: tuple[int, ...] = (1, 2, 3)
    """Dilations of the DDSConv layers in each dense block."""
    canny_low: float = 10.0
    """Lower threshold of the image edges, on 0..255 grey values."""
    canny_high: float = 100.0
    """Upper threshold of the image edges."""
    contour_attention: bool = True
    """False: no contour stream and no image edges; the head sees the decoder's features alone."""
    dense: bool = True
    """False: the layers of an encoder block follow one another without concatenation (see `DenseBlock`)."""
    separable: bool = True
    """False: plain 3x3 convolutions of the same dilations in place of DDSConv."""
    cbam: bool = True
    """False: no CBAM in the decoder's residual blocks."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "dilations", tuple(self.dilations))  # JSON brings a list
        if not 1 <= len(self.dilations) <= MOST_DILATIONS or not all(
            1 <= dilation <= LARGEST_DILATION for dilation in self.dilations
        ):
            raise SettingsError(
                f"dilations: found {str(self.dilations)[:60]}, expected 1 to {MOST_DILATIONS} whole numbers from 1 to "
                f"{LARGEST_DILATION}."
            )
        if self.width < 4 or self.width % 4:
            raise SettingsError(f"width: found {self.width}, expected a multiple of 4, such as 8, 16 or 32.")


class LFNet(nn.Module):
    """Local fusion network (Xiong et al. 2023): encoder, decoder and a contour stream over five levels.

    The encoder's dense blocks of DDSConv see several scales by their dilations; the decoder doubles by DeConv, takes
    the encoder's features of the same size, and refines them in residual blocks with CBAM; contour attention carries
    the outline from the bottleneck up, gated by the decoder. The outline and Canny's edges of the photograph join the
    decoder's features before the last 1x1 convolution.

    Each of these parts can be left out by the settings, to see what it is worth.

    Any height and width from 32 up: the picture is padded to a multiple of 16 by repeating its border, and the logits
    are cropped back; nothing is resized.
    """

    def __init__(self, settings: LFNetSettings | None = None) -> None:
        super().__init__()
        self.settings = settings if settings is not None else LFNetSettings()
        channels = [self.settings.width * 2**level for level in range(LEVELS)]

        self.stem = ConvNormAct(3, channels[0])
        self.encoder = nn.ModuleList(
            DenseBlock(
                before,
                after,
                growth_rate=after // 2,
                dilations=self.settings.dilations,
                dense=self.settings.dense,
                separable=self.settings.separable,
            )
            for before, after in zip([channels[0], *channels], channels, strict=False)
        )
        self.pool = nn.MaxPool2d(2)
        # from the bottleneck up: levels 3, 2, 1, 0
        upward = range(LEVELS - 2, -1, -1)
        self.deconvs = nn.ModuleList(DeConv(channels[i + 1], channels[i]) for i in upward)
        self.decoder = nn.ModuleList(
            ResidualBlock(2 * channels[i], channels[i], CBAM(channels[i]) if self.settings.cbam else None)
            for i in upward
        )
        if self.settings.contour_attention:
            streams = [count // 2 for count in channels]
            self.contour_start = nn.Conv2d(channels[-1], streams[-1], 1)
            self.contour = nn.ModuleList(ContourAttention(streams[i + 1], streams[i], channels[i]) for i in upward)
            self.contour_head = nn.Conv2d(streams[0], 1, 1)
            self.edges = ImageEdges(self.settings.canny_low, self.settings.canny_high)
        # an outline and the edges join the decoder's features where there is a contour stream
        self.head = nn.Conv2d(channels[0] + (2 if self.settings.contour_attention else 0), 1, 1)

    def forward(self, images: Tensor, with_contour: bool = False) -> Tensor | tuple[Tensor, Tensor]:
        """Logits of the lesion mask.

        Args:
            images: `(B, 3, H, W)`, RGB in 0..1, H and W from 32 up.
            with_contour: also return the contour stream's logits (training supervises them).

        Returns:
            Logits `(B, 1, H, W)`; with `with_contour` a pair of them: mask, contour.

        Raises:
            ValueError: another shape, a side below 32 pixels, or `with_contour` of a network without contour stream.
        """
        check_images(images, channels=3)
        if with_contour and not self.settings.contour_attention:
            raise ValueError("with_contour: found True, expected False: this LF-Net was built without contour stream.")
        height, width = images.shape[-2:]
        padded = pad_to_multiple(images, STRIDE)
        features, contour = self._decode(self._encode(padded))
        if contour is not None:
            features = torch.cat([features, torch.sigmoid(contour), self.edges(padded).to(features.dtype)], dim=1)
        logits = self.head(features)[..., :height, :width]
        return (logits, contour[..., :height, :width]) if with_contour else logits

    def _encode(self, images: Tensor) -> list[Tensor]:
        """Features of each level, finest first: `(B, width * 2**i, H / 2**i, W / 2**i)`."""
        features = self.stem(images)
        levels = []
        for block in self.encoder:
            features = block(self.pool(features) if levels else features)
            levels.append(features)
        return levels

    def _decode(self, levels: list[Tensor]) -> tuple[Tensor, Tensor | None]:
        """Decoder features `(B, width, H, W)` and contour logits `(B, 1, H, W)`, None without contour stream."""
        *skips, features = levels
        contour_levels = self.contour if self.settings.contour_attention else [None] * len(self.deconvs)
        stream = self.contour_start(features) if self.settings.contour_attention else None
        for deconv, block, contour in zip(self.deconvs, self.decoder, contour_levels, strict=True):
            features = block(torch.cat([deconv(features), skips.pop()], dim=1))
            if contour is not None:
                stream = contour(stream, features)
        return features, None if stream is None else self.contour_head(stream)


def build_lf_net(preset: Preset = "small", **changes: object) -> LFNet:
    """An untrained LF-Net by name: `tiny` (width 8), `small` (16) or `base` (32, the published scale).

    Args:
        changes: other fields of `LFNetSettings`, such as `canny_high=80`.
    """
    if preset not in WIDTHS:
        raise SettingsError(f"preset: found {preset!r}, expected one of {', '.join(WIDTHS)}.")
    return LFNet(LFNetSettings(**{"width": WIDTHS[preset], **changes}))


def check_images(images: Tensor, channels: int) -> None:
    """Raise a ValueError that says what is wrong unless `images` is `(B, channels, H, W)` with sides from 32 up."""
    if images.ndim != 4 or images.shape[1] != channels:
        raise ValueError(f"images: found shape {tuple(images.shape)}, expected (B, {channels}, H, W).")
    if min(images.shape[-2:]) < SMALLEST_SIDE:
        raise ValueError(
            f"images: found {images.shape[-2]}x{images.shape[-1]} pixels, expected at least {SMALLEST_SIDE} a side; "
            "enlarge the pictures first."
        )


def pad_to_multiple(images: Tensor, multiple: int) -> Tensor:
    """Repeat the lower and right border until height and width are multiples of `multiple`."""
    height, width = images.shape[-2:]
    bottom, right = -height % multiple, -width % multiple
    return functional.pad(images, (0, right, 0, bottom), mode="replicate") if bottom or right else images
