"""Controlled pictures: one dial changes one thing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from jaalnet_core.data.synthetic.controlled import Dials, controlled_arrays, faded, make_controlled
from jaalnet_core.data.synthetic.noise import stream
from jaalnet_core.data.synthetic.tones import draw_tones
from jaalnet_core.errors import SettingsError
from jaalnet_core.size import Size

SMALL = Size(96, 96)


def contrast(picture: np.ndarray, mask: np.ndarray) -> float:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(float)
    around = cv2.dilate(mask, np.ones((11, 11), np.uint8)).astype(bool) & (mask == 0)
    return grey[around].mean() - grey[mask > 0].mean()


def test_the_same_call_gives_the_same_bytes():
    first, second = (make_controlled(1, 4, SMALL, Dials(hairs=20)) for _ in range(2))
    assert np.array_equal(first.picture, second.picture)
    assert np.array_equal(first.mask, second.mask)


def test_hair_changes_the_picture_where_it_lies_and_never_the_mask():
    for index in range(5):
        clean, hairy = (make_controlled(0, index, SMALL, Dials(hairs=hairs)) for hairs in (0, 12))
        assert np.array_equal(clean.mask, hairy.mask)
        moved = np.abs(clean.picture.astype(int) - hairy.picture.astype(int)).max(axis=2) > 12
        assert 0 < moved.mean() < 0.5


def test_more_hair_covers_more():
    def covered(hairs: int) -> float:
        pairs = [
            [make_controlled(0, i, SMALL, Dials(hairs=h)).picture.astype(int) for h in (0, hairs)] for i in range(6)
        ]
        return np.mean([(np.abs(a - b).max(axis=2) > 12).mean() for a, b in pairs])

    assert covered(10) < covered(60) < covered(300)


def test_contrast_fades_the_lesion_alone():
    for index in range(5):
        strong, weak = (make_controlled(0, index, SMALL, Dials(contrast=c)) for c in (1.0, 0.2))
        assert np.array_equal(strong.mask, weak.mask)
        assert contrast(weak.picture, weak.mask) < 0.5 * contrast(strong.picture, strong.mask)
        far = cv2.dilate(strong.mask, np.ones((25, 25), np.uint8)) == 0
        assert np.abs(strong.picture[far].astype(int) - weak.picture[far].astype(int)).mean() < 3


def test_faded_tones_keep_the_skin():
    tones = draw_tones(stream(0, 3, 0), 0.5)
    assert np.allclose(faded(tones, 1.0).lesion, tones.lesion, atol=1e-6)
    assert np.allclose(faded(tones, 0.0).lesion, tones.skin, atol=1e-6)
    assert np.array_equal(faded(tones, 0.3).skin, tones.skin)
    halfway = np.sqrt(tones.skin * tones.lesion)  # half the absorption
    assert np.allclose(faded(tones, 0.5).lesion, halfway, atol=1e-5)


@pytest.mark.parametrize("area", [0.02, 0.2, 0.6, 0.9])
def test_the_lesion_fills_the_share_asked_for(area):
    shares = [make_controlled(0, index, SMALL, Dials(area=area)).mask.mean() for index in range(8)]
    assert np.mean(shares) == pytest.approx(area, rel=0.12)


def test_a_lesion_that_fills_the_frame_touches_its_border():
    mask = make_controlled(0, 0, SMALL, Dials(area=0.9)).mask
    assert np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]).mean() > 0.2


def test_arrays_are_the_pictures_and_keep_their_ids():
    dials = Dials(contrast=0.5)
    arrays = controlled_arrays(3, SMALL, seed=2, dials=dials)
    assert arrays.ids == controlled_arrays(3, SMALL, seed=2).ids
    for index in range(3):
        scene = make_controlled(2, index, SMALL, dials)
        assert np.array_equal(arrays.images[index], scene.picture)
        assert np.array_equal(arrays.masks[index], scene.mask)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("hairs", -1), ("hairs", 501), ("contrast", 2.1), ("area", 0.0), ("area", 1.0), ("difficulty", 2)],
)
def test_dials_have_ends(setting, value):
    with pytest.raises(SettingsError, match=setting):
        Dials(**{setting: value})


def test_impossible_requests_are_named():
    with pytest.raises(SettingsError, match="count"):
        controlled_arrays(0)
    with pytest.raises(SettingsError, match="32"):
        make_controlled(0, 0, Size(16, 16))
