"""Disturbances change what they say, and nothing at their neutral value."""

from __future__ import annotations

import numpy as np
import pytest

from jaalnet_core.data.disturbances import blur, brighten, compress, grow_hair, in_view, turn, warm
from jaalnet_core.size import Size


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


@pytest.mark.parametrize(("disturb", "neutral"), [(brighten, 1), (blur, 0), (warm, 0)])
def test_the_neutral_value_changes_nothing_and_gives_a_copy(picture, disturb, neutral) -> None:
    result = disturb(picture, neutral)
    assert np.array_equal(result, picture)
    assert not np.shares_memory(result, picture)


def test_brightness_multiplies_and_stops_at_white() -> None:
    grey = np.array([[[10, 100, 200]]], np.uint8)
    assert brighten(grey, 2).tolist() == [[[20, 200, 255]]]
    assert brighten(grey, 0.5).tolist() == [[[5, 50, 100]]]


def test_blur_keeps_the_mean_and_takes_the_detail(picture) -> None:
    softer = blur(picture, 5)
    assert softer.mean() == pytest.approx(picture.mean(), abs=2)
    assert softer.std() < picture.std() / 3


def test_blur_is_the_same_at_every_size() -> None:
    edge = np.zeros((100, 100, 3), np.uint8)
    edge[:, 50:] = 255
    large = blur(edge.repeat(2, 0).repeat(2, 1), 4)[::2, ::2]
    assert np.abs(large.astype(int) - blur(edge, 4)).max() < 12


def test_warmth_turns_red_up_and_blue_down() -> None:
    grey = np.full((1, 1, 3), 100, np.uint8)
    assert warm(grey, 0.5).tolist() == [[[125, 100, 75]]]
    assert warm(grey, -0.5).tolist() == [[[75, 100, 125]]]


@pytest.mark.parametrize(("disturb", "wrong"), [(brighten, -1), (blur, -0.1), (warm, 1.5), (compress, 0)])
def test_a_value_outside_the_range_is_named(picture, disturb, wrong) -> None:
    with pytest.raises(ValueError, match=f"found {wrong}"):
        disturb(picture, wrong)


def test_compression_is_jpegs_and_keeps_the_order_of_the_colours() -> None:
    red = np.zeros((40, 60, 3), np.uint8)
    red[..., 0] = 200
    assert np.abs(compress(red, 90).astype(int) - red).max() < 6


def test_lower_quality_is_further_from_the_picture(picture) -> None:
    errors = [np.abs(compress(picture, quality).astype(int) - picture).mean() for quality in (95, 50, 10)]
    assert 0 < errors[0] < errors[1] < errors[2]


# ---- hair ----


def test_hair_depends_on_the_pictures_id_and_on_nothing_else() -> None:
    skin = np.full((96, 128, 3), 180, np.uint8)
    first = grow_hair(skin, 20, "ISIC_0000003")
    np.random.default_rng().random(100)
    assert np.array_equal(first, grow_hair(skin, 20, "ISIC_0000003"))
    assert not np.array_equal(first, grow_hair(skin, 20, "ISIC_0000012"))
    assert (skin == 180).all()


def test_more_hairs_are_the_same_ones_and_further_ones() -> None:
    skin = np.full((128, 128, 3), 180, np.uint8)
    few, many = (np.abs(grow_hair(skin, hairs, "dark").astype(int) - skin).max(2) > 8 for hairs in (10, 60))
    assert 0 < few.mean() < many.mean() < 0.5
    assert (few & ~many).mean() < 0.001


def test_hair_keeps_its_colour_when_there_is_more_of_it() -> None:
    skin = np.full((128, 128, 3), 180, np.uint8)
    for id in "abcd":
        few, many = (grow_hair(skin, hairs, id) for hairs in (10, 30))
        drawn = np.abs(few.astype(int) - skin).max(2) > 8
        assert (few == many).all(2)[drawn].mean() > 0.7, id  # all but where another hair crosses


def test_no_hair_is_a_copy_and_a_number_outside_the_range_is_named(picture) -> None:
    assert np.array_equal(grow_hair(picture, 0, "a"), picture)
    assert not np.shares_memory(grow_hair(picture, 0, "a"), picture)
    with pytest.raises(ValueError, match="hairs: found 501, expected 0 to 500"):
        grow_hair(picture, 501, "a")


# ---- rotation ----


def test_a_quarter_turn_moves_every_pixel_and_invents_none(picture) -> None:
    square = picture[:, :40]
    assert np.array_equal(turn(square, 90), np.rot90(square))
    assert in_view(Size(40, 40), 90).all()
    assert np.array_equal(turn(picture, 0), picture)


def test_only_photograph_is_in_view() -> None:
    """A picture of ones, turned onto black: what is in view is one everywhere, what is not was touched by the black."""
    for degrees in (15, 45, 200):
        view = in_view(Size(64, 96), degrees)
        ones = np.ones((3 * 64, 3 * 96), np.float32)
        ones[:64], ones[128:], ones[:, :96], ones[:, 192:] = 0, 0, 0, 0
        seen = turn(ones, degrees)[64:128, 96:192]  # the middle of a larger frame turns about the same point
        assert (seen[view] > 0.98).all()
        assert (seen[~view] < 0.999).all()
        assert 0.5 < view.mean() < 0.95


def test_picture_and_mask_turn_together() -> None:
    mask = np.zeros((64, 64), np.float32)
    mask[10:20, 30:50] = 1
    picture = (mask[..., None] * [255, 255, 255]).astype(np.uint8)
    assert np.abs(turn(picture, 30)[..., 0] / 255 - turn(mask, 30)).max() < 0.01
