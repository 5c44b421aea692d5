"""The microscope's pictures without the widget: what they say is what was computed."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
import torch
from module_cases import randomised

from jaalnet_core.da_net import build_da_net
from jaalnet_core.figures.drawing import change_tile, gate_row, mask_row, stream_row
from jaalnet_core.figures.judgement import channel_row, patch_row, position_row, telling_channels
from jaalnet_core.figures.specimen import specimen_sheet
from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.metrics import confusion_counts, per_image
from jaalnet_core.position_maps import in_words, look_from
from jaalnet_core.specimen import DRAWN, EXPERT, draw_mask, judge_mask


@pytest.fixture(scope="module")
def networks():
    return randomised(build_lf_net("tiny")), randomised(build_da_net("tiny"))


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def expert() -> np.ndarray:
    mask = np.zeros((64, 64), np.uint8)
    mask[10:40, 12:50] = 1
    return mask


@pytest.fixture(scope="module")
def drawing(networks, picture):
    return draw_mask(networks[0], picture)


@pytest.fixture(scope="module")
def judgement(networks, picture, expert):
    return judge_mask(networks[1], picture, expert)


def test_the_scores_are_those_at_the_threshold(drawing, picture, expert) -> None:
    threshold = float(np.median(drawing.probabilities))
    row = mask_row(drawing, picture, threshold=threshold, expert=expert)
    mask = torch.from_numpy(drawing.probabilities > threshold)[None]
    scores = per_image(confusion_counts(mask, torch.from_numpy(expert)[None]))
    for name, value in scores.items():
        assert f"{ {'dice': 'Dice', 'iou': 'IoU'}.get(name, name) } {value:.3f}" in row.words
    assert [tile.title for tile in row.tiles] == ["expert: solid; network: dashed", "probability of lesion"]
    assert len(mask_row(drawing, picture, expert=expert, photograph=False).tiles) == 1


def test_without_an_expert_there_are_no_scores_and_it_says_so(drawing, picture) -> None:
    row = mask_row(drawing, picture)
    assert "No expert's mask" in row.words
    assert "Dice" not in row.words
    assert f"covers {(drawing.probabilities > 0.5).mean():.1%}" in row.words


def test_what_is_off_is_named_with_the_score_before(drawing, picture, expert) -> None:
    worse = dataclasses.replace(drawing, probabilities=np.zeros((64, 64), np.float32), off=frozenset({"CBAM"}))
    good = dataclasses.replace(drawing, probabilities=expert.astype(np.float32))
    row = mask_row(worse, picture, expert=expert, before=good)
    assert "Dice 0.000" in row.words
    assert "Switched off in LF-Net: CBAM. With everything on, Dice is 1.000." in row.words
    assert row.tiles[-1].title == f"gained 0.0% (stripes), lost {expert.mean():.1%} (dots)"
    assert len(mask_row(good, picture, expert=expert, before=good).tiles) == 2  # nothing is off: no change to show


def test_gained_and_lost_are_told_apart_by_their_patterns(picture) -> None:
    before, after = np.zeros((64, 64), bool), np.zeros((64, 64), bool)
    before[:, :32], after[:32] = True, True
    canvas = change_tile(picture, before, after).picture
    gained, lost = canvas[5:125, 140:260].reshape(-1, 3), canvas[140:260, 5:125].reshape(-1, 3)
    assert {tuple(map(int, colour)) for colour in gained} == {(255, 255, 255), (230, 159, 0)}
    assert {tuple(map(int, colour)) for colour in lost} == {(0, 0, 0), (86, 180, 233)}


def test_every_level_of_stream_and_gate_is_there(drawing) -> None:
    titles = [tile.title for tile in stream_row(drawing).tiles]
    assert titles == [*(f"after the gate at {side}x{side}" for side in (8, 16, 32, 64)), "outline drawn"]
    gates = gate_row(drawing)
    assert all(tile.ends == ("0", "1") for tile in gates.tiles)
    assert re.findall(r"([0-9.]+) at", gates.words) == [f"{gate.mean():.2f}" for gate in drawing.gates]
    without = dataclasses.replace(drawing, outline=None, gates=(), streams=(), edges=None)
    assert "without contour stream" in stream_row(without).words
    assert "without contour stream" in gate_row(without).words


def test_position_attention_speaks_of_the_pixel(judgement) -> None:
    row = position_row(judgement.maps, (20, 44))
    assert row.words == in_words(look_from(judgement.maps, (20, 44)))
    low, high = row.tiles[1].ends
    assert float(low) == -float(high)
    with pytest.raises(ValueError, match="pixel: found row 64"):
        position_row(judgement.maps, (64, 0))
    assert "without position attention" in position_row(None, (0, 0)).words


def test_the_patch_map_is_shown_beside_what_it_was(networks, picture, expert, judgement) -> None:
    off = judge_mask(networks[1], picture, expert, off=["position attention"])
    row = patch_row({DRAWN: off, EXPERT: judgement}, {DRAWN: judgement, EXPERT: judgement})
    assert [tile.title.split(":")[0] for tile in row.tiles] == [DRAWN, f"{DRAWN}, everything on", EXPERT]
    assert f"{DRAWN} {off.opinion.mean():.2f}" in row.words
    assert row.words.endswith("Switched off in DA-Net: position attention.")


def test_two_channels_multiplied_sum_to_their_entry(judgement) -> None:
    row = channel_row(judgement, (3, 5))
    entry = judgement.gram[3, 5]
    assert f"dot product {entry:+.1f}" in row.words
    assert f"sums to {entry:+.1f}" in row.tiles[-1].alt
    cosine = entry / np.sqrt(judgement.gram[3, 3] * judgement.gram[5, 5])
    assert f"cosine {cosine:+.2f}" in row.words
    assert f"channel 3 takes {judgement.weights[3, 5]:.1%} from channel 5" in row.words
    assert [tile.title for tile in row.tiles] == ["Gram matrix, 32x32", "channel 3", "channel 5", "product"]
    with pytest.raises(ValueError, match=r"channels: found \(0, 32\), expected two numbers from 0 to 31"):
        channel_row(judgement, (0, 32))


def test_the_telling_pair_is_the_strongest(judgement) -> None:
    one, other = telling_channels(judgement)
    assert one != other
    off_diagonal = np.abs(judgement.gram[~np.eye(32, dtype=bool)])
    assert abs(judgement.gram[one, other]) == off_diagonal.max()
    none = dataclasses.replace(judgement, gram=None, channels=None, weights=None)
    assert telling_channels(none) == (0, 0)
    assert "without channel attention" in channel_row(none, (0, 0)).words


def test_the_sheet_shows_all_of_it(networks, picture, expert) -> None:
    sheet = specimen_sheet(*networks, picture, expert, off={"edges", "channel attention"})
    assert len(sheet.rows) == 6
    shown = sheet._repr_html_()
    alts = re.findall(r'alt="([^"]*)"', shown)
    assert len(alts) == sum(len(row.tiles) for row in sheet.rows) >= 20
    assert all(len(alt) >= 20 for alt in alts)
    assert "Switched off in LF-Net: edges." in shown
    assert "Switched off in DA-Net: channel attention." in shown
    assert "no scores" in specimen_sheet(*networks, picture)._repr_html_()
    with pytest.raises(ValueError, match="found 'cbam', expected parts of these networks"):
        specimen_sheet(*networks, picture, off={"cbam"})
