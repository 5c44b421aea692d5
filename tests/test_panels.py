"""Pictures side by side: what lies in each panel."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from jaalnet_core.figures.panels import as_picture, picture_row


def test_each_image_is_under_its_title() -> None:
    photograph = np.random.default_rng(0).integers(0, 256, (8, 10, 3), dtype=np.uint8)
    values = torch.linspace(-1, 1, 80).reshape(1, 8, 10)
    figure = picture_row([photograph, values], ["photograph", "values"], alt="two pictures side by side")
    assert [axes.get_title() for axes in figure.axes] == ["photograph", "values"]
    assert np.array_equal(figure.axes[0].images[0].get_array(), photograph)
    assert np.allclose(figure.axes[1].images[0].get_array(), values[0])
    assert figure.alt == "two pictures side by side"


def test_rows_and_empty_places() -> None:
    figure = picture_row([np.zeros((4, 4))] * 5, list("abcde"), alt="five maps", columns=3)
    assert [len(axes.images) for axes in figure.axes] == [1, 1, 1, 1, 1, 0]


def test_colour_maps_and_limits() -> None:
    mask = np.eye(4, dtype=bool)
    values = np.arange(16.0).reshape(4, 4)
    figure = picture_row([mask, values], ["", ""], alt="a mask and values", colourbar=True)
    assert [axes.images[0].get_cmap().name for axes in figure.axes[:2]] == ["gray", "viridis"]
    assert len(figure.axes) == 4  # two with their scales
    figure = picture_row([values], [""], alt="signed values", cmap="RdBu_r", limits=(-20, 20))
    assert figure.axes[0].images[0].get_clim() == (-20, 20)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((5, 6), (5, 6)),
        ((1, 1, 5, 6), (5, 6)),
        ((3, 5, 6), (5, 6, 3)),
        ((1, 3, 5, 6), (5, 6, 3)),
        ((5, 6, 3), (5, 6, 3)),
    ],
)
def test_axes_in_any_usual_order(shape, expected) -> None:
    assert as_picture(torch.zeros(shape)).shape == expected


@pytest.mark.parametrize("shape", [(4,), (2, 5, 6), (5, 6, 4), (2, 3, 5, 6)])
def test_what_is_no_picture_is_refused(shape) -> None:
    with pytest.raises(ValueError, match="expected"):
        as_picture(np.zeros(shape))


def test_channels_keep_their_place() -> None:
    tensor = torch.stack([torch.full((4, 5), value) for value in (0.1, 0.5, 0.9)])
    assert as_picture(tensor)[2, 3].tolist() == pytest.approx([0.1, 0.5, 0.9])


@pytest.mark.parametrize(("images", "titles"), [([], []), ([np.zeros((2, 2))], ["a", "b"])])
def test_counts_that_differ_are_refused(images, titles) -> None:
    with pytest.raises(ValueError, match="titles"):
        picture_row(images, titles, alt="nothing")
