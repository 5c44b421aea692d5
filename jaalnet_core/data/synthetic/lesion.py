"""The lesion: its outline, as an expert would draw it, and the pigment inside.

A field grows from 0 in the lesion's middle over 1 on the outline and onwards; where it is below 1 is the
mask. The field's level is chosen by its quantile: a lesion fills exactly the share of the frame drawn for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from jaalnet_core.data.synthetic.noise import fractal_noise, plane, ridges, smooth_noise, smooth_step
from jaalnet_core.data.synthetic.skin import BLOOD, Layer
from jaalnet_core.data.synthetic.tones import Tones
from jaalnet_core.size import Size

# Share of the frame that the lesion fills, at these quantiles of the 859 real training masks.
AREA_QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
AREAS = (0.010, 0.027, 0.039, 0.104, 0.211, 0.379, 0.733, 0.915, 0.94)


DEEP = np.array((0.85, 1.0, 1.1), dtype=np.float32)  # spectrum of pigment over pigment


@dataclass(frozen=True)
class Outline:
    """Where the lesion lies.

    Attributes:
        mask: `(H, W)` uint8, 1 inside the expert's outline.
        depth: `(H, W)` float32, 0 in the middle, 1 on the edge that the eye sees, more outside.
        radius: mean radius, as a fraction of the frame's height.
    """

    mask: np.ndarray
    depth: np.ndarray
    radius: float


def draw_outline(
    rng: np.random.Generator,
    size: Size,
    difficulty: float,
    open_view: np.ndarray | None,
    *,
    area: float | None = None,
) -> Outline:
    """Draw the lesion's shape in `open_view` `(H, W)` bool, what the ring leaves free; None: everything.

    `area` is the share of the view that it fills, 0..1; None: drawn as real lesions spread.
    """
    quantile = (
        rng.random() if difficulty >= 0.5 else rng.uniform(0.45 * (1 - 2 * difficulty), 1 - 0.2 * (1 - 2 * difficulty))
    )
    drawn_area = float(np.exp(np.interp(quantile, AREA_QUANTILES, np.log(AREAS))))
    area = drawn_area if area is None else area
    area = max(area, 16 / (size.height * size.width))
    radius = float(np.sqrt(area * (4 / 3) / np.pi))
    wild = (0.4 + 1.2 * difficulty) * (1 - 0.6 * min(area, 0.8))  # what fills the frame shows less of its shape
    field = _shape(rng, size, radius, wild)
    ragged = rng.gamma(2.0, 0.021) * wild
    fine = fractal_noise(rng, size, min(2.6 / radius, 32), octaves=4, gain=0.7)
    # Experts differ: some follow every tooth of the border, others draw a smooth line round it.
    follows = rng.choice((0.0, 0.5, 1.0), p=(0.35, 0.2, 0.45))
    drawn = field + np.float32(follows * ragged) * fine
    seen = drawn[open_view] if open_view is not None else drawn.reshape(-1)
    rank = min(max(int(area * seen.size), 8), seen.size - 2)
    level = np.partition(seen, rank)[rank]
    inside = drawn < level
    mask = _largest_part(inside if open_view is None else inside & open_view)
    depth = (field + np.float32(ragged) * fine) / np.float32(level)
    return Outline(mask, depth, radius)


def _shape(rng: np.random.Generator, size: Size, radius: float, wild: float) -> np.ndarray:
    """Distance from the middle in units of the lesion's own, direction-dependent radius. `(H, W)` float32."""
    x, y = plane(size)
    room = max(0.0, 0.5 - radius)
    centre_x = rng.normal(-0.02, 0.02 + 0.10 * room * 2)
    centre_y = rng.normal(0.0, 0.02 + 0.07 * room * 2)
    warp = np.float32(radius * rng.uniform(0.0, 0.16) * wild)
    bend = max(2.0, rng.uniform(0.6, 1.3) / radius)
    x = x - np.float32(centre_x) + warp * smooth_noise(rng, size, bend)
    y = y - np.float32(centre_y) + warp * smooth_noise(rng, size, bend)
    angle, stretch = rng.uniform(0, np.pi), np.exp(abs(rng.normal(0, 0.24)))
    filling = float(np.clip((radius - 0.25) / 0.25, 0, 1))  # a large lesion is photographed to fit the frame
    x = x * np.float32(1 - 0.2 * filling)
    stretch = stretch ** (1 - 0.6 * filling)
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along = (cosine * x + sine * y) / np.float32(stretch**0.5)
    across = (cosine * y - sine * x) * np.float32(stretch**0.5)
    field = _waves(rng, along, across, wild)
    if rng.random() < 0.22 * wild:  # a lobe on one side
        turn, reach, share = rng.uniform(0, 2 * np.pi), rng.uniform(0.4, 0.85), rng.uniform(0.4, 0.75)
        lobe = np.hypot(
            along - np.float32(radius * reach * np.cos(turn)),
            across - np.float32(radius * reach * np.sin(turn)),
        )
        field = np.minimum(field, lobe / np.float32(share))
    if rng.random() < 0.10 * wild:  # a notch, where pigment has gone
        turn, bite = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 0.6)
        hollow = np.hypot(
            along - np.float32(radius * 1.1 * np.cos(turn)), across - np.float32(radius * 1.1 * np.sin(turn))
        )
        field = field + np.float32(0.5) * np.maximum(np.float32(radius * bite) - hollow, 0)
    field /= np.float32(radius)
    field += np.float32(rng.uniform(0.0, 0.09) * wild) * fractal_noise(rng, size, max(2.0, 1.2 / radius), octaves=2)
    return field


def _waves(rng: np.random.Generator, along: np.ndarray, across: np.ndarray, wild: float) -> np.ndarray:
    """Radius divided by low waves around the outline: powers of (cos, sin), cheaper than an arctangent."""
    distance = np.sqrt(along * along + across * across) + np.float32(1e-6)
    cosine, sine = along / distance, across / distance
    real, imaginary = cosine, sine
    wave = np.ones_like(distance)
    for order in range(2, 7):
        real, imaginary = real * cosine - imaginary * sine, real * sine + imaginary * cosine
        a, b = rng.normal(0, 0.09 * wild / order, size=2)
        wave += np.float32(a) * real + np.float32(b) * imaginary
    return distance / np.maximum(wave, np.float32(0.35))


def _largest_part(mask: np.ndarray) -> np.ndarray:
    """The largest connected part, its holes filled: an expert draws one closed line."""
    contours, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(mask.shape, dtype=np.uint8)
    cv2.drawContours(filled, [max(contours, key=cv2.contourArea)], -1, 1, thickness=cv2.FILLED)
    return filled


def lesion_layers(
    rng: np.random.Generator, size: Size, outline: Outline, tones: Tones, difficulty: float
) -> list[Layer]:
    """Pigment, other tones, network and globules of the lesion, and redness around it, as absorption."""
    wild = 0.4 + 1.2 * difficulty
    spectrum = np.log(tones.skin / tones.lesion)
    spectrum *= 1 + rng.uniform(0, 0.5) * np.exp(-spectrum.max())  # a fading border takes most from the pale ones
    softness = rng.uniform(0.06, 0.12 + 0.5 * difficulty) + rng.uniform(0.01, 0.03) / outline.radius
    if rng.random() < 0.2:  # pigment that fades all the way from the middle
        softness += rng.uniform(0.2, 0.5)
    depth = outline.depth
    if rng.random() < 0.25:
        depth = depth + np.float32(rng.uniform(0.04, 0.12) * wild) * _streaks(rng, size, outline.mask)
    margin = rng.normal(0.025, 0.03 * wild) - (rng.uniform(0, 0.2) if rng.random() < 0.3 * difficulty else 0)
    opacity = smooth_step((1 + np.float32(margin) - depth) / np.float32(softness))
    density = 1 + np.float32(rng.normal(0.25, 0.25 * wild)) * (0.6 - depth)
    scale = rng.uniform(1.0, 2.5) / max(outline.radius, 0.1)
    density += np.float32(rng.gamma(3.0, 0.055 * wild)) * fractal_noise(rng, size, scale, octaves=5, gain=0.75)
    if rng.random() < 0.45:
        meshes = ridges(fractal_noise(rng, size, rng.uniform(14, 30), octaves=2, gain=0.4), rng.uniform(0.3, 0.6))
        density += np.float32(rng.uniform(0.1, 0.4) * wild) * meshes
    if rng.random() < 0.35:
        globules = smooth_step((smooth_noise(rng, size, rng.uniform(14, 45)) - 1.1) * 2)
        density += np.float32(rng.uniform(0.15, 0.7) * wild) * globules
    density = opacity * np.maximum(density, np.float32(0.08))
    layers = []
    for tone in tones.secondary:
        patch = fractal_noise(rng, size, rng.uniform(0.7, 1.8) / max(outline.radius, 0.1), octaves=3)
        share = smooth_step((patch - np.float32(rng.uniform(-0.2, 1.0))) * np.float32(rng.uniform(0.3, 0.9)))
        layers.append((density * share, np.log(tones.skin / tone)))
        density = density * (1 - share)
    excess = np.maximum(density - 1, 0)  # the more pigment, the browner and blacker: not a deeper red
    layers += [(density - excess, spectrum), (excess, spectrum.mean() * DEEP)]
    if rng.random() < 0.25 * wild:  # a red rim, which the outline leaves out
        rim = np.exp(-(((outline.depth - np.float32(1.0)) / np.float32(rng.uniform(0.15, 0.5))) ** 2))
        layers.append((np.float32(rng.uniform(0.03, 0.14)) * rim, BLOOD))
    return layers


def _streaks(rng: np.random.Generator, size: Size, mask: np.ndarray) -> np.ndarray:
    """Noise that runs outwards from the middle, as radial streaks and pseudopods do. `(H, W)` float32."""
    x, y = plane(size)
    centre_x, centre_y = x[mask > 0].mean(), y[mask > 0].mean()
    across = x - centre_x
    down = y - centre_y
    spokes = int(rng.integers(24, 60))
    lattice = rng.standard_normal((4, spokes), dtype=np.float32)
    turn = cv2.phase(across, down) * np.float32(spokes / (2 * np.pi))
    outwards = cv2.magnitude(across, down) * np.float32(6)
    return cv2.remap(lattice, turn, outwards, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
