"""Pictures that differ in one thing: the same skin and the same lesion with more hair, less contrast, or more of it.

    clean, hairy = (make_controlled(0, 7, dials=Dials(hairs=hairs)) for hairs in (0, 60))

Every part of a picture has its own stream of random numbers, so turning one dial leaves all the others as they
were. A score that changes along such a series changes because of that dial, which no collection of photographs
can promise. What it says of real photographs is another question: hair of this generator is not hair.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.synthetic.artefacts import draw_hairs
from jaalnet_core.data.synthetic.camera import photograph
from jaalnet_core.data.synthetic.lesion import draw_outline, lesion_layers
from jaalnet_core.data.synthetic.noise import stream
from jaalnet_core.data.synthetic.picture import DEFAULT_SIZE, Scene
from jaalnet_core.data.synthetic.skin import light, skin_layers
from jaalnet_core.data.synthetic.tones import Tones, draw_tones
from jaalnet_core.errors import SettingsError
from jaalnet_core.size import SMALLEST_SIDE, Size

MOST_HAIRS = 500
_TONES, _SKIN, _SHAPE, _PIGMENT, _HAIRS, _HAIR_COLOUR, _CAMERA = range(
    100, 107
)  # apart from the streams of `make_scene`


@dataclass(frozen=True)
class Dials:
    """What a controlled picture shows.

    Attributes:
        hairs: their number, 0 to 500.
        contrast: how far the lesion's colours stand off the skin: 1 as drawn, 0 not at all, 2 at most.
        area: share of the frame that the lesion fills, 0.005 to 0.95.
        difficulty: of everything else: tones, skin, border and camera, 0 to 1.
    """

    hairs: int = 0
    contrast: float = 1.0
    area: float = 0.2
    difficulty: float = 0.25

    def __post_init__(self) -> None:
        for name, low, high in (
            ("hairs", 0, MOST_HAIRS),
            ("contrast", 0.0, 2.0),
            ("area", 0.005, 0.95),
            ("difficulty", 0.0, 1.0),
        ):
            if not low <= getattr(self, name) <= high:
                raise SettingsError(f"{name}: found {getattr(self, name)}, expected {low} to {high}.")


def make_controlled(seed: int, index: int, size: Size = DEFAULT_SIZE, dials: Dials | None = None) -> Scene:
    """Draw picture `index` of the set `seed` as the dials say, without rings, stickers, rulers, ink and gel.

    Args:
        seed, index: from 0 up; the same pair is the same skin and lesion at every setting of the dials.
        size: height and width, from 32 up.
        dials: the clean picture unless given.

    Returns:
        The scene; its mask does not depend on hairs and contrast, and nothing is covered.

    Raises:
        SettingsError: a setting outside its range.
    """
    dials, size = dials or Dials(), Size(*size)
    if min(seed, index) < 0 or min(size) < SMALLEST_SIDE:
        raise SettingsError(
            f"seed {seed}, index {index}, size {size}: expected numbers from 0 up, and sides of at least "
            f"{SMALLEST_SIDE} pixels."
        )
    hard = dials.difficulty
    tones = faded(draw_tones(stream(seed, index, _TONES), hard), dials.contrast)
    outline = draw_outline(stream(seed, index, _SHAPE), size, hard, None, area=dials.area)
    layers = skin_layers(stream(seed, index, _SKIN), size, hard)
    layers += lesion_layers(stream(seed, index, _PIGMENT), size, outline, tones, hard)
    scene = light(tones.skin, layers, size)
    if dials.hairs:
        draw_hairs(stream(seed, index, _HAIRS), scene, size, dials.hairs, stream(seed, index, _HAIR_COLOUR))
    picture = photograph(stream(seed, index, _CAMERA), scene, size, hard)
    return Scene(picture, outline.mask, np.zeros(size, dtype=bool), hard)


def controlled_arrays(
    count: int, size: Size = DEFAULT_SIZE, *, seed: int = 0, dials: Dials | None = None
) -> LesionArrays:
    """The first `count` controlled pictures of a set, with ids that are the same at every setting of the dials.

    Returns:
        `LesionArrays` of `count` pictures of `size`.

    Raises:
        SettingsError: a setting outside its range.
    """
    if count < 1:
        raise SettingsError(f"count: found {count}, expected at least one picture.")
    scenes = [make_controlled(seed, index, size, dials) for index in range(count)]
    return LesionArrays(
        tuple(f"controlled_{index:04d}" for index in range(count)),
        np.stack([scene.picture for scene in scenes]),
        np.stack([scene.mask for scene in scenes]),
    )


def faded(tones: Tones, contrast: float) -> Tones:
    """The same skin, with the lesion's colours `contrast` times as far from it in absorption (log of light)."""

    def moved(colour: np.ndarray) -> np.ndarray:
        return np.clip(tones.skin * (colour / tones.skin) ** np.float32(contrast), 0.004, 1).astype(np.float32)

    return Tones(tones.skin, moved(tones.lesion), tuple(moved(colour) for colour in tones.secondary))
