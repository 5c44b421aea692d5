"""Eight different views, picture and mask together; a network that knows no direction scores alike in all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.synthetic import make_arrays
from jaalnet_core.errors import SettingsError
from jaalnet_core.evaluation import evaluate_network
from jaalnet_core.metrics import scores
from jaalnet_core.size import Size
from jaalnet_core.views import VIEWS, dice_over_views, seen


class Dark(nn.Module):
    """Dark pixels are lesion: the same answer however the picture lies."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return 20 * (0.5 - images.mean(1, keepdim=True))


class UpperHalf(nn.Module):
    """Whatever lies in the upper half is lesion."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits = torch.full_like(images[:, :1], -5.0)
        logits[..., : images.shape[-2] // 2, :] = 5.0
        return logits


@pytest.fixture(scope="module")
def lesions() -> LesionArrays:
    return make_arrays(3, Size(48, 48), seed=2, progress=False)


def test_eight_views_differ_and_the_first_is_the_picture(lesions: LesionArrays) -> None:
    views = [seen(lesions, *view) for view in VIEWS]
    np.testing.assert_array_equal(views[0].images, lesions.images)
    assert len({view.images.tobytes() for view in views}) == 8
    assert {view.masks.sum() for view in views} == {lesions.masks.sum()}
    assert all(view.ids == lesions.ids for view in views)


def test_picture_and_mask_move_together(lesions: LesionArrays) -> None:
    painted = replace(lesions, images=np.repeat(lesions.masks[..., None] * 255, 3, axis=-1))
    for view in VIEWS:
        moved = seen(painted, *view)
        np.testing.assert_array_equal(moved.images[..., 0] // 255, moved.masks)


def test_a_network_without_direction_scores_alike(lesions: LesionArrays) -> None:
    dice = dice_over_views(Dark(), lesions)
    assert dice.shape == (8, 3)
    torch.testing.assert_close(dice, dice[:1].expand(8, 3))
    torch.testing.assert_close(dice[0], scores(evaluate_network(Dark(), lesions, progress=False).counts)["dice"])


def test_a_network_that_looks_up_does_not(lesions: LesionArrays) -> None:
    off_middle = np.zeros_like(lesions.masks)
    off_middle[:, 4:20, 10:30] = 1
    dice = dice_over_views(UpperHalf(), replace(lesions, masks=off_middle))
    assert dice[0].min() > 0.4
    assert dice.std(0).min() > 0.1


def test_pictures_that_cannot_be_turned_are_refused() -> None:
    with pytest.raises(SettingsError, match="48x64"):
        seen(make_arrays(1, Size(64, 48), seed=0, progress=False), 1, False)
