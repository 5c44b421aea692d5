"""Contour attention: LF-Net's second, shallow stream that carries only the outline, and the edges it is given."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from jaalnet_core.batch_norm import BatchNorm2d
from jaalnet_core.blocks import DeConv, ResidualBlock

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, the weights of cv2.cvtColor
TAN_22_5 = 0.41421356  # below this slope a gradient counts as horizontal, above its inverse as vertical


class ContourGate(nn.Module):
    """One gate of the stream (after Gated-SCNN, Takikawa et al. 2019): `(B, C, H, W)` to `(B, C, H, W)`.

    `a = sigmoid(g([stream, side]))`, `stream = conv(stream * (1 + a))`: where the decoder sees a border the stream is
    let through doubled, elsewhere as it was.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.opening = nn.Sequential(
            BatchNorm2d(channels + 1),
            nn.Conv2d(channels + 1, channels + 1, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels + 1, 1, 1),
        )
        self.conv = nn.Conv2d(channels, channels, 1)

    def gate(self, stream: Tensor, side: Tensor) -> Tensor:
        """The gate `a` alone, `(B, 1, H, W)` in 0..1, from the stream and the decoder's side logits `(B, 1, H, W)`."""
        return torch.sigmoid(self.opening(torch.cat([stream, side], dim=1)))

    def forward(self, stream: Tensor, side: Tensor) -> Tensor:
        return self.conv(stream * (1 + self.gate(stream, side)))


class ContourAttention(nn.Module):
    """One level of the contour stream: refine, double and narrow, then gate with what the decoder sees there.

    Args:
        stream_in, stream_out: channels of the stream before and after.
        decoder_channels: channels of the decoder's features at the new, doubled size.
    """

    def __init__(self, stream_in: int, stream_out: int, decoder_channels: int) -> None:
        super().__init__()
        self.refine = ResidualBlock(stream_in, stream_in)
        self.upsample = DeConv(stream_in, stream_out)
        self.side = nn.Conv2d(decoder_channels, 1, 1)
        self.gate = ContourGate(stream_out)

    def forward(self, stream: Tensor, decoder: Tensor) -> Tensor:
        """`stream` `(B, stream_in, H, W)` and `decoder` `(B, decoder_channels, 2H, 2W)` to the stream at `2H, 2W`."""
        return self.gate(self.upsample(self.refine(stream)), self.side(decoder))

    def opening(self, stream: Tensor, decoder: Tensor) -> Tensor:
        """How far the gate stands open, `(B, 1, 2H, 2W)` in 0..1, for the same arguments."""
        return self.gate.gate(self.upsample(self.refine(stream)), self.side(decoder))


class ImageEdges(nn.Module):
    """Canny's edge detector as tensor operations: RGB `(B, 3, H, W)` in 0..1 to edges `(B, 1, H, W)` of 0 or 1.

    Follows `cv2.Canny` (Sobel 3x3, L1 magnitude, non-maximum suppression, double threshold, hysteresis) on the
    photograph's 0..255 grey values, so that it runs on any device, in a compiled graph and after augmentation. The one
    difference: hysteresis follows a weak edge for at most `hysteresis_steps` pixels. No gradient passes.

    Args:
        low, high: thresholds on the L1 gradient magnitude of 0..255 grey values, as for `cv2.Canny`.
        hysteresis_steps: how many pixels a weak edge may lie from a strong one, along weak edges.
    """

    def __init__(self, low: float = 10, high: float = 100, hysteresis_steps: int = 64) -> None:
        super().__init__()
        if not 0 <= low <= high:
            raise ValueError(f"low, high: found {low}, {high}, expected 0 <= low <= high.")
        self.low, self.high, self.hysteresis_steps = low, high, hysteresis_steps

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        # whole numbers up to 2040 meet the thresholds, and half precision would round the grey values under them
        exact = images.to(torch.promote_types(images.dtype, torch.float32))
        red, green, blue = (exact * 255).round().split(1, dim=1)
        grey = (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue).round()
        dx, dy = _sobel(grey)
        magnitude = dx.abs() + dy.abs()
        candidates = magnitude * _is_ridge(magnitude, dx, dy)
        return self._hysteresis(candidates).to(images.dtype)

    def _hysteresis(self, candidates: Tensor) -> Tensor:
        """Keep weak edges joined to a strong one."""
        weak, strong = candidates > self.low, candidates > self.high
        if torch.compiler.is_exporting():  # in operations that every other runtime has, and only two a step
            edges, weak = strong.to(candidates.dtype), weak.to(candidates.dtype)
            for _ in range(self.hysteresis_steps):
                edges = functional.max_pool2d(edges, 3, stride=1, padding=1) * weak
            return edges
        follow = _follow_as_one if torch.compiler.is_compiling() else _follow_weak_edges
        return follow(strong, weak, self.hysteresis_steps)


def _follow_weak_edges(strong: Tensor, weak: Tensor, steps: int) -> Tensor:
    """Dilate, keep what is weak, repeat; all boolean, which is the cheapest by far."""
    edges = strong & weak
    for _ in range(steps):
        around = functional.pad(edges, (1, 1, 1, 1))
        tall = around[..., :-2, :] | around[..., 1:-1, :] | around[..., 2:, :]
        edges = (tall[..., :-2] | tall[..., 1:-1] | tall[..., 2:]) & weak
    return edges


# the unrolled loop would keep torch.compile's code generator busy for minutes: to it, the loop is one operation
_follow_as_one = torch.library.custom_op("jaalnet::follow_weak_edges", _follow_weak_edges, mutates_args=())
_follow_as_one.register_fake(lambda strong, weak, steps: torch.empty_like(strong))


def _sobel(grey: Tensor) -> tuple[Tensor, Tensor]:
    """Slopes to the right and down, `(B, 1, H, W)` each, borders repeated.

    By sums, not by a convolution, which mixed precision would compute in half precision.
    """
    padded = functional.pad(grey, (1, 1, 1, 1), mode="replicate")
    rows = padded[..., :-2, :] + 2 * padded[..., 1:-1, :] + padded[..., 2:, :]
    columns = padded[..., :-2] + 2 * padded[..., 1:-1] + padded[..., 2:]
    return rows[..., 2:] - rows[..., :-2], columns[..., 2:, :] - columns[..., :-2, :]


def _is_ridge(magnitude: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    """Non-maximum suppression: 1.0 where the magnitude tops its two neighbours along the gradient, by cv2's rules."""
    around = functional.pad(magnitude, (1, 1, 1, 1))  # beyond the border lies 0
    height, width = magnitude.shape[-2:]

    def shifted(rows: int, columns: int) -> Tensor:
        return around[..., 1 + rows : 1 + rows + height, 1 + columns : 1 + columns + width]

    horizontal = dy.abs() < TAN_22_5 * dx.abs()
    vertical = dy.abs() > dx.abs() / TAN_22_5
    falling = dx * dy >= 0  # the gradient points down right or up left
    ahead = torch.where(falling, shifted(1, 1), shifted(1, -1))
    behind = torch.where(falling, shifted(-1, -1), shifted(-1, 1))
    diagonal = (magnitude > behind) & (magnitude > ahead)
    # on a plateau of two, cv2 keeps the first: strict on one side only
    along_x = (magnitude > shifted(0, -1)) & (magnitude >= shifted(0, 1))
    along_y = (magnitude > shifted(-1, 0)) & (magnitude >= shifted(1, 0))
    # as boolean algebra: ONNX Runtime has no `where` that chooses between booleans
    ridge = (horizontal & along_x) | (vertical & along_y) | (~(horizontal | vertical) & diagonal)
    return ridge.to(magnitude.dtype)


def mask_boundary(mask: Tensor, width: int = 3) -> Tensor:
    """The outline that supervises the contour stream: 1 within `width // 2` pixels of the mask's edge, else 0.

    Args:
        mask: `(B, 1, H, W)`, 0 or 1.
        width: odd, in pixels. The border of the picture is no outline.

    Returns:
        `(B, 1, H, W)`, 0 or 1, of the mask's dtype.
    """
    if width % 2 == 0:
        raise ValueError(f"width: found {width}, expected an odd number of pixels.")
    reach = width // 2
    padded = functional.pad(mask, (reach,) * 4, mode="replicate")  # a lesion cut by the frame has no outline there
    dilated = functional.max_pool2d(padded, width, stride=1)
    eroded = -functional.max_pool2d(-padded, width, stride=1)
    return dilated - eroded
