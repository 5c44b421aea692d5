"""Colours of skin and lesion, drawn together, as the photographs show them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Tones:
    """What one picture is coloured with; every colour is `(3,)` float32 RGB in 0..1."""

    skin: np.ndarray
    lesion: np.ndarray
    secondary: tuple[np.ndarray, ...]


# Colour groups of the 859 ISBI2016 TRAINING pictures (k-means of the median CIE Lab of the skin around the
# lesion and of the change from skin to lesion): share of the pictures, skin, change, and their deviations.
STYLES = (
    (0.192, (68.4, 7.3, 10.2), (-8.2, 7.8, 11.0), (7.5, 4.5, 5.6), (5.0, 3.1, 5.2)),
    (0.151, (82.8, 0.7, 7.2), (-28.1, 18.7, 18.7), (8.8, 3.3, 4.1), (5.6, 3.3, 4.2)),
    (0.150, (71.3, 3.8, 1.6), (-17.9, 11.5, 20.9), (7.0, 3.8, 7.4), (6.2, 3.1, 4.3)),
    (0.127, (70.5, 2.5, 8.8), (-22.4, 13.3, 8.5), (7.9, 3.6, 5.4), (6.3, 3.1, 5.4)),
    (0.112, (77.6, 4.4, 3.4), (-45.2, 16.1, 13.5), (8.3, 5.1, 9.0), (6.7, 4.6, 5.6)),
    (0.106, (73.8, 14.5, 11.7), (-27.4, 15.7, 19.6), (7.1, 5.7, 5.8), (7.3, 3.3, 5.1)),
    (0.059, (85.1, 4.4, -0.1), (-39.1, 23.4, 29.7), (8.0, 5.3, 8.4), (8.3, 5.9, 6.4)),
    (0.056, (78.6, 8.9, 6.5), (-55.3, 5.2, 1.0), (8.5, 7.8, 8.6), (9.8, 6.2, 8.0)),
    (0.047, (68.7, 18.0, 24.4), (-26.7, 6.0, -1.8), (6.3, 7.1, 8.7), (9.6, 5.7, 9.3)),
)
# Fitzpatrick skin types I to VI under white light, CIE Lab.
FITZPATRICK = ((84, 6, 12), (78, 8, 15), (71, 10, 18), (60, 12, 21), (47, 13, 20), (33, 11, 14))
CLEAR = np.array((-38.0, 12.0, 14.0))  # what difficulty 0 draws the change of colour towards

# Other tones inside a lesion, as a change of CIE Lab from the lesion's own colour, and how often each is met.
SECONDARY = (
    (0.30, (-14, -1, -4)),  # dark brown
    (0.08, (-24, -8, -12)),  # nearly black
    (0.16, (-2, -8, -14)),  # blue-grey veil
    (0.16, (6, 6, -4)),  # pink, vascular
    (0.14, (14, -7, -8)),  # white: regression, scar
    (0.16, (10, -2, 4)),  # light brown
)


def lab_to_rgb(colours: np.ndarray) -> np.ndarray:
    """CIE Lab `(N, 3)` to RGB `(N, 3)` in 0.012..1 (never quite black: the skin model takes logarithms)."""
    lab = np.asarray(colours, dtype=np.float32).reshape(1, -1, 3).copy()
    lab[..., 0] = np.clip(lab[..., 0], 6, 98)
    return np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)[0], 0.012, 1)


def draw_tones(rng: np.random.Generator, difficulty: float) -> Tones:
    """Draw skin, lesion and secondary tones that belong together.

    Most pictures follow the groups of the real set; a share that grows with the difficulty takes any
    Fitzpatrick type, and a few show a lesion lighter than its skin.
    """
    weights = np.array([style[0] for style in STYLES])
    style = STYLES[rng.choice(len(STYLES), p=weights / weights.sum())]
    skin = rng.normal(style[1], style[3])
    skin[1] = max(skin[1] + 0.35 * (skin[2] - style[1][2]), -1.0)  # a and b vary together; skin is never green
    change = rng.normal(style[2], np.multiply(style[4], 0.85))
    any_skin, unusual = rng.random(2)
    if any_skin < 0.25 * difficulty:
        skin = rng.normal(FITZPATRICK[rng.integers(6)], (4, 3, 4))
        change[0] = max(change[0], 16 - skin[0])
    if unusual < 0.02 * difficulty:
        change = np.array((rng.uniform(2, 14), rng.uniform(-4, 12), rng.uniform(-10, 6)))
    elif unusual > 1 - 0.07 * difficulty:  # pink, hardly darker than the skin
        change = np.array((rng.uniform(-12, -2), rng.uniform(6, 16), rng.uniform(-3, 8)))
    if difficulty < 0.5:
        change = change + (1 - 2 * difficulty) * (CLEAR - change) * 0.8
    else:
        change = change * (1 - 0.5 * (difficulty - 0.5))
    lesion = skin + change
    lesion[0] = max(lesion[0], 18)
    count = int(rng.choice(4, p=(0.25, 0.35, 0.27, 0.13)))
    shares = np.array([tone[0] for tone in SECONDARY])
    chosen = rng.choice(len(SECONDARY), size=count, replace=False, p=shares / shares.sum())
    strength = rng.uniform(0.5, 1.3, size=count) * (0.4 + 1.2 * difficulty)
    secondary = [lesion + s * np.array(SECONDARY[i][1]) for i, s in zip(chosen, strength, strict=True)]
    colours = lab_to_rgb(np.array([skin, lesion, *secondary]))
    return Tones(colours[0], colours[1], tuple(colours[2:]))
