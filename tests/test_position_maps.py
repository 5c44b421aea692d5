"""Position maps are tested by their data: which position a pixel belongs to, and what is counted on a known map."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from module_cases import randomised

from jaalnet_core.da_net import STRIDE, build_da_net, pair
from jaalnet_core.position_maps import (
    PositionMaps,
    in_words,
    look_from,
    position_maps,
    position_of_pixel,
    telling_pixels,
)


def made_maps(weights: np.ndarray, mask: np.ndarray) -> PositionMaps:
    grid = tuple(-(-side // STRIDE) for side in mask.shape)
    return PositionMaps(weights.astype(np.float32), grid, np.zeros((*mask.shape, 3), np.uint8), mask.astype(np.float32))


def half_mask(side: int = 32) -> np.ndarray:
    mask = np.zeros((side, side), np.float32)
    mask[:, : side // 2] = 1
    return mask


@given(row=st.integers(0, 47), column=st.integers(0, 63))
def test_a_pixel_belongs_to_the_position_that_covers_it(row: int, column: int) -> None:
    numbers = np.arange(6 * 8).reshape(6, 8).repeat(STRIDE, axis=0).repeat(STRIDE, axis=1)
    assert position_of_pixel((row, column), (6, 8)) == numbers[row, column]


@pytest.mark.parametrize("pixel", [(-1, 0), (0, -1), (48, 0), (0, 64)])
def test_a_pixel_outside_is_refused(pixel: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"expected 0 to 47 and 0 to 63"):
        position_of_pixel(pixel, (6, 8))


@pytest.mark.parametrize("size", [(32, 48), (44, 37)])
def test_the_weights_are_those_of_the_network_s_own_attention(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    da_net = randomised(build_da_net("tiny"))
    generator = np.random.default_rng(0)
    picture = generator.integers(0, 256, (*size, 3), dtype=np.uint8)
    mask = (generator.random(size) > 0.5).astype(np.uint8)
    maps = position_maps(da_net, picture, mask)
    assert maps.grid == tuple(-(-side // 8) for side in size)

    # an explicit attention that uses these weights gives what the network gives
    image = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    seen: dict[str, torch.Tensor] = {}
    attention = da_net.position_branch[-1]
    handle = attention.register_forward_hook(lambda _m, inputs, out: seen.update(before=inputs[0], after=out))
    with torch.no_grad():
        da_net(pair(image, torch.from_numpy(mask)[None, None].float()))
    handle.remove()
    value = attention.value(seen["before"]).flatten(2)[0].T
    mixed = torch.from_numpy(maps.weights) @ value
    expected = (seen["after"] - seen["before"]).flatten(2)[0].T / attention.gamma
    torch.testing.assert_close(mixed, expected, atol=1e-4, rtol=1e-4)


def test_recording_leaves_no_hook_behind() -> None:
    da_net = build_da_net("tiny").eval()
    position_maps(da_net, np.zeros((32, 32, 3), np.uint8), half_mask())
    assert not da_net.position_branch[-1]._forward_pre_hooks


def test_even_attention_is_split_by_area() -> None:
    look = look_from(made_maps(np.full((16, 16), 1 / 16), half_mask()), (0, 0))
    assert look.lesion_weight == pytest.approx(0.5)
    assert look.lesion_area == pytest.approx(0.5)
    assert look.ring_weight == pytest.approx(look.ring_area)
    assert look.half_on == 8
    assert look.moved == pytest.approx(0)
    assert look.on_lesion


def test_a_map_on_one_position_is_counted_there() -> None:
    weights = np.full((16, 16), 1 / 16)
    weights[3] = 0
    weights[3, 2] = 1  # the rightmost position of the first row looks at the first one beside the lesion
    look = look_from(made_maps(weights, half_mask()), (0, 31))
    assert look.position == 3
    assert not look.on_lesion
    assert look.map[0, 2] == 1
    assert (look.lesion_weight, look.ring_weight, look.half_on) == (0, 1, 1)
    average = weights.mean(axis=0)
    assert look.moved == pytest.approx(1 - average[2])
    assert look.difference.sum() == pytest.approx(0, abs=1e-6)
    words = in_words(look)
    assert "position 3, on the skin: the lesion gets 0.0%" in words
    assert "gets 100.0%" in words
    assert "on 1 of 16 positions" in words


def test_an_empty_mask_has_no_ring() -> None:
    look = look_from(made_maps(np.full((16, 16), 1 / 16), np.zeros((32, 32))), (31, 31))
    assert (look.lesion_weight, look.ring_weight, look.ring_area) == (0, 0, 0)


def test_a_picture_that_fills_no_whole_position_is_padded() -> None:
    mask = np.ones((36, 36))
    look = look_from(made_maps(np.full((25, 25), 1 / 25), mask), (35, 35))
    assert look.lesion_weight == pytest.approx(1)
    assert look.position == 24
    assert look_from(made_maps(np.full((25, 25), 1 / 25), mask), (39, 39)).on_lesion  # the padding repeats the border


def test_telling_pixels_lie_deep_inside_on_the_border_and_far_outside() -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[20:41, 8:29] = 1
    inside, border, outside = telling_pixels(mask)
    assert inside == (30, 18)
    assert mask[border]
    assert not mask[border[0] - 1 : border[0] + 2, border[1] - 1 : border[1] + 2].all()
    assert not mask[outside]
    assert outside[1] > 40  # the wide side, and not in a corner
    assert all(4 < part < 60 for part in outside)


@pytest.mark.parametrize("value", [0, 1])
def test_telling_pixels_of_an_empty_or_full_mask_are_still_pixels(value: int) -> None:
    pixels = telling_pixels(np.full((32, 40), value, np.uint8))
    assert all(0 <= row < 32 and 0 <= column < 40 for row, column in pixels)


def test_one_pixel_is_inside_and_border_at_once() -> None:
    mask = np.zeros((32, 32), np.uint8)
    mask[10, 12] = 1
    inside, border, _outside = telling_pixels(mask)
    assert inside == border == (10, 12)
