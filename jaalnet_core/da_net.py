"""DA-Net, the discriminator: judges whether a mask was drawn by an expert, patch by patch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from jaalnet_core.attention import ChannelAttention, PositionAttention
from jaalnet_core.batch_norm import BatchNorm2d
from jaalnet_core.choices import Normalisation, Preset
from jaalnet_core.errors import SettingsError
from jaalnet_core.lf_net import WIDTHS, check_images, pad_to_multiple

PAIR_CHANNELS = 4  # a photograph (3) and a mask (1)
STRIDE = 8  # one patch logit for 8 x 8 pixels


@dataclass(frozen=True)
class DANetSettings:
    """What a DA-Net is built from; saved beside its weights."""

    width: int = 16
    """Channels after the first convolution; three strided ones reach `4 * width`."""
    normalisation: Normalisation = "spectral"
    """`spectral` bounds each convolution's gain (Miyato et al. 2018); `batch` is the classic PatchGAN's."""
    explicit_attention: bool = False
    """Store the position attention's matrix instead of the fused computation (same numbers)."""
    position_attention: bool = True
    """False: the position branch is its convolution alone."""
    channel_attention: bool = True
    """False: the channel branch is its convolution alone."""

    def __post_init__(self) -> None:
        if self.width < 4:
            raise SettingsError(f"width: found {self.width}, expected at least 4.")
        if self.normalisation not in ("spectral", "batch"):
            raise SettingsError(f"normalisation: found {self.normalisation!r}, expected 'spectral' or 'batch'.")


class DANet(nn.Module):
    """Dual attention network (Xiong et al. 2023), a PatchGAN: a pair `(B, 4, H, W)` to patch logits `(B, 1, H/8, W/8)`.

    Three strided convolutions, then two branches side by side, position attention and channel attention; their sum
    goes through the last convolution. Each attention can be left out by the settings. Sides that are no multiple of 8
    are padded by repeating the border.
    """

    def __init__(self, settings: DANetSettings | None = None) -> None:
        super().__init__()
        self.settings = settings if settings is not None else DANetSettings()
        width, normalisation = self.settings.width, self.settings.normalisation
        top = 4 * width
        self.features = nn.Sequential(
            # the first layer goes without batch statistics, as in every PatchGAN: they would hide the pair's colours
            *_conv(PAIR_CHANNELS, width, 4, 2, normalisation if normalisation == "spectral" else None),
            *_conv(width, 2 * width, 4, 2, normalisation),
            *_conv(2 * width, top, 4, 2, normalisation),
        )
        self.position_branch = nn.Sequential(*_conv(top, top, 3, 1, normalisation))
        if self.settings.position_attention:
            self.position_branch.append(PositionAttention(top, explicit=self.settings.explicit_attention))
        self.channel_branch = nn.Sequential(*_conv(top, top, 3, 1, normalisation))
        if self.settings.channel_attention:
            self.channel_branch.append(ChannelAttention())
        last = nn.Conv2d(top, 1, 3, padding=1)
        self.head = spectral_norm(last) if normalisation == "spectral" else last

    def forward(self, pairs: Tensor) -> Tensor:
        """Patch logits `(B, 1, H/8, W/8)`, rounded up: above 0 means "an expert drew this here".

        Args:
            pairs: `(B, 4, H, W)` from `pair`, values in 0..1, H and W from 32 up.

        Raises:
            ValueError: another shape, or a side below 32 pixels.
        """
        check_images(pairs, channels=PAIR_CHANNELS)
        features = self.features(pad_to_multiple(pairs, STRIDE))
        return self.head(self.position_branch(features) + self.channel_branch(features))


def _conv(
    in_channels: int, out_channels: int, kernel_size: int, stride: int, normalisation: Normalisation | None
) -> list[nn.Module]:
    conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride=stride, padding=1, bias=normalisation != "batch")
    activation = nn.LeakyReLU(0.2, inplace=True)
    if normalisation == "spectral":
        return [spectral_norm(conv), activation]
    return [conv, BatchNorm2d(out_channels), activation] if normalisation == "batch" else [conv, activation]


def pair(reference: Tensor, mask: Tensor) -> Tensor:
    """Stack what DA-Net judges on the channel axis: `(B, 4, H, W)`.

    Args:
        reference: the photograph `(B, 3, H, W)`, or an expert's mask `(B, 1, H, W)`, which is repeated on three
            channels (the published second kind of fake pair is expert mask and predicted mask).
        mask: `(B, 1, H, W)`, values in 0..1.
    """
    if reference.shape[1] == 1:
        reference = reference.expand(-1, 3, -1, -1)
    return torch.cat([reference, mask], dim=1)


def build_da_net(preset: Preset = "small", **changes: object) -> DANet:
    """An untrained DA-Net by name: `tiny` (width 8), `small` (16) or `base` (32).

    Args:
        changes: other fields of `DANetSettings`, such as `normalisation="batch"`.
    """
    if preset not in WIDTHS:
        raise SettingsError(f"preset: found {preset!r}, expected one of {', '.join(WIDTHS)}.")
    return DANet(DANetSettings(**{"width": WIDTHS[preset], **changes}))
