"""Metrics against hand-computed cases, algebra, and two independent scorers."""

from __future__ import annotations

import numpy as np
import pytest
import segmentation_models_pytorch.metrics as smp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from isic_challenge_scoring import metrics as isic
from isic_challenge_scoring.confusion import create_binary_confusion_matrix
from torch.testing import assert_close

from jaalnet_core.metrics import (
    AVERAGINGS,
    METRICS,
    SegmentationMetrics,
    confusion_counts,
    per_image,
    pooled,
    scores,
    two_class,
    two_class_pooled,
    two_class_scores,
)

ISIC_FUNCTIONS = {
    "dice": isic.binary_dice,
    "iou": isic.binary_jaccard,
    "accuracy": isic.binary_accuracy,
    "sensitivity": isic.binary_sensitivity,
    "specificity": isic.binary_specificity,
}
SMP_FUNCTIONS = {
    "dice": smp.f1_score,
    "iou": smp.iou_score,
    "accuracy": smp.accuracy,
    "sensitivity": smp.sensitivity,
    "specificity": smp.specificity,
}
# Small numbers, zero included: empty masks, full masks and empty predictions turn up often.
tables = st.lists(st.tuples(*[st.integers(0, 9)] * 4).filter(any), min_size=1, max_size=8).map(torch.tensor)


def test_counts_by_hand():
    prediction = torch.tensor([[[1, 1], [0, 0]], [[0, 0], [0, 1]]])
    mask = torch.tensor([[[1, 0], [1, 0]], [[0, 0], [0, 1]]])
    counts = confusion_counts(prediction, mask)
    assert counts.tolist() == [[1, 1, 1, 1], [1, 0, 0, 3]]
    assert counts.dtype == torch.int64


@pytest.mark.parametrize("kind", [torch.bool, torch.uint8, torch.float32])
def test_counts_take_channels_and_types(kind):
    prediction = torch.tensor([[[[1, 1], [0, 1]]]]).to(kind)
    mask = torch.tensor([[[[1, 0], [1, 1]]]]).float()
    assert confusion_counts(prediction, mask).tolist() == [[2, 1, 1, 0]]


def test_probabilities_are_refused_rather_than_rounded():
    with pytest.raises(ValueError, match="threshold it first"):
        confusion_counts(torch.full((1, 2, 2), 0.4), torch.ones(1, 2, 2))


def test_shapes_must_agree_not_broadcast():
    with pytest.raises(ValueError, match="same shape"):
        confusion_counts(torch.ones(2, 1, 4, 4), torch.ones(2, 4, 4))


def test_scores_by_hand():
    values = scores(torch.tensor([3, 1, 2, 4]))
    expected = {"dice": 6 / 9, "iou": 3 / 6, "accuracy": 7 / 10, "sensitivity": 3 / 5, "specificity": 4 / 5}
    assert {name: value.item() for name, value in values.items()} == pytest.approx(expected)


def test_two_class_by_hand():
    values = two_class_scores(torch.tensor([3, 1, 2, 4]))
    expected = {
        "dice": (6 / 9 + 8 / 11) / 2,
        "iou": (3 / 6 + 4 / 7) / 2,
        "accuracy": 7 / 10,
        "sensitivity": (3 / 5 + 4 / 5) / 2,
        "specificity": (3 / 5 + 4 / 5) / 2,
    }
    assert {name: value.item() for name, value in values.items()} == pytest.approx(expected)


def test_averagings_by_hand():
    counts = torch.tensor([[4, 0, 0, 4], [0, 0, 2, 6]])  # one perfect image, one missed lesion
    assert per_image(counts)["dice"] == pytest.approx((1 + 0) / 2)
    assert pooled(counts)["dice"] == pytest.approx(8 / 10)
    assert two_class(counts)["iou"] == pytest.approx((1 + (0 + 6 / 8) / 2) / 2)
    assert two_class_pooled(counts)["iou"] == pytest.approx((4 / 6 + 10 / 12) / 2)
    assert per_image(counts)["accuracy"] == pooled(counts)["accuracy"] == pytest.approx(14 / 16)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param([0, 0, 0, 9], [1, 1, 1, 1, 1], id="both empty"),
        pytest.param([0, 3, 0, 6], [0, 0, 6 / 9, 1, 6 / 9], id="mask empty"),
        pytest.param([0, 0, 3, 6], [0, 0, 6 / 9, 0, 1], id="prediction empty"),
        pytest.param([9, 0, 0, 0], [1, 1, 1, 1, 1], id="both full"),
        pytest.param([6, 0, 3, 0], [12 / 15, 6 / 9, 6 / 9, 6 / 9, 1], id="mask full"),
        pytest.param([0, 5, 4, 0], [0, 0, 0, 0, 0], id="all wrong"),
    ],
)
def test_empty_and_full_masks(table, expected):
    values = scores(torch.tensor(table))
    assert [values[name].item() for name in METRICS] == pytest.approx(expected)


def test_no_images_is_an_error():
    with pytest.raises(ValueError, match="at least one image"):
        per_image(torch.zeros(0, 4))


@given(tables)
def test_dice_and_iou_are_tied_in_each_image(counts):
    values = scores(counts)
    assert_close(values["dice"], 2 * values["iou"] / (1 + values["iou"]))


@given(tables)
def test_pooled_accuracy_lies_between_sensitivity_and_specificity(counts):
    values = pooled(counts)
    if counts[:, [0, 2]].sum() == 0 or counts[:, [1, 3]].sum() == 0:
        return  # a class without pixels: its ratio is 1.0 by rule and ties nothing
    low, high = sorted((values["sensitivity"], values["specificity"]))
    assert low - 1e-12 <= values["accuracy"] <= high + 1e-12


@given(tables)
def test_per_image_iou_is_at_least_what_mean_dice_implies(counts):
    values = per_image(counts)
    assert values["dice"] / (2 - values["dice"]) - 1e-12 <= values["iou"] <= values["dice"] + 1e-12


@given(tables, st.randoms())
def test_the_order_of_images_is_irrelevant(counts, random):
    order = list(range(len(counts)))
    random.shuffle(order)
    for average in AVERAGINGS.values():
        assert average(counts[order]) == pytest.approx(average(counts))


@given(tables)
def test_swapping_the_classes_swaps_sensitivity_and_specificity(counts):
    values, swapped = scores(counts), scores(counts.flip(-1))
    assert_close(swapped["sensitivity"], values["specificity"])
    assert_close(swapped["specificity"], values["sensitivity"])
    assert_close(swapped["accuracy"], values["accuracy"])
    for average in (two_class, two_class_pooled):
        assert average(counts.flip(-1)) == pytest.approx(average(counts))


@given(tables)
def test_one_image_pools_to_itself(counts):
    assert pooled(counts[:1]) == pytest.approx(per_image(counts[:1]))
    assert two_class_pooled(counts[:1]) == pytest.approx(two_class(counts[:1]))


def test_streaming_equals_all_at_once():
    generator = torch.Generator().manual_seed(3)
    prediction = torch.rand(10, 1, 8, 8, generator=generator) > 0.4
    mask = torch.rand(10, 1, 8, 8, generator=generator) > 0.6
    metric = SegmentationMetrics()
    for start in (0, 4, 8):  # the last batch is smaller
        metric.update(prediction[start : start + 4], mask[start : start + 4])
    counts = confusion_counts(prediction, mask)
    assert metric.compute() == {name: average(counts) for name, average in AVERAGINGS.items()}
    metric.reset()
    metric.update(mask, mask)
    assert metric.compute()["pooled"]["iou"] == 1.0


def generated_masks(count: int = 24, side: int = 48) -> np.ndarray:
    """Blobs of all sizes, with an empty and a full mask among them."""
    random = np.random.default_rng(7)
    y, x = np.mgrid[:side, :side]
    masks = []
    for _ in range(count - 2):
        (cy, cx), (ry, rx) = random.uniform(0, side, 2), random.uniform(3, side / 2, 2)
        masks.append(((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1)
    return np.stack([*masks, np.zeros((side, side)), np.ones((side, side))]).astype(np.uint8)


def perturbed(masks: np.ndarray) -> np.ndarray:
    """Predictions to score: shifted masks with noise; every tenth empty, every tenth full, every tenth exact."""
    random = np.random.default_rng(11)
    predictions = []
    for number, mask in enumerate(masks):
        shifted = np.roll(mask, random.integers(-9, 10, 2), axis=(0, 1))
        noisy = np.where(random.random(mask.shape) < 0.03, 1 - shifted, shifted)
        predictions.append({0: 0 * mask, 1: 0 * mask + 1, 2: mask}.get(number % 10, noisy))
    return np.stack(predictions).astype(np.uint8)


def assert_equal_to_isic(predictions: np.ndarray, masks: np.ndarray) -> None:
    counts = confusion_counts(torch.from_numpy(predictions), torch.from_numpy(masks))
    ours = scores(counts)
    official = [
        create_binary_confusion_matrix(mask, prediction) for mask, prediction in zip(masks, predictions, strict=True)
    ]
    for name, function in ISIC_FUNCTIONS.items():
        expected = torch.tensor([function(table) for table in official], dtype=torch.float64)
        assert_close(ours[name], expected, rtol=0, atol=1e-12)
        assert per_image(counts)[name] == pytest.approx(expected.mean().item(), abs=1e-12)


def assert_equal_to_smp(predictions: np.ndarray, masks: np.ndarray) -> None:
    predictions, masks = torch.from_numpy(predictions), torch.from_numpy(masks)
    counts = confusion_counts(predictions, masks)
    tp, fp, fn, tn = smp.get_stats(predictions[:, None].long(), masks[:, None].long(), mode="binary")
    assert_close(counts, torch.cat([tp, fp, fn, tn], dim=1))
    for name, function in SMP_FUNCTIONS.items():
        each = function(tp, fp, fn, tn, reduction="none")[:, 0]
        assert_close(scores(counts)[name].float(), each, rtol=0, atol=1e-6)
        by_image = function(tp, fp, fn, tn, reduction="micro-imagewise").item()
        assert per_image(counts)[name] == pytest.approx(by_image, abs=1e-6)
        summed = function(tp, fp, fn, tn, reduction="micro").item()
        assert pooled(counts)[name] == pytest.approx(summed, abs=1e-6)


def test_equal_to_the_official_scorer_on_generated_masks():
    masks = generated_masks()
    assert_equal_to_isic(perturbed(masks), masks)


def test_equal_to_segmentation_models_pytorch_on_generated_masks():
    masks = generated_masks()
    assert_equal_to_smp(perturbed(masks), masks)


@pytest.fixture(scope="module")
def real_masks(real_data):
    from jaalnet_core.data.layout import find_layout
    from jaalnet_core.data.pictures import read_mask

    masks = np.stack([read_mask(sample.mask) for sample in find_layout(real_data).test])
    assert len(masks) == 379
    return masks


@pytest.mark.real_data
def test_equal_to_the_official_scorer_on_the_real_masks(real_masks):
    assert_equal_to_isic(perturbed(real_masks), real_masks)


@pytest.mark.real_data
def test_equal_to_segmentation_models_pytorch_on_the_real_masks(real_masks):
    assert_equal_to_smp(perturbed(real_masks), real_masks)


@settings(max_examples=25)
@given(tables)
def test_two_class_pooled_is_the_mean_over_both_classes_of_smp(counts):
    both = torch.stack([counts.sum(0), counts.sum(0).flip(0)]).unbind(1)
    ours = two_class_pooled(counts)
    for name, function in SMP_FUNCTIONS.items():
        expected = function(*[column[None] for column in both], reduction="macro").item()
        assert ours[name] == pytest.approx(expected, abs=1e-6)
