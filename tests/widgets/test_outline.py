"""The panel of lesson 09: it works without an upload, takes one of any kind, and explains one that is no picture."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.errors import PictureError
from jaalnet_core.prediction import Outline
from jaalnet_core.size import Size
from jaalnet_core.weights import LoadedNetwork
from jaalnet_core.widgets.outline import UPLOADED, outline_figure, outline_panel, uploaded_picture


class DarkIsLesion(nn.Module):
    """Logits that grow with darkness, 0 at one half; counts how often it was asked."""

    asked = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.asked += 1
        return 8 * (0.5 - images.mean(dim=1, keepdim=True))


@pytest.fixture
def network() -> LoadedNetwork:
    return LoadedNetwork(DarkIsLesion(), Size(64, 64), {}, Path("dark.safetensors"))


@pytest.fixture
def examples() -> LesionArrays:
    masks = np.zeros((2, 64, 64), np.uint8)
    masks[0, 16:48, 16:48] = 1  # a quarter
    masks[1, :32] = 1  # half
    images = np.full((2, 64, 64, 3), 240, np.uint8)
    images[masks == 1] = 20
    return LesionArrays(("a", "b"), images, masks)


def upload(name: str, picture: np.ndarray, kind: str = "PNG", **options: object) -> tuple[dict, ...]:
    """What a `FileUpload` holds after a picture was uploaded."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind, **options)
    return uploaded(name, file.getvalue())


def uploaded(name: str, content: bytes) -> tuple[dict, ...]:
    """The same of any file."""
    when = datetime(2026, 1, 1, tzinfo=UTC)
    return ({"name": name, "type": "", "size": len(content), "content": memoryview(content), "last_modified": when},)


def test_an_upload_is_read_upright_whatever_it_is_called(examples) -> None:
    tall = np.zeros((20, 50, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    name, picture = uploaded_picture(upload("Leberfleck, März.JPG", tall, "JPEG", exif=exif))
    assert name == "Leberfleck, März.JPG"
    assert picture.shape == (50, 20, 3)
    for given in ("..\\..\\mole.png", "../../mole.png"):
        name, picture = uploaded_picture(upload(given, examples.images[0]))
        assert name == "mole.png"
        np.testing.assert_array_equal(picture, examples.images[0])


def test_a_large_upload_is_reduced_in_its_own_proportions() -> None:
    _, picture = uploaded_picture(upload("large.png", np.zeros((900, 1800, 3), np.uint8)))
    assert picture.shape == (320, 640, 3)


def test_what_is_no_picture_is_explained_by_its_own_name() -> None:
    with pytest.raises(PictureError, match=r"^report\.pdf: cannot be read as a picture \(not a picture") as caught:
        uploaded_picture(uploaded("report.pdf", b"%PDF-1.7"))
    assert "uploaded" not in str(caught.value)  # nothing of the place where it was looked at
    with pytest.raises(PictureError, match="nothing is uploaded yet"):
        uploaded_picture(())


def test_the_figure_says_area_and_doubt() -> None:
    probabilities = np.full((10, 10), 0.05, np.float32)
    probabilities[:3] = 0.95
    probabilities[3] = 0.5
    outline = Outline(probabilities, (probabilities > 0.5).astype(np.uint8))
    picture = np.zeros((10, 10, 3), np.uint8)
    figure = outline_figure("mole.png", picture, outline, 0.4)
    assert "mole.png: at threshold 0.40 the outline covers 40.0% of the frame" in figure.alt
    assert "in 10.0% of the pixels" in figure.alt
    assert "covers 30.0%" in outline_figure("mole.png", picture, outline, 0.6).alt
    assert "is empty" in outline_figure("mole.png", picture, outline, 1.0).alt
    assert [axes.get_title() for axes in figure.axes[:2]] == ["probability of lesion", "outline at 0.40"]
    np.testing.assert_array_equal(np.asarray(figure.axes[0].images[0].get_array()), probabilities)


def test_examples_need_no_upload_and_the_threshold_no_second_look(network, examples) -> None:
    panel = outline_panel(network, examples)
    assert "example 1: at threshold 0.50 the outline covers 25.0%" in panel.sentence.value
    panel.controls["threshold"].value = 1.0
    assert "is empty" in panel.sentence.value
    assert network.network.asked == 1
    panel.controls["threshold"].value = 0.5
    panel.controls["picture"].value = "example 2"
    assert "example 2: at threshold 0.50 the outline covers 50.0%" in panel.sentence.value
    assert network.network.asked == 2


def test_an_upload_is_shown_at_once_and_a_bad_one_explained(network, examples) -> None:
    panel = outline_panel(network, examples)
    panel.controls["picture"].value = UPLOADED
    assert "Not possible: nothing is uploaded yet" in panel.sentence.value
    assert panel.picture.value == ""
    panel.controls["picture"].value = "example 2"
    panel.controls["upload"].value = upload("mine.png", examples.images[0])
    assert panel.controls["picture"].value == UPLOADED
    assert "mine.png: at threshold 0.50 the outline covers 25.0%" in panel.sentence.value
    panel.controls["upload"].value = uploaded("notes.txt", b"no")
    assert "Not possible: notes.txt: cannot be read as a picture" in panel.sentence.value
    assert panel.picture.value == ""
    panel.controls["upload"].value = upload("again.png", examples.images[1])
    assert "again.png: at threshold 0.50 the outline covers 50.0%" in panel.sentence.value
    assert 'alt="again.png' in panel.picture.value
    assert all(control.description for control in panel.controls.values())
