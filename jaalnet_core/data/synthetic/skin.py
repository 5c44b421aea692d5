"""Skin: light, melanin and blood as maps of absorption (Beer-Lambert), so that all of it darkens together.

The picture is `exp(log(colour) - sum of map * spectrum)`: a map `(H, W)` says how much of a pigment lies
under a pixel, its spectrum `(3,)` how strongly it takes red, green and blue.
"""

from __future__ import annotations

import numpy as np

from jaalnet_core.data.synthetic.noise import (
    fractal_noise,
    oriented_noise,
    plane,
    ridges,
    smooth_noise,
    smooth_step,
)
from jaalnet_core.size import Size

Layer = tuple[np.ndarray, np.ndarray]  # map (H, W), spectrum (3,)

SHADE = np.array((1.0, 1.0, 1.0), dtype=np.float32)
MELANIN = np.array((0.45, 0.8, 1.2), dtype=np.float32)
BLOOD = np.array((0.15, 1.0, 0.75), dtype=np.float32)


def light(colour: np.ndarray, layers: list[Layer], size: Size) -> np.ndarray:
    """What skin of `colour` `(3,)` gives back through all that absorbs: `(3, H, W)` float32 RGB in 0..1."""
    scene = np.empty((3, *size), dtype=np.float32)
    for channel in range(3):
        scene[channel] = np.log(colour[channel])
        for amount, spectrum in layers:
            scene[channel] -= np.float32(spectrum[channel]) * amount
    return np.exp(np.minimum(scene, 0, out=scene), out=scene)


def skin_layers(rng: np.random.Generator, size: Size, difficulty: float) -> list[Layer]:
    """Light, mottling, redness, fine texture, pores, vessels and freckles of one picture."""
    trouble = 0.35 + 1.3 * difficulty  # 1 at difficulty 0.5
    layers = [(_light(rng, size, trouble), SHADE)]
    layers.append((rng.gamma(1.6, 0.011 * trouble) * fractal_noise(rng, size, rng.uniform(2, 7)), MELANIN))
    layers.append((rng.gamma(1.3, 0.011 * trouble) * fractal_noise(rng, size, rng.uniform(2, 12)), BLOOD))
    layers.append((_texture(rng, size, trouble), SHADE * rng.uniform(0.6, 1) + MELANIN * rng.uniform(0, 0.5)))
    if rng.random() < 0.3 * trouble:
        layers.append((_red_blotches(rng, size), BLOOD))
    if rng.random() < 0.28 * trouble:
        layers.append((_vessels(rng, size), BLOOD))
    if rng.random() < 0.08 * trouble:
        layers.append((_furrows(rng, size), BLOOD))
    if rng.random() < 0.25 * trouble:
        layers.append((_pores(rng, size), MELANIN))
    if rng.random() < 0.22 * trouble:
        layers.append((_freckles(rng, size), MELANIN))
    return layers


def _light(rng: np.random.Generator, size: Size, trouble: float) -> np.ndarray:
    """A lamp off the centre: a gradient and a fall-off towards the corners."""
    x, y = plane(size)
    slope = rng.normal(0, 0.06 * trouble, size=2)
    centre = rng.normal(0, 0.1, size=2)
    fall = rng.gamma(1.5, 0.16 * trouble)
    distance = (x - np.float32(centre[0])) ** 2 + (y - np.float32(centre[1])) ** 2
    return np.float32(slope[0]) * x + np.float32(slope[1]) * y + np.float32(fall) * (distance - np.float32(0.22))


def _texture(rng: np.random.Generator, size: Size, trouble: float) -> np.ndarray:
    """Skin lines in two directions, and grain."""
    angle = rng.uniform(0, np.pi)
    fine = rng.uniform(35, 90)
    lines = oriented_noise(rng, size, (fine * 0.25, fine), angle)
    lines += oriented_noise(rng, size, (fine * 0.3, fine), angle + rng.uniform(0.8, 2.0))
    grain = smooth_noise(rng, size, rng.uniform(30, 120))
    return np.float32(rng.gamma(2.0, 0.0035 * trouble)) * lines + np.float32(rng.gamma(2.0, 0.006 * trouble)) * grain


def _red_blotches(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Erythema: soft red islands anywhere."""
    islands = fractal_noise(rng, size, rng.uniform(2, 9), octaves=2)
    return np.float32(rng.uniform(0.05, 0.22)) * smooth_step((islands - np.float32(rng.uniform(0.0, 1.0))) * 0.55)


def _vessels(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Thin red lines, in patches."""
    scale = rng.uniform(6, 16)
    lines = ridges(fractal_noise(rng, size, scale, octaves=2), rng.uniform(0.1, 0.25))
    return np.float32(rng.uniform(0.08, 0.3)) * lines * smooth_step(smooth_noise(rng, size, 3) + 0.3)


def _furrows(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Pale lines that cross, where skin is folded."""
    angle, scale = rng.uniform(0, np.pi), rng.uniform(5, 12)
    lines = ridges(oriented_noise(rng, size, (scale * 0.4, scale), angle), 0.2)
    lines += ridges(oriented_noise(rng, size, (scale * 0.4, scale), angle + rng.uniform(0.9, 1.6)), 0.2)
    return np.float32(-rng.uniform(0.02, 0.09)) * lines


def _pores(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Small dark or light points."""
    points = smooth_noise(rng, size, rng.uniform(25, 60))
    return np.float32(rng.choice((-0.12, 0.15, 0.25))) * smooth_step((points - 1.7) * 1.5)


def _freckles(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Spots of pigment that are not the lesion: brown, a few percent of the frame across, few or many."""
    x, y = plane(size)
    field = np.zeros(size, dtype=np.float32)
    for _ in range(int(rng.integers(1, 9))):
        radius = rng.uniform(0.008, 0.05)
        centre_x, centre_y = rng.uniform(-0.65, 0.65), rng.uniform(-0.5, 0.5)
        reach = 2 * radius
        columns = _span(centre_x / (4 / 3) + 0.5, reach / (4 / 3), size.width)
        rows = _span(centre_y + 0.5, reach, size.height)
        window = (rows, columns)
        stretch = rng.uniform(0.7, 1.4)
        squared = ((x[window] - np.float32(centre_x)) * np.float32(stretch)) ** 2 + (
            (y[window] - np.float32(centre_y)) / np.float32(stretch)
        ) ** 2
        spot = np.exp(-((squared / np.float32(radius**2)) ** 2))
        field[window] = np.maximum(field[window], np.float32(rng.uniform(0.08, 0.5)) * spot)
    wobble = smooth_noise(rng, size, 30)
    return field * np.clip(1 + 0.4 * wobble, 0, 2)


def _span(centre: float, reach: float, length: int) -> slice:
    """The pixels within `reach` of `centre`, both as fractions of a side."""
    return slice(max(0, int((centre - reach) * length)), min(length, int((centre + reach) * length) + 2))
