"""Answers to exercises 3.4 and 3.5, the blocks of one's own."""

from __future__ import annotations

import torch
from exercise_cases import Cases, Fault
from torch import nn

from jaalnet_core.blocks import ConvNormAct, DDSConv, DenseBlock


def line(channels, size, dilation, groups=None, padding=None):
    """One depthwise convolution of `size`, such as (1, 3), padded so that it keeps the map."""
    reach = tuple(dilation * (side - 1) // 2 for side in size) if padding is None else padding
    return nn.Conv2d(channels, channels, size, padding=reach, dilation=dilation, groups=groups or channels, bias=False)


def cross(around, norm1=nn.BatchNorm2d, norm2=nn.BatchNorm2d, between=nn.Identity, last=nn.ReLU):
    """A class whose parts that look around are what `around` makes of channels, kernel size and dilation."""

    class Cross(nn.Module):
        def __init__(self, in_channels, out_channels, kernel_size=3, dilation=1):
            super().__init__()
            self.parts = nn.Sequential(*around(in_channels, kernel_size, dilation), norm1(in_channels), between())
            self.mix = nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, bias=False), norm2(out_channels), last())

        def forward(self, features):
            return self.mix(self.parts(features))

    return Cross


def both(c, k, d):
    return line(c, (1, k), d), line(c, (k, 1), d)


class ColumnFirst(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size=3, dilation=1):
        super().__init__()
        how = {"padding": "same", "groups": in_channels}
        self.mixture = nn.Conv2d(in_channels, out_channels, (1, 1))
        self.row = nn.Conv2d(in_channels, in_channels, (1, kernel_size), dilation=(1, dilation), **how)
        self.column = nn.Conv2d(in_channels, in_channels, (kernel_size, 1), dilation=(dilation, 1), **how)
        self.norms = nn.ModuleList([nn.BatchNorm2d(in_channels), nn.BatchNorm2d(out_channels)])

    def forward(self, x):
        x = self.norms[0](self.row(self.column(x)))
        return self.norms[1](self.mixture(x)).clamp(min=0)


HOW = "how = {'dilation': dilation, 'groups': in_channels, 'bias': "
MIXTURE = "self.pointwise = nn.Conv2d(in_channels, out_channels, 1"
NORM = "the normalisation after it takes any bias away"
EQUIVALENT = {
    "self.around = nn.Sequential(depthwise(1, kernel_size), depthwise(kernel_size, 1))  ->  "
    "self.around = nn.Sequential(depthwise(kernel_size, 1), depthwise(1, kernel_size))": "either order",
    f"{HOW}False}}  ->  {HOW}True}}": NORM,
    f"{MIXTURE}, bias=False)  ->  {MIXTURE}, bias=True)": NORM,
    f"{MIXTURE}, bias=False)  ->  {MIXTURE})": NORM,
}

CROSS = Cases(
    right={"column first, with bias": ColumnFirst, "in sequence": cross(both)},
    wrong={
        "square kernel left": Fault(cross(lambda c, k, d: [line(c, (k, k), d)]), "still a square kernel"),
        "row only": Fault(cross(lambda c, k, d: [line(c, (1, k), d)]), "there is no column"),
        "column only": Fault(cross(lambda c, k, d: [line(c, (k, 1), d)]), "there is no row"),
        "padded along both directions": Fault(
            cross(lambda c, k, d: [line(c, s, d, padding=d * (k - 1) // 2) for s in ((1, k), (k, 1))]),
            "along its own direction only",
        ),
        "padding forgets the kernel": Fault(
            cross(lambda c, k, d: [line(c, (1, k), d, padding=(0, d)), line(c, (k, 1), d, padding=(d, 0))]),
            "the row reaches",
        ),
        "groups forgotten": Fault(
            cross(lambda c, k, d: [line(c, (1, k), d, groups=1), line(c, (k, 1), d, groups=1)]), "mixes the channels"
        ),
        "dilation ignored": Fault(cross(lambda c, k, d: both(c, k, 1)), "the dilation has no effect"),
        "row not dilated": Fault(
            cross(lambda c, k, d: [line(c, (1, k), 1), line(c, (k, 1), d)]), "the row is not dilated"
        ),
        "column not dilated": Fault(
            cross(lambda c, k, d: [line(c, (1, k), d), line(c, (k, 1), 1)]), "the column is not dilated"
        ),
        "no ReLU": Fault(cross(both, last=nn.Identity), "ReLU at the end is missing"),
        "ReLU in between": Fault(cross(both, between=nn.ReLU), "ReLU before the mixture"),
        "no first norm": Fault(cross(both, norm1=nn.Identity), "reads maps that are not normalised"),
        "no second norm": Fault(cross(both, norm2=nn.Identity), "mixture's output is not normalised"),
        "a fourth convolution": Fault(
            cross(lambda c, k, d: [*both(c, k, d), line(c, (1, k), d)]), "4 convolutions, expected three"
        ),
    },
    equivalent=EQUIVALENT,
    own={"the package's": DDSConv, "a brick inside": cross(lambda c, k, d: [*both(c, k, d), ConvNormAct(c, c)])},
)


def residual_dense(
    reads=lambda c, g, k: c + k * g,
    read=torch.cat,
    spread=lambda d: d,
    end=lambda c, g, n: nn.Conv2d(c + n * g, c, 1),
    add=torch.add,
    zero=True,
):
    """A class that differs from the solution in one of its parts."""

    class Block(nn.Module):
        def __init__(self, channels, growth_rate, dilations=(1, 2, 3)):
            super().__init__()
            self.layers = nn.ModuleList(
                DDSConv(reads(channels, growth_rate, k), growth_rate, d) for k, d in enumerate(spread(dilations))
            )
            self.end = end(channels, growth_rate, len(dilations))
            for weight in self.end.parameters() if zero else ():
                nn.init.zeros_(weight)

        def forward(self, features):
            seen = [features]
            for layer in self.layers:
                seen.append(layer(read(seen, dim=1)))
            everything = torch.cat(seen, dim=1)
            return add(features, self.end(everything[:, -_width(self.end) :]))

    return Block


def _width(end):
    return next(part.in_channels for part in end.modules() if isinstance(part, nn.Conv2d))


class NewestFirst(nn.Module):
    """Newest features first in the concatenation; layers in a loop that keeps the books itself."""

    def __init__(self, channels, growth_rate, dilations=(1, 2, 3)):
        super().__init__()
        self.fuse = nn.Conv2d(channels + growth_rate * len(dilations), channels, kernel_size=1, bias=False)
        self.fuse.weight.data.mul_(0)
        self.stages = nn.ModuleList()
        read = channels
        for dilation in dilations:
            self.stages.append(DDSConv(read, growth_rate, dilation=dilation))
            read += growth_rate

    def forward(self, x):
        state = x
        for stage in self.stages:
            state = torch.concat((stage(state), state), 1)
        return self.fuse(state) + x


def previous_only(seen, dim):
    return seen[-1]


RESIDUAL_DENSE = Cases(
    right={"newest first": NewestFirst, "a list of all, with bias": residual_dense()},
    wrong={
        "a chain": Fault(
            residual_dense(reads=lambda c, g, k: g if k else c, read=previous_only), "those of all earlier layers"
        ),
        "1x1 reads the new channels only": Fault(
            residual_dense(end=lambda c, g, n: nn.Conv2d(n * g, c, 1)), "at the end reads all"
        ),
        "1x1 reads the last layer only": Fault(
            residual_dense(end=lambda c, g, n: nn.Conv2d(g, c, 1)), "found one that reads"
        ),
        "no shortcut": Fault(residual_dense(add=lambda x, change: change), "the shortcut, which adds the input"),
        "no shortcut, not zero": Fault(residual_dense(add=lambda x, change: change, zero=False), "must start at 0"),
        "ReLU after the sum": Fault(
            residual_dense(add=lambda x, change: (x + change).relu()), "nothing may follow the sum"
        ),
        "not zero at first": Fault(residual_dense(zero=False), "must start at 0"),
        "correction squashed": Fault(
            residual_dense(end=lambda c, g, n: nn.Sequential(nn.Conv2d(c + n * g, c, 1), nn.ReLU())),
            "the block could then only ever add",
        ),
        "dilations ignored": Fault(residual_dense(spread=lambda d: [1] * len(d)), "the dilations have no effect"),
        "dilations backwards": Fault(residual_dense(spread=lambda d: d[::-1]), "from last to first"),
        "input added twice": Fault(residual_dense(add=lambda x, change: 2 * x + change), "it is added once"),
        "3x3 at the end": Fault(
            residual_dense(end=lambda c, g, n: nn.Conv2d(c + n * g, c, 3, padding=1)), "at the end reads all"
        ),
    },
    own={
        "the dense block": DenseBlock,
        "ConvNormAct at the end": residual_dense(end=lambda c, g, n: ConvNormAct(c, c)),
    },
)
