"""The baselines by hand, and that they score what they should on drawn lesions."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from jaalnet_core.baselines import evaluate_baselines, evaluate_masks, mean_mask, otsu_masks
from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.source import LesionData
from jaalnet_core.data.synthetic import make_arrays
from jaalnet_core.errors import DataError
from jaalnet_core.size import Size


def squares() -> LesionArrays:
    """Two dark squares on light skin, at different places."""
    masks = np.zeros((2, 32, 32), np.uint8)
    masks[0, 4:20, 4:20] = 1
    masks[1, 12:28, 12:28] = 1
    images = np.where(masks[..., None] == 1, 60, 200).astype(np.uint8).repeat(3, axis=-1)
    return LesionArrays(("a", "b"), images, masks)


def test_otsu_finds_a_dark_square():
    arrays = squares()
    found = otsu_masks(arrays.images)
    assert found.dtype == np.uint8
    assert (found == arrays.masks).mean() > 0.99  # the blur rounds the corners


def test_the_mean_mask_is_where_most_are_lesion():
    masks = np.array([[[1, 1, 0]], [[1, 0, 0]], [[1, 1, 0]]], np.uint8)
    assert mean_mask(masks).tolist() == [[1, 1, 0]]
    assert mean_mask(squares().masks).sum() == 64, "half is not more than half: only where both squares lie"


def test_a_perfect_and_an_empty_prediction():
    arrays = squares()
    assert evaluate_masks(arrays.masks, arrays).averages()["per_image"]["dice"] == 1.0
    assert evaluate_masks(np.zeros_like(arrays.masks), arrays).averages()["per_image"]["dice"] == 0.0


def test_on_easy_synthetic_pictures_otsu_beats_the_mean_mask():
    size = Size(64, 64)
    train, test = (
        make_arrays(20, size, difficulty=0.0, progress=False),
        make_arrays(20, size, first=50, difficulty=0.0, progress=False),
    )
    data = LesionData("drawn", Path("drawn"), train, train, test, (), ())
    scores = {name: e.averages()["per_image"]["dice"] for name, e in evaluate_baselines(data).items()}
    assert scores["Otsu's threshold"] > scores["mean training mask"] > 0.2


def test_without_training_pictures_there_is_no_mean_mask():
    arrays = squares()
    data = LesionData("none", Path("none"), arrays, arrays, arrays, (), ())
    with pytest.raises(DataError, match="no train pictures"):
        evaluate_baselines(dataclasses.replace(data, train=arrays.take([])))
