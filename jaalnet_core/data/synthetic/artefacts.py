"""What stands between the lens and the skin: hairs, rulers, dermoscope rings, gel, stickers, ink.

Every function paints on `picture`, `(3, H, W)` float32 RGB in 0..1, in place.
"""

from __future__ import annotations

import cv2
import numpy as np

from jaalnet_core.data.synthetic.noise import FRAME_ASPECT, plane, smooth_noise, smooth_step
from jaalnet_core.size import Size

STICKER_COLOURS = (
    (0.42, 0.80, 0.76), (0.93, 0.13, 0.12), (0.95, 0.58, 0.12), (0.85, 0.82, 0.05), (0.10, 0.45, 0.75),
    (0.20, 0.65, 0.38), (0.96, 0.45, 0.38), (0.80, 0.82, 0.85), (0.45, 0.55, 0.62), (0.93, 0.93, 0.95),
)  # fmt: skip


def blend(picture: np.ndarray, alpha: np.ndarray, colour: np.ndarray | tuple[float, ...]) -> None:
    """Move the picture towards `colour` `(3,)` by `alpha` `(H, W)` in 0..1."""
    for channel, value in zip(picture, colour, strict=True):
        channel += alpha * (np.float32(value) - channel)


def draw_ring(rng: np.random.Generator, size: Size, difficulty: float) -> tuple[np.ndarray, np.ndarray] | None:
    """The dermoscope's dark ring, or None: what it lets through `(H, W)` 0..1, and the open view as bool."""
    if rng.random() >= 0.34 * difficulty:
        return None
    x, y = plane(size)
    radius = rng.uniform(0.6, 0.84) if rng.random() < 0.88 else rng.uniform(0.44, 0.6)
    centre = rng.normal(0, 0.02, size=2)
    distance = np.hypot(x - np.float32(centre[0]), y - np.float32(centre[1]))
    softness = rng.choice((0.012, 0.04, 0.12), p=(0.5, 0.3, 0.2)) * rng.uniform(0.6, 1.4)
    through = 1 - smooth_step((distance - np.float32(radius - softness)) / np.float32(softness))
    return through, distance < radius - 0.25 * softness


def apply_ring(rng: np.random.Generator, picture: np.ndarray, through: np.ndarray) -> None:
    """Darken what lies under the ring; it is black, or dark and tinted."""
    tint = rng.uniform(0, 0.03) + (rng.uniform(0, 0.22, size=3) * (1.0, 0.75, 0.6) if rng.random() < 0.25 else 0)
    blend(picture, 1 - through, np.broadcast_to(tint, 3))


def add_hairs(rng: np.random.Generator, picture: np.ndarray, size: Size, difficulty: float) -> None:
    """Hairs, a few or a tuft: thin curves, dark or light, some of them short stubble."""
    if rng.random() >= 0.85 * difficulty:
        return
    draw_hairs(rng, picture, size, int(rng.integers(1, 8)) if rng.random() < 0.75 else int(rng.integers(10, 45)))


def draw_hairs(
    rng: np.random.Generator, picture: np.ndarray, size: Size, count: int, paint: np.random.Generator | None = None
) -> None:
    """`count` hairs that grow in one direction, more or less, from anywhere.

    `paint` draws their colour, so that it need not change with their number; it is `rng` unless given.
    """
    scale = 2  # drawn at twice the size and shrunk: a hair is often thinner than a pixel
    canvas = np.zeros((size.height * scale, size.width * scale), dtype=np.uint8)
    direction, spread = rng.uniform(0, 2 * np.pi), rng.choice((0.25, 0.8, 3.0))
    thick = rng.uniform(0.8, 3.2) * size.height / 256
    stubble = rng.random() < 0.3
    steps = np.linspace(0, 1, 14)[:, None]
    for _ in range(count):
        start = rng.uniform((-0.7, -0.55), (0.7, 0.55))
        angle = direction + rng.normal(0, spread)
        length = rng.uniform(0.03, 0.12) if stubble else rng.uniform(0.15, 1.2)
        along = np.array((np.cos(angle), np.sin(angle)))
        side = np.array((-along[1], along[0]))
        middle = start + along * length / 2 + side * rng.normal(0, 0.18) * length
        curve = (1 - steps) ** 2 * start + 2 * steps * (1 - steps) * middle + steps**2 * (start + along * length)
        pixels = (curve / (FRAME_ASPECT, 1) + 0.5) * (size.width, size.height) * scale * 8
        width = max(1, round(thick * rng.uniform(0.6, 1.4)))
        cv2.polylines(canvas, [pixels.astype(np.int32)], False, int(rng.integers(140, 256)), width, cv2.LINE_AA, 3)
    alpha = cv2.resize(canvas, (size.width, size.height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    paint = paint or rng
    if paint.random() < 0.12:
        colour = np.array((0.85, 0.8, 0.72)) * paint.uniform(0.8, 1.1)
    else:
        colour = np.array((0.22, 0.15, 0.11)) * paint.uniform(0.2, 2.2)
    blend(picture, alpha * np.float32(paint.uniform(0.5, 1)), np.clip(colour, 0, 1))


def add_ruler(rng: np.random.Generator, picture: np.ndarray, size: Size, difficulty: float) -> None:
    """Scale ticks on an arc along the dermoscope's rim, or a straight ruler near an edge."""
    if rng.random() >= 0.45 * difficulty:
        return
    canvas = np.zeros((size.height * 2, size.width * 2), dtype=np.uint8)
    to_pixels = np.array((size.width / FRAME_ASPECT, size.height)) * 16
    middle = np.array((size.width, size.height)) * 8
    step, longest = rng.uniform(0.035, 0.07), rng.uniform(0.02, 0.05)
    width = max(1, round(rng.uniform(1, 2.6) * size.height / 256))
    if rng.random() < 0.7:
        radius, first, count = rng.uniform(0.5, 0.66), rng.uniform(1.5, 3.8), int(rng.integers(4, 14))
        angles = first + np.arange(count) * step / radius
        inner = np.stack([np.cos(angles), np.sin(angles)], 1)
        starts, ends = inner * radius, inner * (radius + longest)
    else:
        flat, offset = rng.random() < 0.7, rng.uniform(0.4, 0.47) * rng.choice((-1, 1))
        places = rng.uniform(-0.6, 0.0) + np.arange(int(rng.integers(8, 24))) * step / 2
        starts = np.stack([places, np.full_like(places, offset)], 1)
        lengths = np.where(np.arange(len(places)) % 5 == 0, longest, longest / 2)
        ends = starts + np.stack([np.zeros_like(places), -np.sign(offset) * lengths], 1)
        if not flat:
            starts, ends = starts[:, ::-1] * (1.35, 1), ends[:, ::-1] * (1.35, 1)
        if rng.random() < 0.4:
            spot = (
                int(size.width * rng.uniform(0.1, 1.5)),
                int(size.height * 2 * (0.97 if offset > 0 else 0.06)),
            )
            cv2.putText(canvas, "10 mm", spot, cv2.FONT_HERSHEY_SIMPLEX, size.height / 700, 255, width, cv2.LINE_AA)
    for start, end in zip(starts, ends, strict=True):
        a, b = ((point * to_pixels + middle).astype(int).tolist() for point in (start, end))
        cv2.line(canvas, a, b, 255, width, cv2.LINE_AA, 3)
    alpha = cv2.resize(canvas, (size.width, size.height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    blend(picture, alpha * np.float32(rng.uniform(0.6, 1)), np.full(3, rng.uniform(0, 0.2)))


def add_stickers(
    rng: np.random.Generator, picture: np.ndarray, size: Size, mask: np.ndarray, difficulty: float
) -> np.ndarray | None:
    """Coloured patches that reach in from an edge, clear of the lesion where there is room.

    Returns:
        what they cover, `(H, W)` bool, or None without stickers.
    """
    if rng.random() >= 0.44 * difficulty or mask.mean() > 0.35:
        return None
    x, y = plane(size)
    covered = np.zeros(size, dtype=bool)
    near = cv2.dilate(mask, np.ones((5, 5), np.uint8)).view(bool)
    for _ in range(1 if rng.random() < 0.7 else 2):
        for _ in range(8):  # a sticker over the lesion is tried elsewhere
            turn, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.22, 0.48)
            if rng.random() < 0.6:  # most reach in from the left or the right
                turn = rng.normal(0, 0.4) + np.pi * rng.integers(2)
            distance = rng.uniform(0.4, 0.56) + 0.35 * reach
            centre = np.clip((np.cos(turn) * distance * 1.3, np.sin(turn) * distance), (-0.75, -0.58), (0.75, 0.58))
            away = np.hypot((x - np.float32(centre[0])), y - np.float32(centre[1]))
            patch = away < reach
            if not (patch & near).any():
                break
        else:
            continue
        colour = np.array(STICKER_COLOURS[rng.integers(len(STICKER_COLOURS))]) * rng.uniform(0.75, 1.1)
        edge = np.clip((np.float32(reach) - away) * np.float32(size.height / 1.5), 0, 1)
        weave = smooth_noise(rng, size, 90)
        shade = 1 + np.float32(0.02) * weave + np.float32(rng.normal(0, 0.15)) * (x - np.float32(centre[0]))
        for channel, value in zip(picture, np.clip(colour, 0.02, 1), strict=True):
            channel += edge * (np.float32(value) * shade - channel)
        if rng.random() < 0.3:
            inner = np.clip((np.float32(reach * 0.5) - away) * np.float32(size.height / 1.5), 0, 1)
            blend(picture, inner, STICKER_COLOURS[rng.integers(len(STICKER_COLOURS))])
        covered |= patch
    return covered


def add_ink(rng: np.random.Generator, picture: np.ndarray, size: Size, mask: np.ndarray, difficulty: float) -> None:
    """A surgeon's pen: a broken violet band around the lesion, outside the mask."""
    if rng.random() >= 0.07 * difficulty or mask.mean() > 0.4:
        return
    away = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 3) / size.height
    band = np.exp(-(((away - np.float32(rng.uniform(0.07, 0.2))) / np.float32(rng.uniform(0.01, 0.03))) ** 2))
    grain = smooth_step(smooth_noise(rng, size, rng.uniform(40, 100)) + np.float32(rng.uniform(-0.4, 0.6)))
    arc = smooth_step(smooth_noise(rng, size, 2) * 2 + 0.5)
    colour = np.array((0.30, 0.28, 0.62)) * rng.uniform(0.5, 1.3)
    blend(picture, band * grain * arc * np.float32(rng.uniform(0.5, 0.95)), np.clip(colour, 0, 1))


def add_gel(rng: np.random.Generator, picture: np.ndarray, size: Size, difficulty: float) -> None:
    """Bubbles in the contact gel: faint rings, each with a highlight."""
    if rng.random() >= 0.25 * difficulty:
        return
    bright = np.zeros(size, dtype=np.uint8)
    dark = np.zeros(size, dtype=np.uint8)
    crowd = rng.uniform((-0.4, -0.4), (0.4, 0.4))
    for _ in range(int(rng.integers(2, 14))):
        place = (crowd + rng.normal(0, 0.22, size=2) + 0.5) * (size.width, size.height)
        radius = rng.gamma(2.0, 0.010) * size.height + 1
        axes = (max(1, int(radius / FRAME_ASPECT * 8)), max(1, int(radius * 8)))
        centre = (place * 8).astype(int).tolist()
        start = rng.uniform(0, 360)
        cv2.ellipse(dark, centre, axes, 0, start, start + 220, int(rng.integers(60, 170)), 1, cv2.LINE_AA, 3)
        cv2.ellipse(bright, centre, axes, 0, start + 200, start + 330, int(rng.integers(90, 230)), 1, cv2.LINE_AA, 3)
        spot = (place * 8 - radius * 3).astype(int).tolist()
        cv2.circle(bright, spot, max(2, int(radius * 1.2)), int(rng.integers(120, 255)), -1, cv2.LINE_AA, 3)
    blend(picture, dark.astype(np.float32) / 640, (0.2, 0.12, 0.1))
    blend(picture, bright.astype(np.float32) / 300, (1.0, 1.0, 1.0))


def add_reflections(rng: np.random.Generator, picture: np.ndarray, size: Size, difficulty: float) -> None:
    """Specular points, and the pale veil of a contact plate that catches the light."""
    if rng.random() < 0.2 * difficulty:
        points = smooth_noise(rng, size, rng.uniform(40, 110))
        near = smooth_step(smooth_noise(rng, size, 4) - 0.2)
        blend(
            picture,
            smooth_step((points - np.float32(rng.uniform(1.7, 2.6))) * 2) * near * 0.7,
            (1.0, 1.0, 1.0),
        )
    if rng.random() < 0.2 * difficulty:
        veil = smooth_step((smooth_noise(rng, size, rng.uniform(1.5, 4)) - 0.4) * 0.8)
        blend(picture, veil * np.float32(rng.uniform(0.08, 0.35)), np.array((0.93, 0.95, 1.0)))
