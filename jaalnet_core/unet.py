"""A U-Net of segmentation-models-pytorch, from scratch, with as much arithmetic as LF-Net: what to compare it with."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from jaalnet_core.choices import Preset
from jaalnet_core.errors import SettingsError
from jaalnet_core.lf_net import LEVELS, STRIDE, check_images, pad_to_multiple

# Found by counting, twice as wide at each step like LF-Net's own: a test holds them within 5% of its FLOPs.
UNET_WIDTHS: dict[str, int] = {"tiny": 17, "small": 34, "base": 68}


@dataclass(frozen=True)
class UNetSettings:
    """What a U-Net is built from; saved beside its weights."""

    width: int = 34
    """Channels of the encoder at half the picture's size; it reaches four times as many, at a sixteenth."""

    def __post_init__(self) -> None:
        if self.width < 4:
            raise SettingsError(f"width: found {self.width}, expected at least 4.")


class UNet(nn.Module):
    """U-Net (Ronneberger et al. 2015) with a ResNet-18 encoder, as segmentation-models-pytorch builds it.

    Five levels and four halvings, as many as LF-Net has. The encoder begins with three 3x3 convolutions (`resnet18d`'s
    stem) and has `width` channels at a half and a quarter of the size, then `2 * width` and `4 * width`; the decoder
    comes back over `4, 2, 1, 1/2` times `width`. Weights are random: nothing was learnt elsewhere. It takes and gives
    what LF-Net takes and gives, but draws no outline of its own.

    Raises:
        SettingsError: segmentation-models-pytorch is not installed.
    """

    def __init__(self, settings: UNetSettings | None = None) -> None:
        super().__init__()
        self.settings = settings if settings is not None else UNetSettings()
        width, half = self.settings.width, (self.settings.width + 1) // 2
        try:
            import segmentation_models_pytorch as smp
        except ImportError as error:
            raise SettingsError(
                "segmentation-models-pytorch is not installed, expected it for the U-Net: "
                "pip install segmentation-models-pytorch."
            ) from error
        self.unet = smp.Unet(
            "tu-resnet18",
            encoder_weights=None,
            encoder_depth=LEVELS - 1,
            decoder_channels=(4 * width, 2 * width, width, half),
            classes=1,
            channels=(width, 2 * width, 4 * width, 8 * width),  # the last stage is never built at this depth
            stem_type="deep",
            stem_width=half,
        )

    def forward(self, images: Tensor, with_contour: bool = False) -> Tensor:
        """Logits of the lesion mask.

        Args:
            images: `(B, 3, H, W)`, RGB in 0..1, H and W from 32 up; padded inside as LF-Net pads them.
            with_contour: refused, so that nobody supervises an outline that is not there.

        Returns:
            Logits `(B, 1, H, W)`.

        Raises:
            ValueError: another shape, a side below 32 pixels, or `with_contour`.
        """
        check_images(images, channels=3)
        if with_contour:
            raise ValueError("with_contour: found True, expected False: a U-Net has no contour stream.")
        height, width = images.shape[-2:]
        return self.unet(pad_to_multiple(images, STRIDE))[..., :height, :width]


def build_unet(preset: Preset = "small") -> UNet:
    """An untrained U-Net that costs as much arithmetic as the LF-Net of the same name."""
    if preset not in UNET_WIDTHS:
        raise SettingsError(f"preset: found {preset!r}, expected one of {', '.join(UNET_WIDTHS)}.")
    return UNet(UNetSettings(UNET_WIDTHS[preset]))
