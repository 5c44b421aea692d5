"""Project A: the bill is what it should be, an entry is trained by the protocol, and comparisons are honest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from jaalnet_core.course.projects import (
    Entry,
    Measured,
    Protocol,
    bill_by_part,
    compare,
    gflop_of,
    measure,
    region_loss,
    trials_table,
)
from jaalnet_core.course.projects.learning import learn
from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.augment import build_augmentation
from jaalnet_core.errors import SettingsError, TrainingError
from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.losses import contour_loss, course_region_loss
from jaalnet_core.size import Size

SIZE = Size(32, 32)
SMALL = Protocol(size=SIZE, train=8, validation=6, epochs=6, batch_size=4, seeds=(0, 1), gflop=1.0)


def dark_squares(count: int, first: int = 0) -> LesionArrays:
    """A dark square somewhere on bright skin: a single pixel's colour is enough to tell."""
    rng = np.random.default_rng(first)
    masks = np.zeros((count, *SIZE), np.uint8)
    for mask in masks:
        top, left = rng.integers(2, 16, 2)
        mask[top : top + 12, left : left + 12] = 1
    images = np.where(masks[..., None] > 0, 60, 200).astype(np.uint8).repeat(3, axis=3)
    images += rng.integers(0, 20, images.shape, dtype=np.uint8)
    return LesionArrays(tuple(f"square_{first + i}" for i in range(count)), images, masks)


TRAIN, VALIDATION = dark_squares(8), dark_squares(6, 100)


class OnePixel(nn.Module):
    """A 1x1 convolution: logits from a pixel's own colour."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 1, 1)
        nn.init.normal_(self.conv.weight, std=0.1)

    def forward(self, images: Tensor) -> Tensor:
        return self.conv(images - 0.5)


def entry(name: str = "one pixel", **changes) -> Entry:
    return Entry(name, **{"build": OnePixel, "learning_rate": 0.5, **changes})


def test_the_bill_is_two_flop_for_each_weight_at_each_pixel() -> None:
    network = nn.Conv2d(3, 1, 5, padding=2)
    assert gflop_of(network, SIZE) == pytest.approx(2 * 75 * 32 * 32 / 1e9)
    assert gflop_of(network, Size(64, 32)) == pytest.approx(2 * 75 * 64 * 32 / 1e9)


def test_the_bill_counts_all_that_forward_does() -> None:
    class Twice(nn.Conv2d):
        def forward(self, images: Tensor) -> Tensor:
            return super().forward(images) + super().forward(images.flip(-1)).flip(-1)

    assert gflop_of(Twice(3, 1, 1), SIZE) == pytest.approx(2 * gflop_of(nn.Conv2d(3, 1, 1), SIZE))


def test_the_parts_add_up_to_the_bill_and_the_decoder_is_the_dearest() -> None:
    network = build_lf_net("tiny")
    parts = bill_by_part(network, SIZE)
    assert sum(parts.values()) == pytest.approx(gflop_of(network, SIZE))
    assert next(iter(parts)) == "decoder"
    assert parts["stem"] == pytest.approx(2 * 27 * 8 * 32 * 32 / 1e9)
    assert parts["pool"] == 0
    assert set(parts) == {name for name, _ in network.named_children()}


def test_counting_leaves_the_mode_as_it_was() -> None:
    network = OnePixel().train()
    gflop_of(network, SIZE)
    assert network.training


@pytest.mark.parametrize(
    "wrong", [nn.Conv2d(3, 2, 1), nn.Conv2d(3, 1, 3), nn.Sequential(nn.Conv2d(3, 1, 1), nn.Flatten())]
)
def test_logits_of_another_shape_are_named(wrong: nn.Module) -> None:
    with pytest.raises(SettingsError, match=r"expected logits \(1, 1, 32, 32\)"):
        gflop_of(wrong, SIZE)


def test_the_baseline_just_keeps_its_own_budget() -> None:
    protocol = Protocol()
    bill = gflop_of(build_lf_net("tiny"), protocol.size)
    assert 0.99 * protocol.gflop < bill <= protocol.gflop


def test_an_entry_learns_and_every_picture_is_scored_in_every_run() -> None:
    measured = measure(entry(), SMALL, TRAIN, VALIDATION)
    assert measured.dice.shape == (2, 6)
    assert measured.dice.mean() > 0.9
    assert measured.parameters == 4
    assert measured.within_budget
    still = measure(entry(learning_rate=1e-9), SMALL, TRAIN, VALIDATION)
    assert still.dice.mean() < 0.7


def test_the_same_seed_is_the_same_run_and_another_is_not() -> None:
    first, again = (learn(entry(), SMALL, TRAIN, 0).state_dict()["conv.weight"] for _ in range(2))
    other = learn(entry(), SMALL, TRAIN, 1).state_dict()["conv.weight"]
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_learners_random_numbers_are_left_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    learn(entry(), SMALL, TRAIN, 0)
    assert torch.equal(torch.rand(3), expected)


def test_every_picture_is_seen_once_an_epoch_with_its_own_mask() -> None:
    seen: list[tuple[Tensor, Tensor]] = []

    def watching(network: nn.Module, images: Tensor, masks: Tensor) -> Tensor:
        seen.append((images, masks))
        return region_loss(network, images, masks)

    learn(entry(loss=watching), replace(SMALL, epochs=2), TRAIN, 0)
    assert [len(images) for images, _ in seen] == [4, 4, 4, 4]
    images, masks = (torch.cat(parts) for parts in zip(*seen[:2], strict=True))
    expected = {TRAIN.images[i].tobytes(): TRAIN.masks[i].tobytes() for i in range(8)}
    found = {
        (image * 255).round().byte().permute(1, 2, 0).numpy().tobytes(): mask[0].byte().numpy().tobytes()
        for image, mask in zip(images, masks, strict=True)
    }
    assert found == expected
    first, second = seen[0][0], seen[2][0]
    assert not torch.equal(first, second), "the order is drawn anew"


def test_the_augmentation_reaches_the_training_pictures() -> None:
    seen: list[Tensor] = []

    def watching(network: nn.Module, images: Tensor, masks: Tensor) -> Tensor:
        seen.append(images)
        return region_loss(network, images, masks)

    learn(entry(loss=watching, augmentation=build_augmentation("course")), replace(SMALL, epochs=1), TRAIN, 0)
    originals = torch.from_numpy(TRAIN.images).permute(0, 3, 1, 2) / 255
    assert not any((image - originals).abs().flatten(1).max(1).values.min() < 1e-3 for image in seen[0])


def test_a_loss_may_ask_the_network_for_its_contour() -> None:
    def with_contour(network: nn.Module, images: Tensor, masks: Tensor) -> Tensor:
        logits, contour = network(images, with_contour=True)
        return course_region_loss(logits, masks) + contour_loss(contour, masks)

    protocol = replace(SMALL, train=4, epochs=1)
    network = learn(entry(build=lambda: build_lf_net("tiny"), loss=with_contour), protocol, TRAIN.take(range(4)), 0)
    assert not network.training


@pytest.mark.parametrize("bad", [lambda *_: torch.tensor(float("nan")), lambda n, i, m: n(i), lambda *_: 1.0])
def test_a_loss_that_is_no_finite_scalar_stops_the_training(bad) -> None:
    with pytest.raises(TrainingError, match="loss of step 1"):
        learn(entry(loss=bad), SMALL, TRAIN, 0)


def test_pictures_that_the_protocol_does_not_name_are_refused() -> None:
    with pytest.raises(SettingsError, match="train: found 7 pictures"):
        measure(entry(), SMALL, TRAIN.take(range(7)), VALIDATION)
    with pytest.raises(SettingsError, match="square_3 is among"):
        measure(entry(), SMALL, TRAIN, dark_squares(6, 3))


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"seeds": (0,)}, "one proves nothing"), ({"seeds": (1, 1)}, "seeds"), ({"epochs": 0}, "epochs")],
)
def test_a_protocol_that_proves_nothing_is_refused(changes, message) -> None:
    with pytest.raises(SettingsError, match=message):
        Protocol(**changes)


def measured(
    name: str, dice: list[list[float]], *, gflop: float = 0.5, pictures: str = "same", protocol: Protocol = SMALL
) -> Measured:
    return Measured(name, protocol, pictures, gflop, 10, torch.tensor(dice, dtype=torch.float64), 1.0)


EASY_AND_HARD = [[0.9, 0.5, 0.7, 0.2, 0.8, 0.6], [0.91, 0.49, 0.71, 0.2, 0.8, 0.6]]


def test_a_small_gain_on_every_picture_is_seen_though_pictures_differ_much() -> None:
    baseline = measured("baseline", EASY_AND_HARD)
    better = measured("mine", [[value + 0.05 for value in run] for run in EASY_AND_HARD])
    assert compare(better, baseline).verdict == "better"
    assert compare(baseline, better).verdict == "worse"
    assert compare(better, baseline).difference.mean == pytest.approx(0.05)


def test_a_gain_on_some_pictures_and_a_loss_on_others_is_undecided() -> None:
    mixed = measured("mine", [[0.95, 0.4, 0.8, 0.1, 0.9, 0.6], [0.96, 0.39, 0.81, 0.1, 0.9, 0.6]])
    assert compare(mixed, measured("baseline", EASY_AND_HARD)).verdict == "undecided"


def test_seeds_that_disagree_are_undecided() -> None:
    """Seed 0 gains on every picture, seed 1 loses on every one: images alone would decide it."""
    mixed = measured("mine", [[v + 0.08 for v in EASY_AND_HARD[0]], [v - 0.04 for v in EASY_AND_HARD[1]]])
    assert compare(mixed, measured("baseline", EASY_AND_HARD)).verdict == "undecided"


def test_over_the_budget_no_score_counts() -> None:
    baseline = measured("baseline", EASY_AND_HARD)
    rich = measured("rich", [[0.99] * 6] * 2, gflop=1.0001)
    assert compare(rich, baseline).verdict == "over budget"
    assert compare(measured("just", [[0.99] * 6] * 2, gflop=1.0), baseline).verdict == "better"
    assert compare(measured("uncounted", [[0.99] * 6] * 2, gflop=0.0), baseline).verdict == "over budget"
    report = compare(rich, baseline).report
    assert "rich: over budget (2 seeds, 6 pictures)" in report
    assert "bill 1.0001 of 1.0000 GFLOP" in report
    assert "Dice +37.25 points" in report


def test_other_pictures_or_another_protocol_are_not_compared() -> None:
    baseline = measured("baseline", EASY_AND_HARD)
    with pytest.raises(SettingsError, match="saw other pictures"):
        compare(measured("mine", EASY_AND_HARD, pictures="others"), baseline)
    with pytest.raises(SettingsError, match="under one protocol"):
        compare(measured("mine", EASY_AND_HARD, protocol=replace(SMALL, epochs=7)), baseline)


def test_other_validation_pictures_are_noticed_by_their_content() -> None:
    changed = LesionArrays(VALIDATION.ids, VALIDATION.images ^ 1, VALIDATION.masks)
    protocol = replace(SMALL, epochs=1)
    one, other = (measure(entry(), protocol, TRAIN, pictures) for pictures in (VALIDATION, changed))
    with pytest.raises(SettingsError, match="saw other pictures"):
        compare(one, other)


def test_the_table_keeps_every_trial_in_order() -> None:
    baseline = measured("baseline", EASY_AND_HARD)
    trials = [measured("failed", [[0.1] * 6] * 2), measured("rich", EASY_AND_HARD, gflop=2.0)]
    lines = str(trials_table(baseline, trials)).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| baseline", "| failed", "| rich"]
    assert lines[3].endswith("| worse |")
    assert lines[4].endswith("| over budget |")
    assert "61.75" in lines[2]
    assert len({line.count("|") for line in lines}) == 1
