"""Answers to lesson 2's exercises: right ones written otherwise, and plausible wrong ones."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
from exercise_cases import Cases, Fault
from torch import Tensor, nn
from torch.nn import functional

from jaalnet_core.contour import ContourGate, ImageEdges, mask_boundary
from jaalnet_core.gating import outline_dice

# 2.1


def by_two_terms(stream: Tensor, gate_logits: Tensor) -> Tensor:
    return stream + stream / (1 + torch.exp(-gate_logits))


def by_channels(stream: Tensor, gate_logits: Tensor) -> Tensor:
    gates = gate_logits.sigmoid() + 1
    return torch.stack([stream[:, c] * gates[:, 0] for c in range(stream.shape[1])], dim=1)


# 2.2


def by_opencv(mask: Tensor, width: int) -> Tensor:
    kernel = np.ones((width, width), np.uint8)
    outlines = [cv2.morphologyEx(one[0].numpy(), cv2.MORPH_GRADIENT, kernel) for one in mask]
    return torch.from_numpy(np.stack(outlines))[:, None]


def by_windows(mask: Tensor, width: int) -> Tensor:
    reach = width // 2
    outline = torch.zeros_like(mask)
    for row in range(mask.shape[2]):
        for column in range(mask.shape[3]):
            window = mask[:, :, max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1]
            outline[:, :, row, column] = (window.amax((2, 3)) != window.amin((2, 3))).float()
    return outline


def largest(mask: Tensor, width: int) -> Tensor:
    return functional.max_pool2d(mask, width, stride=1, padding=width // 2)


def smallest(mask: Tensor, width: int) -> Tensor:
    return -largest(-mask, width)


def framed(mask: Tensor, width: int) -> Tensor:
    around = functional.pad(mask, (width // 2,) * 4)
    return functional.max_pool2d(around, width, stride=1) + functional.max_pool2d(-around, width, stride=1)


def not_padded(mask: Tensor, width: int) -> Tensor:
    return functional.max_pool2d(mask, width, stride=1) + functional.max_pool2d(-mask, width, stride=1)


def both_sides(mask: Tensor, width: int) -> Tensor:
    window = 2 * width + 1
    mask = functional.pad(mask, (width,) * 4, mode="replicate")
    return functional.max_pool2d(mask, window, stride=1) + functional.max_pool2d(-mask, window, stride=1)


# 2.3


def edges_from(to_bytes: Callable[[Tensor], np.ndarray], code: int = cv2.COLOR_RGB2GRAY, scale: float = 1) -> object:
    def edge_map(images: Tensor) -> Tensor:
        maps = []
        for image in images:
            grey = cv2.cvtColor(to_bytes(image.permute(1, 2, 0)), code)
            maps.append(torch.from_numpy(cv2.Canny(grey, 10 * scale, 100 * scale) > 0))
        return torch.stack(maps)[:, None].float()

    return edge_map


def in_bytes(picture: Tensor) -> np.ndarray:
    return ((picture + 1) / 2 * 255).numpy().round().astype(np.uint8)


def by_opencvs_own_scaling(picture: Tensor) -> np.ndarray:
    return cv2.normalize(picture.numpy().copy(), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def wrapped(values: Tensor) -> np.ndarray:
    return values.numpy().astype(np.int64).astype(np.uint8)


def as_published(picture: Tensor) -> np.ndarray:
    return picture.numpy().astype(np.int8).astype(np.uint8)


def up_to_255(images: Tensor) -> Tensor:
    return edges_from(in_bytes)(images) * 255


def without_channel(images: Tensor) -> Tensor:
    return edges_from(in_bytes)(images)[:, 0]


def in_place(images: Tensor) -> Tensor:
    images += 1
    images *= 127.5
    return edges_from(lambda picture: picture.numpy().round().astype(np.uint8))(images)


def by_the_package(images: Tensor) -> Tensor:
    return ImageEdges()((images + 1) / 2)


# 2.4


def by_distances(drawn: Tensor, truth: Tensor, reach: int) -> float:
    one, other = drawn.nonzero().float(), truth.nonzero().float()
    if not len(one) or not len(other):
        return 1.0 if len(one) == len(other) else 0.0
    near = (one[:, None] - other[None]).abs().amax(-1) <= reach
    p, r = near.any(1).float().mean(), near.any(0).float().mean()
    return (2 / (1 / p + 1 / r)).item()


def by_opencv_and_counts(drawn: Tensor, truth: Tensor, reach: int) -> Tensor:
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    wide = [torch.from_numpy(cv2.dilate(x.numpy(), kernel)) for x in (drawn, truth)]
    if not drawn.any() and not truth.any():
        return torch.tensor(1.0)
    p = (drawn * wide[1]).sum() / drawn.sum().clamp(min=1)
    r = (truth * wide[0]).sum() / truth.sum().clamp(min=1)
    return 2 * p * r / (p + r).clamp(min=1e-9)


def wide(x: Tensor, reach: int) -> Tensor:
    return functional.max_pool2d(x[None], 2 * reach + 1, stride=1, padding=reach)[0]


def scored(score: Callable[[float, float], float], window: Callable[[int], int] = lambda reach: reach) -> object:
    """The agreement with another way to put the shares together, or another window."""

    def agreement(drawn: Tensor, truth: Tensor, reach: int) -> float:
        if not drawn.any() or not truth.any():
            return float(drawn.any() == truth.any())
        p = float((drawn * wide(truth, window(reach))).sum() / drawn.sum())
        r = float((truth * wide(drawn, window(reach))).sum() / truth.sum())
        return score(p, r)

    return agreement


def harmonic(p: float, r: float) -> float:
    return 2 * p * r / (p + r) if p + r else 0.0


def without_rules(drawn: Tensor, truth: Tensor, reach: int) -> float:
    p = (drawn * wide(truth, reach)).sum() / drawn.sum()
    r = (truth * wide(drawn, reach)).sum() / truth.sum()
    return float(2 * p * r / (p + r))


def empty_is_zero(drawn: Tensor, truth: Tensor, reach: int) -> float:
    return scored(harmonic)(drawn, truth, reach) if drawn.any() and truth.any() else 0.0


def dice_of_wide(drawn: Tensor, truth: Tensor, reach: int) -> float:
    one, other = wide(drawn, reach), wide(truth, reach)
    return float(2 * (one * other).sum() / (one.sum() + other.sum()))


def by_the_packages_dice(drawn: Tensor, truth: Tensor, reach: int) -> float:
    return outline_dice(drawn[None, None] - 0.5, truth[None, None])


# 2.5


class Gates(nn.Module):
    """The variant's parts, each of which a wrong answer changes."""

    kernel, outputs, ahead = 1, None, False

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.last = nn.Conv2d(channels + 1, self.outputs or channels, self.kernel, padding="same", bias=False)
        self.first = nn.Conv2d(channels + 1, channels + 1, self.kernel, padding="same", bias=False)

    def middle(self, x: Tensor) -> Tensor:
        return x.clamp(min=0)

    def a(self, stream: Tensor, side: Tensor) -> Tensor:
        joined = torch.cat([side, stream] if self.ahead else [stream, side], dim=1)
        return self.last(self.middle(self.first(joined))).sigmoid()

    def forward(self, stream: Tensor, side: Tensor) -> Tensor:
        return stream + stream * self.a(stream, side)


class ByMatrices(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.g = nn.Sequential(nn.Linear(channels + 1, channels + 1), nn.ReLU(), nn.Linear(channels + 1, channels))

    def forward(self, stream: Tensor, side: Tensor) -> Tensor:
        rows = torch.cat([stream, side], dim=1).permute(0, 2, 3, 1)
        return stream * (1 + torch.sigmoid(self.g(rows))).permute(0, 3, 1, 2)


class OneForAll(Gates):
    outputs = 1


class ThreeByThree(Gates):
    kernel = 3


class SideFirst(Gates):
    ahead = True


class NoRelu(Gates):
    def middle(self, x: Tensor) -> Tensor:
        return x


class Erasing(Gates):
    def forward(self, stream: Tensor, side: Tensor) -> Tensor:
        return stream * self.a(stream, side)


class NoSigmoid(Gates):
    def a(self, stream: Tensor, side: Tensor) -> Tensor:
        return 9 * super().a(stream, side).logit()


class WithoutSide(Gates):
    def a(self, stream: Tensor, side: Tensor) -> Tensor:
        return super().a(stream, torch.zeros_like(side))


class OneConvolution(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.g = nn.Conv2d(channels + 1, channels, 1)

    def forward(self, stream: Tensor, side: Tensor) -> Tensor:
        return stream * (1 + torch.sigmoid(self.g(torch.cat([stream, side], 1))))


class Pooled(Gates):
    def a(self, stream: Tensor, side: Tensor) -> Tensor:
        return super().a(stream.mean((2, 3), keepdim=True), side.mean((2, 3), keepdim=True))


APPENDED = "maps.append(torch.from_numpy(cv2.Canny(gray, 10, 100)) / 255)"
WIDENED = "wide = functional.max_pool2d(others[None], 2 * reach + 1, stride=1, padding=reach)"
EVEN = "the sum of both slopes' sizes is always even, so that above 10 is above 11"
CUT = "one grey value more or less is within what the check allows to those who cut instead of rounding"

CASES = {
    "2.1": Cases(
        right={"as a sum": by_two_terms, "channel by channel": by_channels},
        wrong={
            "the 1 forgotten": Fault(lambda stream, logits: stream * logits.sigmoid(), "A shut gate would erase"),
            "no sigmoid": Fault(lambda stream, logits: stream * (1 + logits), "the gate is their sigmoid"),
            "no brackets": Fault(lambda stream, logits: 1 + stream * logits.sigmoid(), "needs brackets"),
            "added": Fault(lambda stream, logits: stream + logits.sigmoid(), "the gate multiplies"),
            "of the stream": Fault(lambda stream, logits: stream * (1 + stream.sigmoid()), "gates itself"),
            "sigmoid of the sum": Fault(lambda stream, logits: stream * (1 + logits).sigmoid(), "take it first"),
            "upside down": Fault(lambda stream, logits: stream * (1 + (-logits).sigmoid()), "upside down"),
            "of the first channel": Fault(
                lambda stream, logits: (stream * (1 + logits.sigmoid()))[:, :1], "has shape ("
            ),
        },
        own={"run through ContourGate": lambda stream, logits: ContourGate(stream.shape[1])(stream, logits)},
    ),
    "2.2": Cases(
        right={"by OpenCV's gradient": by_opencv, "window by window": by_windows},
        wrong={
            "zeros around": Fault(framed, "the frame is drawn"),
            "no padding": Fault(not_padded, "has shape ("),
            "the stride forgotten": Fault(
                lambda mask, width: functional.max_pool2d(mask, width) + functional.max_pool2d(-mask, width),
                "has shape (",
            ),
            "width to each side": Fault(both_sides, "`width` pixels to each side"),
            "the outer half": Fault(lambda mask, width: largest(mask, width) - mask, "outer half"),
            "the inner half": Fault(lambda mask, width: mask - smallest(mask, width), "inner half"),
            "always three": Fault(lambda mask, width: largest(mask, 3) - smallest(mask, 3), "width 3, whatever"),
            "dilated only": Fault(largest, "take away the eroded one"),
        },
        own={"mask_boundary": mask_boundary},
    ),
    "2.3": Cases(
        right={
            "by halves": (edges_from(in_bytes), "D"),
            "cut, not rounded": (edges_from(lambda picture: (picture * 127.5 + 127.5).byte().numpy()), "d."),
        },
        wrong={
            "as published": Fault((edges_from(as_published), "d"), "hardly an edge is left"),
            "to 0..1": Fault(
                (edges_from(lambda x: ((x + 1) / 2).numpy().astype(np.uint8)), "d"), "hardly an edge is left"
            ),
            "times 255": Fault((edges_from(lambda x: wrapped(x * 255)), "d"), "the factor is 127.5"),
            "times 127.5": Fault((edges_from(lambda x: wrapped(x * 127.5)), "d"), "negative below the middle"),
            "0..2 times 255": Fault((edges_from(lambda x: wrapped((x + 1) * 255)), "d"), "the factor is 127.5"),
            "red for blue": Fault((edges_from(in_bytes, cv2.COLOR_BGR2GRAY), "d"), "the images are RGB"),
            "other thresholds": Fault((edges_from(in_bytes, scale=1 / 127.5), "d"), "bytes want 10 and 100"),
            "up to 255": Fault((up_to_255, "d"), "OpenCV marks edges with 255"),
            "no channel": Fault((without_channel, "d"), "has shape ("),
            "in place": Fault((in_place, "d"), "changed in place"),
            "mended, but the thresholds blamed": Fault((edges_from(in_bytes), "a"), "Canny takes bytes"),
            "mended, but the axes blamed": Fault((edges_from(in_bytes), "b"), "permute moves the axes"),
        },
        own={"ImageEdges": (by_the_package, "d")},
        equivalent={
            "count_edges(edge_map)  ->  pass": "it prints the symptom, and the answer is the same",
            "in_bytes = ((image + 1) * 127.5).round()  ->  in_bytes = (image + 1) * 127.5": CUT,
            f"{APPENDED}  ->  {APPENDED.replace('/', '*')}": "255 times 255 is 1 in bytes",
            f"{APPENDED}  ->  {APPENDED.replace('10,', '11,')}": EVEN,
            f"{APPENDED}  ->  {APPENDED.replace('100', '101')}": EVEN,
            f"{APPENDED}  ->  {APPENDED.replace('10,', '9,')}": CUT,
            f"{APPENDED}  ->  {APPENDED.replace('100', '99')}": CUT,
        },
    ),
    "2.4": Cases(
        right={"by distances": by_distances, "by OpenCV": by_opencv_and_counts},
        wrong={
            "only the drawn": Fault(scored(lambda p, r: p), "share of the drawn pixels"),
            "only the true": Fault(scored(lambda p, r: r), "share of the outline"),
            "the plain mean": Fault(scored(lambda p, r: (p + r) / 2), "the plain mean"),
            "the product": Fault(scored(lambda p, r: p * r), "the product of"),
            "no reach": Fault(scored(harmonic, lambda reach: 0), "as if the reach were 0"),
            "twice the reach": Fault(scored(harmonic, lambda reach: 2 * reach), "reaches twice as far"),
            "Dice of wide outlines": Fault(dice_of_wide, "Widen one at a time"),
            "0 divided by 0": Fault(without_rules, "both maps are empty"),
            "two empty maps are 0": Fault(empty_is_zero, "both maps are empty"),
        },
        own={"outline_dice": by_the_packages_dice},
        equivalent={
            f"{WIDENED}[0]  ->  {WIDENED}[-1]": "there is one map, first and last",
            "return 2 * p * r / (p + r) if p + r else 0.0  ->  "
            "return 2 * p * r / (p + r) if p + r else -0.0": "zero has no sign here",
        },
    ),
    "2.5": Cases(
        right={"without biases": Gates, "by matrices": ByMatrices},
        wrong={
            "one gate for all": Fault(OneForAll, "the same gate"),
            "3x3 kernels": Fault(ThreeByThree, "the kernels must be 1x1"),
            "side first": Fault(SideFirst, "[stream, side]"),
            "no ReLU": Fault(NoRelu, "no ReLU between"),
            "erasing": Fault(Erasing, "a shut gate lets pass"),
            "no sigmoid": Fault(NoSigmoid, "a is a sigmoid"),
            "the side forgotten": Fault(WithoutSide, "does not depend on the side"),
            "one convolution": Fault(OneConvolution, "expected one of"),
            "pooled": Fault(Pooled, "the same at every pixel"),
        },
        own={"a subclass of ContourGate": type("Mine", (ContourGate,), {})},
    ),
}
