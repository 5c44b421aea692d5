"""The attention microscope, driven as a browser would: every control changes what it should, and only that."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import numpy as np
import pytest
from module_cases import randomised
from PIL import Image

from jaalnet_core.da_net import build_da_net
from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.figures.specimen import specimen_sheet
from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.specimen import DRAWN, EXPERT, draw_mask
from jaalnet_core.widgets import attention_microscope, microscope
from jaalnet_core.widgets.outline import UPLOADED

SIDE = 64


@pytest.fixture(scope="module")
def networks():
    return randomised(build_lf_net("tiny")), randomised(build_da_net("tiny"))


@pytest.fixture(scope="module")
def pictures() -> LesionArrays:
    images = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)
    masks = np.zeros((2, SIDE, SIDE), np.uint8)
    masks[:, 8:40, 8:40] = 1
    return LesionArrays(("a", "b"), images, masks)


@pytest.fixture
def scope(networks, pictures):
    return attention_microscope(*networks, pictures)


def seen(scope) -> dict[str, str]:
    """Everything that a learner sees, by name."""
    pictures = {name: scope.controls[name].source for name in ("pixel", "gram")}
    return {name: view.value for name, view in scope.views.items()} | pictures


def changed(scope, act) -> set[str]:
    """What is another picture or view after an act; the sentence must be another as well."""
    before, sentence = seen(scope), scope.sentence.value
    act()
    assert scope.sentence.value != sentence
    assert "Not possible" not in scope.sentence.value
    return {name for name, value in seen(scope).items() if value != before[name]}


def uploaded(name: str, content: bytes) -> tuple[dict, ...]:
    when = datetime(2026, 1, 1, tzinfo=UTC)
    return ({"name": name, "type": "", "size": len(content), "content": memoryview(content), "last_modified": when},)


def png(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def test_it_opens_with_everything_in_sight(scope, networks, pictures) -> None:
    assert all("<img" in view.value for view in scope.views.values())
    assert re.search(
        r"picture 1\. Threshold 0\.50: the mask covers [0-9.]+% of the frame, Dice 0\.\d{3}\.", _said(scope)
    )
    plain = specimen_sheet(*networks, pictures.images[0], pictures.masks[0])
    for row, name in zip(plain.rows, ("mask", "streams", "gates", "patches", "position", "channels"), strict=True):
        assert row.words in _text(scope.views[name].value)  # the plain functions say the same
    assert scope.views["streams"].value == plain.rows[1]._repr_html_()


def _said(scope) -> str:
    return _text(scope.sentence.value)


def _text(html: str) -> str:
    return re.sub("<[^>]*>", "", html).replace("&#x27;", "'")


def test_every_control_has_a_name(scope) -> None:
    for name, control in scope.controls.items():
        assert getattr(control, "label", None) or control.description, name
    assert [box.description for box in scope.parts.values()] == list(scope.parts)
    assert all(box.tooltip for box in scope.parts.values())


def test_a_click_changes_where_attention_looks_and_nothing_else(scope) -> None:
    assert changed(scope, lambda: scope.controls["pixel"].set_state({"value": [50, 3]})) == {"position"}
    assert "From position 48," in scope.views["position"].value
    assert "row 50, column 3 of 64 x 64" in _said(scope)


def test_the_threshold_changes_mask_and_scores(scope, networks, pictures) -> None:
    middle = float(np.median(draw_mask(networks[0], pictures.images[0]).probabilities))
    assert changed(scope, lambda: scope.controls["threshold"].set_state({"value": middle})) == {"mask", "pixel"}
    assert f"Threshold {middle:.2f}: Dice" in scope.views["mask"].value
    scope.controls["threshold"].value = 7  # beyond its end
    assert scope.controls["threshold"].value == 0.99


@pytest.mark.parametrize("part", ["CBAM", "contour gates", "edges", "dense connections", "skip connections"])
def test_a_part_of_lf_net_changes_its_mask_and_what_da_net_makes_of_it(scope, part) -> None:
    before = seen(scope)
    different = changed(scope, lambda: scope.parts[part].set_state({"value": False}))
    assert {"mask", "patches"} <= different
    assert ("streams" in different) == (part != "edges")
    assert f"Switched off: {part}." in _said(scope)
    assert "with everything on" in _said(scope)
    changed(scope, lambda: scope.parts[part].set_state({"value": True}))
    assert seen(scope) == before


@pytest.mark.parametrize("part", ["position attention", "channel attention"])
def test_a_part_of_da_net_changes_its_patch_map_alone(scope, part) -> None:
    assert changed(scope, lambda: scope.parts[part].set_state({"value": False})) == {"patches"}
    assert f"Switched off in DA-Net: {part}." in scope.views["patches"].value


def test_everything_comes_on_at_a_button(scope) -> None:
    before = seen(scope)
    for part in ("CBAM", "position attention"):
        scope.parts[part].value = False
    assert seen(scope) != before
    scope.controls["reset"].click()
    assert seen(scope) == before
    assert _said(scope).startswith("Everything is on.")


def test_a_pair_is_picked_on_the_matrix_or_by_numbers(scope) -> None:
    assert changed(scope, lambda: scope.controls["gram"].set_state({"value": [3, 7]})) == {"channels"}
    assert (scope.controls["channel"].value, scope.controls["other"].value) == (3, 7)
    assert changed(scope, lambda: scope.controls["other"].set_state({"value": 9})) == {"channels"}
    assert scope.controls["gram"].value == (3, 9)
    assert "Channels 3 and 9 of 32" in scope.views["channels"].value


def test_da_net_may_be_shown_the_experts_mask(scope) -> None:
    assert list(scope.controls["judged"].options) == [DRAWN, EXPERT]
    different = changed(scope, lambda: setattr(scope.controls["judged"], "value", EXPERT))
    assert {"position", "channels", "gram"} <= different
    assert "covers 25.0% of the picture" in scope.views["position"].value
    assert changed(scope, lambda: scope.parts["CBAM"].set_state({"value": False})) >= {"mask", "patches"}


def test_another_picture_changes_all(scope) -> None:
    assert changed(scope, lambda: setattr(scope.controls["picture"], "value", 1)) == set(seen(scope))
    assert _said(scope).startswith("picture 2.")


def test_an_upload_is_looked_at_without_scores(scope, pictures) -> None:
    picture = np.ascontiguousarray(pictures.images[1][::-1])
    assert changed(scope, lambda: setattr(scope.controls["upload"], "value", uploaded("mine.png", png(picture))))
    assert scope.controls["picture"].value == UPLOADED
    assert _said(scope).startswith("mine.png. Threshold 0.50")
    assert "no expert's mask, so no scores" in _said(scope)
    assert "there are no scores" in scope.views["mask"].value
    assert list(scope.controls["judged"].options) == [DRAWN]
    wide = np.zeros((90, 160, 3), np.uint8)
    scope.controls["upload"].value = uploaded("wide.png", png(wide))
    assert _said(scope).startswith("wide.png.")


def test_what_is_no_picture_is_explained_and_nothing_old_stays(scope) -> None:
    before = seen(scope)
    scope.controls["picture"].value = UPLOADED
    assert _said(scope).startswith("Not possible: nothing is uploaded yet")
    assert not any(view.value for view in scope.views.values())
    scope.controls["upload"].value = uploaded("notes.txt", b"no")
    assert _said(scope).startswith("Not possible: notes.txt: cannot be read as a picture")
    scope.controls["threshold"].value = 0.4
    assert _said(scope).startswith("Not possible: notes.txt")
    scope.controls["threshold"].value = 0.5
    scope.controls["picture"].value = 0
    assert seen(scope) == before


def test_a_network_without_some_parts_has_no_box_for_them(pictures) -> None:
    lf_net = randomised(build_lf_net("tiny", contour_attention=False, cbam=False))
    da_net = randomised(build_da_net("tiny", position_attention=False, channel_attention=False))
    scope = attention_microscope(lf_net, da_net, pictures)
    assert list(scope.parts) == ["dense connections", "skip connections", "shortcuts"]
    for name in ("streams", "gates", "position", "channels"):
        assert "was built without" in scope.views[name].value
    scope.controls["pixel"].value = (3, 3)
    scope.controls["gram"].value = (0, 0)
    assert "Not possible" not in _said(scope)


def test_by_name_it_brings_its_own_networks_and_pictures(monkeypatch, pictures) -> None:
    monkeypatch.setenv("JAALNET_DATA", "synthetic")
    made = []
    monkeypatch.setattr(microscope, "make_arrays", lambda count, *_, **__: made.append(count) or pictures)
    scope = attention_microscope()
    assert made == [6]
    assert "position attention" in scope.parts
    with pytest.raises(ValueError, match="pictures: found none"):
        attention_microscope("small", pictures=pictures.take([]))
