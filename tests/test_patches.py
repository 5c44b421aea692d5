"""DA-Net's patch maps: the numbers are DA-Net's, each stands over its own pixels, and the figure says them in words."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from jaalnet_core.da_net import build_da_net, pair
from jaalnet_core.figures.patches import patch_map_figure, patch_maps


class Brightness(torch.nn.Module):
    """Stands in for DA-Net: the logit of a patch is the mean of the mask's 8 x 8 pixels, times 4, less 2."""

    def forward(self, pairs: torch.Tensor) -> torch.Tensor:
        self.was_training = self.training
        return 4 * torch.nn.functional.avg_pool2d(pairs[:, -1:], 8, ceil_mode=True) - 2


def pictures(count: int = 2, height: int = 32, width: int = 48) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    masks = torch.zeros(count, 1, height, width)
    masks[:, :, 8:24, 16:40] = 1
    return torch.rand(count, 3, height, width, generator=generator), masks


def test_maps_are_the_sigmoid_of_da_nets_logits():
    torch.manual_seed(0)
    da_net = build_da_net("tiny").eval()
    images, masks = pictures()
    maps = patch_maps(da_net, images, masks)
    assert maps.shape == (2, 4, 6)
    expected = torch.sigmoid(da_net(pair(images, masks))).squeeze(1)
    torch.testing.assert_close(maps, expected)
    assert not maps.requires_grad


def test_an_expert_mask_may_stand_in_for_the_photograph():
    torch.manual_seed(0)
    da_net = build_da_net("tiny").eval()
    _, masks = pictures()
    torch.testing.assert_close(
        patch_maps(da_net, masks, 1 - masks), torch.sigmoid(da_net(pair(masks, 1 - masks))).squeeze(1)
    )


@pytest.mark.parametrize("training", [True, False])
def test_the_networks_mode_is_put_back(training):
    network = Brightness().train(training)
    patch_maps(network, *pictures())
    assert not network.was_training, "judged in evaluation mode"
    assert network.training is training


def test_integer_masks_are_judged_too():
    images, masks = pictures()
    assert torch.equal(patch_maps(Brightness(), images, masks.to(torch.uint8)), patch_maps(Brightness(), images, masks))


def test_the_figure_holds_each_map_over_its_own_pixels():
    images, masks = pictures()
    kinds = {"expert": masks, "opposite": 1 - masks}
    figure = patch_map_figure(images, kinds, Brightness())
    grid = np.array(figure.axes[:6]).reshape(2, 3)
    for row in range(2):
        np.testing.assert_allclose(grid[row, 0].images[0].get_array(), images[row].permute(1, 2, 0))
        for axes, masks_of_kind in zip(grid[row, 1:], kinds.values(), strict=True):
            shown = axes.images[0]
            expected = patch_maps(Brightness(), images[row : row + 1], masks_of_kind[row : row + 1])[0]
            np.testing.assert_allclose(shown.get_array(), expected)
            assert shown.get_extent() == [-0.5, 47.5, 31.5, -0.5]
            assert shown.get_clim() == (0, 1)
            assert axes.get_xlabel() == f"mean {expected.mean():.2f}"
    assert [axes.get_title() for axes in grid[0]] == ["photograph", "expert", "opposite"]


def test_the_outline_follows_the_mask():
    images, masks = pictures(1)
    axes = patch_map_figure(images, {"expert": masks}, Brightness()).axes[1]
    (points,) = (path.vertices for path in axes.collections[-1].get_paths())
    assert points[:, 0].min() == pytest.approx(15.5)
    assert points[:, 0].max() == pytest.approx(39.5)
    assert points[:, 1].min() == pytest.approx(7.5)
    assert points[:, 1].max() == pytest.approx(23.5)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_mask_without_an_outline_draws_none(value):
    images, masks = pictures(1)
    axes = patch_map_figure(images, {"all": torch.full_like(masks, value)}, Brightness()).axes[1]
    assert not axes.collections


def test_patches_that_reach_beyond_the_picture_are_cut_at_its_border():
    images, masks = pictures(1, height=36, width=44)
    axes = patch_map_figure(images, {"expert": masks}, Brightness()).axes[1]
    assert axes.images[0].get_extent() == [-0.5, 47.5, 39.5, -0.5]
    assert axes.get_xlim() == (-0.5, 43.5)
    assert axes.get_ylim() == (35.5, -0.5)


def test_the_alternative_text_says_the_means():
    images, masks = pictures()
    figure = patch_map_figure(images, {"full": torch.ones_like(masks), "empty": torch.zeros_like(masks)}, Brightness())
    assert "2 photographs" in figure.alt
    assert "full 0.88, empty 0.12" in figure.alt


@pytest.mark.parametrize(
    ("images", "pairs", "words"),
    [
        (torch.zeros(0, 3, 32, 32), {"expert": torch.zeros(0, 1, 32, 32)}, "found 0 pictures"),
        (torch.zeros(1, 3, 32, 32), {}, "0 kinds of masks"),
        (torch.zeros(1, 3, 32, 32), {"expert": torch.zeros(1, 32, 32)}, r"expert: found masks of shape \(1, 32, 32\)"),
    ],
)
def test_what_does_not_fit_is_named(images, pairs, words):
    with pytest.raises(ValueError, match=words):
        patch_map_figure(images, pairs, Brightness())
