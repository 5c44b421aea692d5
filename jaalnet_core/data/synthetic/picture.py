"""One synthetic picture and its mask, from the light on the skin to the JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jaalnet_core.data.synthetic import artefacts
from jaalnet_core.data.synthetic.camera import photograph
from jaalnet_core.data.synthetic.lesion import draw_outline, lesion_layers
from jaalnet_core.data.synthetic.noise import stream
from jaalnet_core.data.synthetic.skin import light, skin_layers
from jaalnet_core.data.synthetic.tones import draw_tones
from jaalnet_core.errors import SettingsError
from jaalnet_core.size import SMALLEST_SIDE, Size

Difficulty = float | tuple[float, float]
DEFAULT_SIZE = Size(256, 256)
_DIFFICULTY, _TONES, _SKIN, _SHAPE, _PIGMENT, _RING, _ARTEFACTS, _CAMERA = range(8)


@dataclass(frozen=True)
class Scene:
    """A synthetic picture with what is known about it.

    Attributes:
        picture: `(H, W, 3)` uint8 RGB.
        mask: `(H, W)` uint8, 1 inside the lesion's outline.
        covered: `(H, W)` bool, where the dermoscope's ring or a sticker hides the skin; never lesion.
        difficulty: what this picture drew, 0..1.
    """

    picture: np.ndarray
    mask: np.ndarray
    covered: np.ndarray
    difficulty: float


def check_difficulty(difficulty: Difficulty) -> tuple[float, float]:
    """The lowest and highest difficulty meant by one number or a pair.

    Raises:
        SettingsError: outside 0..1, or the pair is the wrong way round.
    """
    low, high = difficulty if isinstance(difficulty, tuple) else (difficulty, difficulty)
    if not 0 <= low <= high <= 1:
        raise SettingsError(
            f"difficulty: found {difficulty}, expected a number from 0 (clear) to 1 (all the trouble), "
            "or two with the smaller one first."
        )
    return float(low), float(high)


def make_scene(seed: int, index: int, size: Size = DEFAULT_SIZE, difficulty: Difficulty = 0.5) -> Scene:
    """Draw picture `index` of the set `seed`; see `make_picture`."""
    size = Size(*size)
    if min(seed, index) < 0:
        raise SettingsError(f"seed and index: found {seed} and {index}, expected whole numbers from 0 up.")
    if min(size) < SMALLEST_SIDE:
        raise SettingsError(f"size: found {size}, expected sides of at least {SMALLEST_SIDE} pixels.")
    low, high = check_difficulty(difficulty)
    hard = low + (high - low) * stream(seed, index, _DIFFICULTY).random()

    tones = draw_tones(stream(seed, index, _TONES), hard)
    ring_rng = stream(seed, index, _RING)
    ring = artefacts.draw_ring(ring_rng, size, hard)
    open_view = ring[1] if ring is not None else None
    outline = draw_outline(stream(seed, index, _SHAPE), size, hard, open_view)
    layers = skin_layers(stream(seed, index, _SKIN), size, hard)
    layers += lesion_layers(stream(seed, index, _PIGMENT), size, outline, tones, hard)
    scene = light(tones.skin, layers, size)

    rng = stream(seed, index, _ARTEFACTS)
    artefacts.add_ink(rng, scene, size, outline.mask, hard)
    artefacts.add_hairs(rng, scene, size, hard)
    artefacts.add_gel(rng, scene, size, hard)
    artefacts.add_reflections(rng, scene, size, hard)
    covered = artefacts.add_stickers(rng, scene, size, outline.mask, hard)
    artefacts.add_ruler(rng, scene, size, hard)
    if covered is None:
        covered = np.zeros(size, dtype=bool)
    if ring is not None:
        artefacts.apply_ring(ring_rng, scene, ring[0])
        covered |= ~ring[1]
    mask = outline.mask & ~covered
    picture = photograph(stream(seed, index, _CAMERA), scene, size, hard)
    return Scene(picture, mask, covered, hard)


def make_picture(
    seed: int, index: int, size: Size = DEFAULT_SIZE, difficulty: Difficulty = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """Draw picture `index` of the set `seed`: the same on every call, independent of all other pictures.

    Args:
        seed: which set, from 0 up.
        index: which picture, from 0 up.
        size: height and width, from 32 up. The scene is a 4:3 photograph, squashed to this size.
        difficulty: 0 (clear dark lesion, clean skin) to 1 (all the trouble); a pair: drawn per picture.

    Returns:
        picture `(H, W, 3)` uint8 RGB, and mask `(H, W)` uint8, 0 = skin, 1 = lesion, neither empty nor full.

    Raises:
        SettingsError: a setting outside its range.
    """
    scene = make_scene(seed, index, size, difficulty)
    return scene.picture, scene.mask
