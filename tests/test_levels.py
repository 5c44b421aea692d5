"""LF-Net's levels: the right features under the right name, and contrasts that can be reckoned by head."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from module_cases import randomised

from jaalnet_core.figures.levels import channel_figure, lesion_contrast, level_features, levels_figure
from jaalnet_core.gating import stream_contrast
from jaalnet_core.lf_net import LFNet, build_lf_net


@pytest.fixture(scope="module")
def lf_net() -> LFNet:
    torch.manual_seed(0)
    return randomised(build_lf_net("tiny"))


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (64, 32, 3), dtype=np.uint8)


def half_mask() -> np.ndarray:
    mask = np.zeros((64, 32), np.uint8)
    mask[:32] = 1
    return mask


def test_every_level_stands_under_its_name_and_size(lf_net: LFNet, picture: np.ndarray) -> None:
    features = level_features(lf_net, picture)
    expected = {f"encoder {i + 1}": (8 * 2**i, 64 // 2**i, 32 // 2**i) for i in range(5)}
    expected |= {f"decoder {i + 1}": (8 * 2**i, 64 // 2**i, 32 // 2**i) for i in range(4)}
    expected |= {f"contour {i + 1}": (4 * 2**i, 64 // 2**i, 32 // 2**i) for i in range(4)}
    assert {name: tuple(values.shape) for name, values in features.items()} == expected


def test_the_features_are_those_that_the_network_computes(lf_net: LFNet, picture: np.ndarray) -> None:
    features = level_features(lf_net, picture)
    image = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        levels = lf_net._encode(image)
        decoded, contour = lf_net._decode(list(levels))
        head = lf_net.contour_head(features["contour 1"][None])
    for i, level in enumerate(levels):
        torch.testing.assert_close(features[f"encoder {i + 1}"], level[0])
    torch.testing.assert_close(features["decoder 1"], decoded[0])
    torch.testing.assert_close(head, contour)


def test_the_overview_puts_equal_sizes_into_one_column(lf_net: LFNet, picture: np.ndarray) -> None:
    features = level_features(lf_net, picture)
    figure = levels_figure(features, picture, np.zeros((64, 32), np.float32))
    titles = [axes.get_title().split("\n")[0] for axes in figure.axes]
    assert titles == [
        *(f"encoder {i}" for i in range(1, 6)),
        *(f"decoder {i}" for i in range(1, 5)),
        "photograph",
        *(f"contour {i}" for i in range(1, 5)),
        "mask drawn",
    ]
    shown = figure.axes[titles.index("decoder 3")].images[0].get_array()
    np.testing.assert_allclose(shown, stream_contrast(features["decoder 3"][None])[0].numpy(), rtol=1e-6)
    assert "64x32" in figure.alt
    assert "4x2" in figure.alt


def test_contrast_is_counted_in_standard_deviations() -> None:
    values = torch.zeros(8, 4)
    values[:4] = 2
    assert lesion_contrast(values, half_mask()) == pytest.approx(2 / values.std().item())
    assert lesion_contrast(-values, half_mask()) == pytest.approx(-2 / values.std().item())
    assert lesion_contrast(torch.ones(8, 4), half_mask()) == 0
    assert lesion_contrast(values, np.zeros((64, 32), np.uint8)) == 0


@pytest.mark.parametrize(("sign", "words"), [(1, "higher on it"), (-1, "lower on it"), (0, "hardly apart")])
def test_the_sentence_says_how_the_channel_tells_lesion_from_skin(picture: np.ndarray, sign: int, words: str) -> None:
    values = torch.zeros(3, 8, 4)
    values[1, :4] = sign
    figure = channel_figure({"decoder 2": values}, "decoder 2", 1, picture, half_mask())
    assert words in figure.alt
    assert "channel 1 of 3, 8 x 4 positions" in figure.alt
    np.testing.assert_array_equal(figure.axes[1].images[0].get_array(), values[1].numpy())


def test_a_level_or_channel_that_is_not_there_is_refused(picture: np.ndarray) -> None:
    features = {"decoder 2": torch.zeros(3, 8, 4)}
    with pytest.raises(ValueError, match="expected one of decoder 2"):
        channel_figure(features, "decoder 7", 0, picture, half_mask())
    with pytest.raises(ValueError, match="channel: found 3, expected 0 to 2"):
        channel_figure(features, "decoder 2", 3, picture, half_mask())
