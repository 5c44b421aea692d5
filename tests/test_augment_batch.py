"""Augmentation of a whole batch: torchvision's own operations are the oracle, one picture at a time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as oracle

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.augment import COURSE, augment_pair, build_augmentation
from jaalnet_core.data.augment_batch import ON_DEVICE, augment_batch, draw, inverse_poses, move, recolour, turn_hue
from jaalnet_core.data.synthetic import make_arrays
from jaalnet_core.size import Size

SIZE = (32, 44)  # height and width differ: an axis taken for the other shows


@pytest.fixture(scope="module")
def lesions() -> LesionArrays:
    return make_arrays(48, Size(*SIZE), seed=3, progress=False)


def as_bytes(lesions: LesionArrays) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(lesions.images).permute(0, 3, 1, 2), torch.from_numpy(lesions.masks).unsqueeze(1)


def pictures(count: int, seed: int) -> torch.Tensor:
    return torch.rand(count, 3, *SIZE, generator=torch.Generator().manual_seed(seed))


between = st.floats(-1, 1, allow_nan=False, width=32)


@given(turn=between, x=between, y=between, zoom=between, lean_x=between, lean_y=between, seed=st.integers(0, 99))
def test_a_pose_is_torchvisions(turn, x, y, zoom, lean_x, lean_y, seed):
    angle, shift, scale = 180 * turn, [6 * x, 6 * y], 1.1 + 0.4 * zoom
    shear, image = [20 * lean_x, 20 * lean_y], pictures(1, seed)
    given_ = (torch.tensor([angle]), torch.tensor([shift]), torch.tensor([scale]), torch.tensor([shear]))
    pose = inverse_poses(*(value.double() for value in given_), SIZE)
    moved, _ = move(image, image[:, :1], pose)
    bilinear = {"interpolation": InterpolationMode.BILINEAR}
    expected = oracle.affine(image, angle=angle, translate=shift, scale=scale, shear=shear, **bilinear)
    torch.testing.assert_close(moved, expected, rtol=0, atol=2e-4)


def test_masks_stay_masks_and_move_with_their_pictures(lesions):
    _, masks = as_bytes(lesions)
    draws = draw("course", len(lesions), SIZE, seed=0, epoch=0)
    painted = masks.expand(-1, 3, -1, -1).float()  # a picture that is its mask
    moved, new = move(painted, masks.float(), draws.pose)
    assert set(new.unique().tolist()) == {0.0, 1.0}
    sharp = moved[:, :1] > 0.5
    overlap = (sharp & (new > 0)).sum() / (sharp | (new > 0)).sum()
    assert overlap > 0.95
    wrong = torch.roll(new, 1, dims=0) > 0  # another picture's
    assert (sharp & wrong).sum() / (sharp | wrong).sum() < 0.8


@given(
    factors=st.tuples(*[st.floats(0.0, 2.0, width=32)] * 3),
    turn=st.floats(-0.5, 0.5, width=32),
    order=st.permutations(range(4)),
    seed=st.integers(0, 99),
)
def test_colours_are_torchvisions(factors, turn, order, seed):
    image = pictures(1, seed)
    expected, steps = image, [oracle.adjust_brightness, oracle.adjust_contrast, oracle.adjust_saturation]
    for number in order:
        expected = oracle.adjust_hue(expected, turn) if number == 3 else steps[number](expected, factors[number])
    found = recolour(image, torch.tensor([[*factors, turn]]), tuple(order))
    # the hue of what is almost grey turns by the rounding: rare, and large; all else agrees
    far = ((found - expected).abs() > 1e-3).float().mean()
    assert far < 0.005
    assert (found - expected).abs().median() < 1e-5


def test_the_hue_of_pure_colours_and_of_greys():
    red, grey = torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.3, 0.3, 0.3])
    image = torch.stack([red, grey]).reshape(2, 3, 1, 1)
    third = torch.full((2, 1, 1, 1), 1 / 3)
    turned = turn_hue(image, third).reshape(2, 3)
    torch.testing.assert_close(turned, torch.tensor([[0.0, 1.0, 0.0], [0.3, 0.3, 0.3]]))
    torch.testing.assert_close(turn_hue(image, torch.ones_like(third)), image)


def test_every_picture_has_its_own_factors():
    images = pictures(3, 0)
    colours = torch.tensor([[1.0, 1, 1, 0], [0.5, 1, 1, 0], [1, 0.5, 1, 0]])
    found = recolour(images, colours)
    torch.testing.assert_close(found[0], images[0], rtol=0, atol=1e-6)
    torch.testing.assert_close(found[1], images[1] / 2, rtol=0, atol=1e-6)
    torch.testing.assert_close(found[2], oracle.adjust_contrast(images[2], 0.5), rtol=0, atol=1e-6)


def test_nothing_drawn_changes_nothing(lesions):
    images, masks = as_bytes(lesions)
    assert draw("none", len(lesions), SIZE, seed=0, epoch=0) is None
    same_images, same_masks = augment_batch(images, masks, None)
    usual = [
        augment_pair(build_augmentation("none"), *pair, 0) for pair in zip(lesions.images, lesions.masks, strict=True)
    ]
    assert torch.equal(same_images, torch.stack([image for image, _ in usual]))
    assert torch.equal(same_masks, torch.stack([mask for _, mask in usual]))


def test_flips_are_exact_and_each_of_the_four_comes(lesions):
    images, masks = as_bytes(lesions)
    draws = draw("flips", len(lesions), SIZE, seed=0, epoch=0)
    found, found_masks = augment_batch(images, masks, draws)
    seen = set()
    for number in range(len(lesions)):
        axes = [axis for axis, flips in ((-1, draws.flip_x), (-2, draws.flip_y)) if flips[number]]
        assert torch.equal(found[number], images[number].flip(axes).float() / 255)
        assert torch.equal(found_masks[number], masks[number].flip(axes).float())
        seen.add(tuple(axes))
    assert len(seen) == 4


@pytest.mark.parametrize("kind", [kind for kind in ON_DEVICE if kind != "none"])
def test_draws_hang_on_seed_epoch_and_picture_alone(lesions, kind):
    images, masks = as_bytes(lesions)
    whole, _ = augment_batch(images, masks, draw(kind, len(lesions), SIZE, seed=1, epoch=2))
    rows = torch.tensor([7, 2, 30])
    torch.manual_seed(99)  # not the global generator
    part, _ = augment_batch(images[rows], masks[rows], draw(kind, len(lesions), SIZE, 1, 2).take(rows))
    torch.testing.assert_close(part, whole[rows], rtol=0, atol=1e-6)
    for seed, epoch in ((1, 3), (2, 2), (2, 1)):
        other, _ = augment_batch(images, masks, draw(kind, len(lesions), SIZE, seed, epoch))
        assert not torch.allclose(other, whole, atol=1e-3)


def test_many_draws_are_spread_as_torchvisions_are(lesions):
    """Means and spreads over many draws, of the colours and of the lesions' areas, beside the pictures' one by one."""
    images, masks = as_bytes(lesions)
    epochs = 12
    batch = [augment_batch(images, masks, draw("course", len(lesions), SIZE, 0, epoch)) for epoch in range(epochs)]
    transform = build_augmentation("course")
    singly = [
        augment_pair(transform, *pair, 1000 * epoch + number)
        for epoch in range(epochs)
        for number, pair in enumerate(zip(lesions.images, lesions.masks, strict=True))
    ]
    for ours, theirs in (
        (torch.cat([found for found, _ in batch]), torch.stack([image for image, _ in singly])),
        (torch.cat([found for _, found in batch]), torch.stack([mask for _, mask in singly])),
    ):
        means = [values.mean(dim=(2, 3)) for values in (ours, theirs)]
        for statistic in (torch.mean, torch.std):
            one, other = (statistic(values, dim=0) for values in means)
            torch.testing.assert_close(one, other, rtol=0.06, atol=0)


def test_draws_stay_in_their_ranges_and_reach_their_ends():
    draws = draw("course", 4000, SIZE, seed=0, epoch=0)
    still = (draws.pose == torch.eye(2, 3)).all(dim=(1, 2)).float().mean()
    unchanged = (draws.colours == torch.tensor([1.0, 1, 1, 0])).all(dim=1).float().mean()
    assert abs(still - (1 - COURSE.share)) < 0.02
    assert abs(unchanged - (1 - COURSE.share)) < 0.02
    for column, reach, middle in zip(range(4), (0.25, 0.25, 0.25, 0.03), (1, 1, 1, 0), strict=True):
        spread = (draws.colours[:, column] - middle).abs().max()
        assert 0.95 * reach < spread <= reach + 1e-6
    # zooms: the area that a pose looks at is 1 / scale^2 of the picture
    scales = torch.linalg.det(draws.pose[:, :, :2]).rsqrt()
    assert scales.min() == pytest.approx(0.8, abs=0.02)
    assert scales.max() == pytest.approx(1.25, abs=0.02)


def test_orders_of_the_colours_all_come():
    assert {draw("course", 1, SIZE, 0, epoch).order for epoch in range(300)} == {
        tuple(order) for order in itertools.permutations(range(4))
    }


def test_strong_is_not_made_for_batches():
    with pytest.raises(ValueError, match="augmentation: found 'strong', expected one of none, flips, course"):
        draw("strong", 1, SIZE, 0, 0)


def test_draws_go_to_a_device_whole():
    draws = draw("course", 3, SIZE, 0, 0).to(torch.device("meta"))
    assert {value.device.type for value in (draws.flip_x, draws.flip_y, draws.pose, draws.colours)} == {"meta"}
    assert np.array_equal(draws.order, draw("course", 3, SIZE, 0, 0).order)
