"""A picture size, and how a person writes it: `128`, or `192x160` as width x height."""

from __future__ import annotations

import re
from typing import NamedTuple

from jaalnet_core.errors import SettingsError

SMALLEST_SIDE = 32  # LF-Net halves four times; below 32 the bottleneck has a single position
LARGEST_SIDE = 4096  # a network's input above this is a slip of the pen, or a forged file's


class Size(NamedTuple):
    """Height and width in pixels, in the order of a tensor's last two dimensions."""

    height: int
    width: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @classmethod
    def parse(cls, text: str) -> Size:
        """Read `128` (square) or `192x160` (width x height, as picture viewers write it).

        Raises:
            SettingsError: the text is neither, or a side is below 32 or above 4096 pixels.
        """
        match = re.fullmatch(r"\s*(\d{1,9})(?:\s*[xX×]\s*(\d{1,9}))?\s*", text)
        if match is None:
            raise SettingsError(f"size: found {text!r}, expected a number such as 128 or WIDTHxHEIGHT such as 192x160.")
        width = int(match[1])
        height = int(match[2] or match[1])
        if min(width, height) < SMALLEST_SIDE:
            raise SettingsError(f"size: found {text!r}, expected sides of at least {SMALLEST_SIDE} pixels.")
        if max(width, height) > LARGEST_SIDE:
            raise SettingsError(f"size: found {text!r}, expected sides of at most {LARGEST_SIDE} pixels.")
        return cls(height, width)
