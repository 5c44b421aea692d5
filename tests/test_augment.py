"""Augmentation: picture and mask move together, seeds give the same again, nothing else is touched."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from torchvision import tv_tensors
from torchvision.transforms import v2

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.augment import AugmentedLesions, Bend, augment_pair, augmentation_of_strength, build_augmentation
from jaalnet_core.data.obstacles import CutOut, DrawnHair
from jaalnet_core.data.synthetic import make_arrays
from jaalnet_core.size import Size

KINDS = ("none", "flips", "course", "strong")


@pytest.fixture(scope="module")
def lesions() -> LesionArrays:
    return make_arrays(4, Size(48, 64), seed=3, progress=False)


def painted(height: int = 64, width: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """A mask of two discs off the middle, and a picture whose red channel is that mask."""
    rows, columns = np.mgrid[:height, :width]
    large = (rows - 0.40 * height) ** 2 + (columns - 0.42 * width) ** 2 < (0.22 * height) ** 2
    small = (rows - 0.72 * height) ** 2 + (columns - 0.65 * width) ** 2 < (0.10 * height) ** 2
    mask = (large | small).astype(np.uint8)
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    picture[..., 0] = 255 * mask
    return picture, mask


def iou(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one & other).sum() / (one | other).sum())


def jitters(part: v2.Transform) -> bool:
    return any(isinstance(inner, v2.ColorJitter) for inner in getattr(part, "transforms", []))


def changes_the_picture_alone(part: v2.Transform) -> bool:
    alone = (v2.RandomGrayscale, v2.GaussianBlur, DrawnHair, CutOut)
    return isinstance(part, alone) or any(isinstance(inner, alone) for inner in getattr(part, "transforms", []))


def without_colour(transform: v2.Transform) -> v2.Transform:
    """The geometric half of an augmentation: whatever changes the picture alone would repaint the red channel."""
    kept = [part for part in transform.transforms if not (jitters(part) or changes_the_picture_alone(part))]
    assert len(kept) < len(transform.transforms)
    return v2.Compose(kept)


@pytest.mark.parametrize("kind", ["course", "strong"])
def test_picture_and_mask_move_together(kind):
    """Two hundred draws: where the red channel went, there the mask went, up to a border half a pixel wide."""
    picture, mask = painted()
    start = torch.from_numpy(mask).bool()
    transform = without_colour(build_augmentation(kind))
    agreement, moved = [], 0
    for seed in range(200):
        image, moved_mask = augment_pair(transform, picture, mask, seed)
        assert moved_mask.any()
        agreement.append(iou(image[0] > 0.5, moved_mask[0] > 0.5))
        moved += iou(start, moved_mask[0] > 0.5) < 0.8
    assert min(agreement) > 0.88
    assert np.mean(agreement) > 0.95
    assert moved > 150


def test_flips_move_both_exactly():
    picture, mask = painted()
    transform, seen = build_augmentation("flips"), set()
    expected = {axes: torch.from_numpy(mask).flip(axes).float() for axes in ((), (0,), (1,), (0, 1))}
    for seed in range(40):
        image, moved = augment_pair(transform, picture, mask, seed)
        assert torch.equal(image[0], moved[0])
        seen |= {axes for axes, flipped in expected.items() if torch.equal(moved[0], flipped)}
    assert seen == set(expected)


def test_none_is_the_identity(lesions):
    for index in range(len(lesions)):
        picture, mask = lesions.images[index], lesions.masks[index]
        image, moved = augment_pair(build_augmentation("none"), picture, mask, seed=index)
        np.testing.assert_array_equal((image * 255).round().numpy(), picture.transpose(2, 0, 1))
        np.testing.assert_array_equal(moved.numpy()[0], mask)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (32, 200), (33, 33)])
def test_the_smallest_pictures_can_be_bent(height, width):
    image, mask = painted(height, width)
    bend = Bend(alpha=60, sigma=8)
    bent, bent_mask = augment_pair(bend, image, mask, 3)
    assert bent.shape == (3, height, width)
    assert not torch.equal(bent, torch.from_numpy(image).permute(2, 0, 1) / 255)
    agreement = (bent[0] > 0.5) == (bent_mask[0] > 0)
    assert agreement.float().mean() > 0.9


def test_larger_pictures_are_bent_as_torchvision_does(lesions):
    pair = lesions.images[0], lesions.masks[0]
    ours = augment_pair(Bend(alpha=60, sigma=8), *pair, 5)
    theirs = augment_pair(v2.ElasticTransform(alpha=60, sigma=8), *pair, 5)
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_types_shapes_and_ranges(kind, lesions):
    transform = build_augmentation(kind)
    for seed in range(20):
        image, mask = augment_pair(transform, lesions.images[0], lesions.masks[0], seed)
        for tensor, shape in ((image, (3, 48, 64)), (mask, (1, 48, 64))):
            assert type(tensor) is torch.Tensor
            assert not isinstance(tensor, tv_tensors.TVTensor)
            assert tensor.shape == shape
            assert tensor.dtype == torch.float32
        assert image.min() >= 0
        assert image.max() <= 1
        assert image.max() > 0.1  # not divided twice
        assert set(mask.unique().tolist()) <= {0.0, 1.0}


def test_the_mask_s_values_are_not_coloured():
    """Colours change the picture and leave the mask's share of pixels alone."""
    picture, mask = painted()
    picture += 90 * (1 - mask[..., None])  # grey skin, which brightness moves
    colour = v2.Compose([part for part in build_augmentation("course").transforms if jitters(part)])
    changed = 0
    for seed in range(10):
        image, moved = augment_pair(colour, picture, mask, seed)
        np.testing.assert_array_equal(moved[0].numpy(), mask)
        changed += not np.array_equal((image * 255).round().numpy(), picture.transpose(2, 0, 1))
    assert changed >= 7


def test_course_varies_size_turn_and_colour(lesions):
    """Over many draws the lesion's area shrinks and grows, and the mean colour moves."""
    picture, mask = painted()
    areas = [
        float(augment_pair(build_augmentation("course"), picture, mask, seed)[1].mean() / mask.mean())
        for seed in range(100)
    ]
    assert min(areas) < 0.8
    assert max(areas) > 1.25
    tones = [
        augment_pair(build_augmentation("course"), lesions.images[0], lesions.masks[0], seed)[0].mean()
        for seed in range(30)
    ]
    assert np.std(tones) > 0.02


def test_inputs_are_left_as_they_were(lesions):
    picture, mask = lesions.images[0].copy(), lesions.masks[0].copy()
    for seed in range(10):
        augment_pair(build_augmentation("course"), picture, mask, seed)
    np.testing.assert_array_equal(picture, lesions.images[0])
    np.testing.assert_array_equal(mask, lesions.masks[0])


def test_one_seed_one_result_whatever_was_drawn_before(lesions):
    transform = build_augmentation("course")
    torch.manual_seed(1)
    first = augment_pair(transform, lesions.images[0], lesions.masks[0], seed=11)
    torch.manual_seed(2)
    torch.rand(100)
    again = augment_pair(transform, lesions.images[0], lesions.masks[0], seed=11)
    other = augment_pair(transform, lesions.images[0], lesions.masks[0], seed=12)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


def test_the_global_generators_are_left_alone(lesions):
    torch.manual_seed(5)
    np.random.seed(5)
    random.seed(5)
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    for seed in range(20):
        augment_pair(build_augmentation("course"), lesions.images[0], lesions.masks[0], seed)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])
    assert random.getstate() == before[2]


def items(data: AugmentedLesions) -> list[torch.Tensor]:
    return [data[index][0] for index in range(len(data))]


def same(one: list[torch.Tensor], other: list[torch.Tensor]) -> list[bool]:
    return [torch.equal(a, b) for a, b in zip(one, other, strict=True)]


def test_an_epoch_depends_on_seed_epoch_and_index_alone(lesions):
    transform = build_augmentation("course")
    first = items(AugmentedLesions(lesions, transform, seed=0, epoch=3))
    again = AugmentedLesions(lesions, transform, seed=0, epoch=3)
    assert same(first, [again[index][0] for index in (3, 2, 1, 0)][::-1]) == [True] * 4  # in any order
    assert not any(same(first, items(AugmentedLesions(lesions, transform, seed=0, epoch=4))))
    assert not any(same(first, items(AugmentedLesions(lesions, transform, seed=1, epoch=3))))
    # (seed 1, epoch 0) is not (seed 0, epoch 1)
    assert not any(
        same(
            items(AugmentedLesions(lesions, transform, seed=1, epoch=0)),
            items(AugmentedLesions(lesions, transform, seed=0, epoch=1)),
        )
    )


def test_equal_pictures_are_augmented_differently(lesions):
    twins = lesions.take([0, 0])
    data = AugmentedLesions(twins, build_augmentation("course"), seed=0, epoch=0)
    assert not torch.equal(data[0][0], data[1][0])


def test_workers_change_nothing(lesions):
    data = AugmentedLesions(lesions, build_augmentation("course"), seed=0, epoch=1)
    images, masks = next(iter(DataLoader(data, batch_size=4, num_workers=1)))
    assert all(same(list(images), items(data)))
    assert masks.shape == (4, 1, 48, 64)


def test_an_unknown_name_is_refused_in_words():
    with pytest.raises(ValueError, match=r"augmentation: found 'wild', expected 'none', 'flips', 'course' or 'strong'"):
        build_augmentation("wild")


NO_STRENGTH = {"rotation": 0, "zoom": 1, "colour": 0, "flips": False}


def test_no_strength_changes_nothing(lesions):
    transform = augmentation_of_strength(**NO_STRENGTH)
    image, mask = augment_pair(transform, lesions.images[0], lesions.masks[0], seed=3)
    np.testing.assert_array_equal((image * 255).round().numpy(), lesions.images[0].transpose(2, 0, 1))
    np.testing.assert_array_equal(mask.numpy()[0], lesions.masks[0])


def test_each_strength_does_its_own_and_no_more():
    picture, mask = painted()
    area = float(mask.mean())

    def draws(**strength: float) -> list[tuple[torch.Tensor, torch.Tensor]]:
        transform = augmentation_of_strength(**NO_STRENGTH | strength)
        return [augment_pair(transform, picture, mask, seed) for seed in range(60)]

    flipped = draws(flips=True)
    seen = {tuple(moved[0].flatten().int().tolist()) for _, moved in flipped}
    assert len(seen) == 4  # as it is, each axis, both
    assert all(torch.equal(image[0], moved[0]) for image, moved in flipped)
    for _, moved in draws(colour=0.8):
        np.testing.assert_array_equal(moved.numpy()[0], mask)
    assert max(float((image[0] - torch.from_numpy(mask)).abs().max()) for image, _ in draws(colour=0.8)) > 0.2
    turned = [moved for _, moved in draws(rotation=20)]
    assert max(abs(float(moved.mean()) - area) for moved in turned) < 0.02  # turning keeps the area
    assert min(iou(torch.from_numpy(mask).bool(), moved[0] > 0.5) for moved in turned) < 0.85
    zoomed = [float(moved.mean()) for _, moved in draws(zoom=1.2)]
    assert 0.6 * area < min(zoomed) < 0.85 * area  # down to 1 / 1.44
    assert 1.15 * area < max(zoomed) < 1.5 * area


@pytest.mark.parametrize("wrong", [{"rotation": 181}, {"rotation": -1}, {"zoom": 0.9}, {"colour": 1.1}])
def test_a_strength_out_of_range_is_refused(wrong):
    with pytest.raises(ValueError, match="expected 0 to 180 degrees"):
        augmentation_of_strength(**NO_STRENGTH | wrong)
