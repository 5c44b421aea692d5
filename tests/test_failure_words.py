"""Failures in words: what is said of outlines whose fault is known, and what Dice is found to depend on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.source import LesionData
from jaalnet_core.errors import DataError
from jaalnet_core.evaluation import Evaluation, evaluate_network
from jaalnet_core.failure_words import failure_lines, failure_summary, summary_table, what_went_wrong
from jaalnet_core.size import Size

SIDE = 64


def box(top: int, left: int, height: int, width: int) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[top : top + height, left : left + width] = True
    return mask


LESION = box(20, 20, 20, 20)


@pytest.mark.parametrize(
    ("outline", "expected"),
    [
        (box(0, 0, 0, 0), "nothing is outlined"),
        (box(50, 0, 10, 41), "misplaced: the outline lies wholly beside the lesion, over 10 % of the frame"),
        (box(20, 20, 30, 20), "too large: 1.5 times the lesion's area"),
        (box(0, 0, 64, 64), "too large: 10 times the lesion's area"),
        (box(20, 20, 10, 20), "too small: 0.50 times the lesion's area"),
        (box(20, 24, 20, 20), "misplaced: as large as the lesion"),
        (box(20, 30, 20, 20), "misplaced: as large as the lesion, and yet 50 % of it is left out"),
        (box(20, 20, 8, 20) | box(32, 20, 8, 20), "too small: 0.80 times the lesion's area, split into 2 pieces"),
        (box(20, 20, 30, 20) | box(0, 0, 2, 2), "too large: 1.5 times the lesion's area"),  # a speck is no piece
    ],
)
def test_an_outlines_fault_in_words(outline, expected):
    assert what_went_wrong(outline, LESION) == expected


class Darkness(nn.Module):
    """Lesion where the picture is darker than half."""

    def forward(self, images: Tensor) -> Tensor:
        return 60 * (0.5 - images.mean(1, keepdim=True))


def the_pictures() -> LesionArrays:
    """Eight dark boxes, larger and larger; what is wrong with each stands beside it."""
    masks = np.stack([box(28 - 2 * n, 28 - 2 * n, 8 + 4 * n, 8 + 4 * n) for n in range(8)]).astype(np.uint8)
    images = np.where(masks[..., None] > 0, np.uint8(70), np.uint8(210)).repeat(3, 3)
    images[1][masks[1] > 0] = 140  # too pale for this network: nothing is outlined
    images[2][box(0, 0, 8, 64)] = 60  # a dark band above: too large
    images[3][box(0, 0, 7, 7) | box(0, 57, 7, 7)] = 0  # dark corners
    return LesionArrays(tuple(f"box_{n}" for n in range(8)), images, masks)


def the_data(test: LesionArrays) -> LesionData:
    none = test.take([])
    return LesionData("boxes", Path("boxes"), none, none, test, (), ())


DATA = the_data(the_pictures())
EVALUATION = evaluate_network(Darkness(), DATA.test, progress=False)
DIAGNOSES = {"box_1": "malignant", "box_2": "benign", "box_5": "malignant"}


def test_the_worst_come_first_a_line_each():
    lines = failure_lines(Darkness(), DATA, EVALUATION, 3, DIAGNOSES)
    assert [line.split(":")[0] for line in lines] == ["box_1", "box_2", "box_3"]
    assert lines[0].startswith(
        "box_1: Dice 0.0; nothing is outlined; lesion 4 % of the frame; low contrast to the skin ("
    )
    assert lines[0].endswith("; malignant.")
    assert "too large: 3.0 times the lesion's area, split into 2 pieces; lesion 6 % of the frame; high" in lines[1]
    assert lines[1].endswith("; benign.")
    assert lines[2].endswith("; dark corners.")  # no diagnosis is known
    assert all("\n" not in line for line in lines)
    assert len(failure_lines(Darkness(), DATA, EVALUATION, 50)) == 8


def test_without_diagnoses_none_is_named():
    assert not any("malignant" in line or "benign" in line for line in failure_lines(Darkness(), DATA, EVALUATION))


def test_a_lesion_that_fills_the_frame_is_described():
    pictures = the_pictures()
    full = LesionArrays(
        pictures.ids, pictures.images, np.concatenate([np.ones_like(pictures.masks[:1]), pictures.masks[1:]])
    )
    evaluation = evaluate_network(Darkness(), the_data(full).test, progress=False)
    said = {line.split(":")[0]: line for line in failure_lines(Darkness(), the_data(full), evaluation)}["box_0"]
    assert "lesion 100 % of the frame, reaches its edge; no skin around it in the frame" in said
    rows = failure_summary(the_data(full), evaluation)
    assert sum(count for title, _, count, *_ in rows if title == "contrast to the skin") == 7


def test_the_evaluations_threshold_and_flips_are_those_of_the_outline():
    strict = evaluate_network(Darkness(), DATA.test, threshold=0.0, progress=False)
    assert all("too large" in line for line in failure_lines(Darkness(), DATA, strict, 3))


class LeftHalf(nn.Module):
    """Sure of the left half, whatever it shows."""

    def forward(self, images: Tensor) -> Tensor:
        logits = torch.full_like(images[:, :1], -5)
        logits[..., : SIDE // 2] = 5
        return logits


def test_mirror_images_are_averaged_where_the_evaluation_did():
    for flips, expected in ((False, "too large"), (True, "nothing is outlined")):
        evaluation = evaluate_network(LeftHalf(), DATA.test, threshold=0.6, flips=flips, progress=False)
        assert expected in failure_lines(LeftHalf(), DATA, evaluation, 1)[0]


def test_groups_hold_the_pictures_they_name():
    rows = failure_summary(DATA, EVALUATION, DIAGNOSES)
    by = {}
    for title, name, count, (mean, low, high), gap in rows:
        assert low <= mean <= high
        by.setdefault(title, {})[name] = (count, mean, gap)
    sizes = by["lesion's share of the frame"]
    assert [count for count, *_ in sizes.values()] == [2, 2, 2, 2]
    dice = [2 * tp / (2 * tp + fp + fn) for tp, fp, fn, _ in EVALUATION.counts.tolist()]
    for quarter, (_, mean, _) in enumerate(sizes.values()):
        assert mean == pytest.approx(np.mean(dice[2 * quarter : 2 * quarter + 2]))
    first, largest = sizes["smallest quarter"], sizes["largest quarter"]
    assert first[2] is None
    assert largest[2][0] == pytest.approx(largest[1] - first[1])
    assert by["frame's edge"]["not reached"][0] == 8
    assert "reached" not in by["frame's edge"]
    assert by["diagnosis"]["malignant"] == (2, np.mean([dice[1], dice[5]]), by["diagnosis"]["malignant"][2])
    assert by["diagnosis"]["malignant"][2][0] == pytest.approx(np.mean([dice[1], dice[5]]) - dice[2])
    assert sum(count for count, *_ in by["contrast to the skin"].values()) == 8
    assert by["contrast to the skin"]["low"][:2] == (1, 0)  # the pale one; all others stand off alike


def test_edge_contact_is_a_group():
    touching = the_pictures()
    touching.masks[0][0, 0] = 1
    rows = failure_summary(the_data(touching), EVALUATION)
    assert [(name, count) for title, name, count, *_ in rows if title == "frame's edge"] == [
        ("not reached", 7),
        ("reached", 1),
    ]


def test_the_table_is_the_same_from_json():
    rows = failure_summary(DATA, EVALUATION, DIAGNOSES)
    table = summary_table(rows)
    assert summary_table(json.loads(json.dumps(rows))) == table
    lines = table.splitlines()
    assert lines[2].startswith("| lesion's share of the frame | smallest quarter | 2 | 50.00 (0.00 to 100.00) |  |")
    assert lines[3].startswith("|  | second quarter | 2 | ")
    assert "| diagnosis | benign | 1 | " in table


def test_the_pictures_are_found_by_their_ids_in_any_order():
    turned = Evaluation(EVALUATION.ids[::-1], EVALUATION.counts.flip(0), Size(SIDE, SIDE))
    assert failure_lines(Darkness(), DATA, turned, 2) == failure_lines(Darkness(), DATA, EVALUATION, 2)


def test_other_pictures_are_refused():
    other = Evaluation(("elsewhere",), torch.ones(1, 4, dtype=torch.int64), Size(SIDE, SIDE))
    for ask in (lambda: failure_summary(DATA, other), lambda: failure_lines(Darkness(), DATA, other)):
        with pytest.raises(DataError, match=r"does not hold the 1 pictures that were scored \(such as elsewhere\)"):
            ask()
