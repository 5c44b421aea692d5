"""Project B: the worst are found, experiments change one thing, and a record that is not true is noticed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from jaalnet_core.course.projects import (
    Experiment,
    Failure,
    Result,
    find_worst,
    kind_of,
    problems,
    run_experiment,
    sheet,
    sheet_problems,
)
from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.errors import SettingsError
from jaalnet_core.evaluation import evaluate_network
from jaalnet_core.size import Size


class DarkIsLesion(nn.Module):
    """Logits from brightness alone: right on dark lesions, wrong on dark skin and pale lesions."""

    def __init__(self, threshold: float = 0.4) -> None:
        super().__init__()
        self.threshold = nn.Parameter(torch.tensor(threshold))

    def forward(self, images: Tensor) -> Tensor:
        return 20 * (self.threshold - images.mean(1, keepdim=True))


NETWORK = DarkIsLesion()
SIDE = 32
WORDS = "a dark square on bright skin is left out although it can be seen"


def squares(count: int = 40) -> LesionArrays:
    """Squares of brightness 0.24, but every eighth is too pale for the network, the first one wholly."""
    masks = np.zeros((count, SIDE, SIDE), np.uint8)
    masks[:, 8:24, 8:24] = 1
    images = np.where(masks[..., None] > 0, 60, 200).astype(np.uint8).repeat(3, axis=3)
    for number, i in enumerate(range(0, count, 8)):
        images[i, 8 : 24 - 2 * number, 8:24] = 150
    return LesionArrays(tuple(f"square_{i}" for i in range(count)), images, masks)


PICTURES = squares()
COUNTS = evaluate_network(NETWORK, PICTURES, progress=False).counts
DARKEN = Experiment("brightness", levels=(1.0, 0.6), expected="better", pictures=40)


def complete(**changes) -> Failure:
    result = run_experiment(DARKEN, NETWORK, PICTURES)
    whole = Failure("square_0", WORDS, "missed", WORDS, result, result.outcome, WORDS)
    return replace(whole, **changes)


@pytest.mark.parametrize(
    ("counts", "kind"),
    [
        ((0, 0, 5, 5), "missed"),
        ((0, 9, 5, 5), "missed"),
        ((5, 4, 2, 5), "too much"),
        ((5, 3, 0, 5), "too much"),
        ((5, 2, 4, 5), "too little"),
        ((5, 3, 2, 5), "shifted"),
        ((5, 0, 0, 5), "shifted"),
    ],
)
def test_the_kind_follows_from_the_counts(counts, kind) -> None:
    assert kind_of(counts) == kind


def test_the_worst_come_first_and_ties_keep_their_order() -> None:
    found = find_worst(PICTURES, COUNTS, count=7)
    assert [one.picture for one in found] == [f"square_{i}" for i in (0, 8, 16, 24, 32, 1, 2)]
    assert [one.kind for one in found[:2]] == ["missed", "too little"]
    assert found[0].value == 0
    assert found[-1].value == 1


def test_the_worst_by_another_score_are_others() -> None:
    counts = torch.tensor([[10, 0, 5, 85], [15, 30, 0, 55], [15, 1, 1, 83]])
    three = PICTURES.take(range(3))
    assert find_worst(three, counts, "sensitivity", 1)[0].picture == "square_0"
    assert find_worst(three, counts, "specificity", 1)[0].picture == "square_1"
    with pytest.raises(SettingsError, match="expected one of dice"):
        find_worst(three, counts, "beauty")
    with pytest.raises(SettingsError, match="3 pictures and 40 counts"):
        find_worst(three, COUNTS)


def test_a_dial_changes_the_picture_and_not_the_mask() -> None:
    experiment = Experiment("contrast", levels=(1.0, 0.0), expected="worse", pictures=8, size=Size(32, 32))
    result = run_experiment(experiment, DarkIsLesion(0.5))
    assert result.values.shape == (2, 8)
    assert result.ids == tuple(f"controlled_{i:04d}" for i in range(8))
    assert result.means[1] < result.means[0]
    assert (result.found, result.outcome) == ("worse", "supported")
    assert replace_expected(result, "better").outcome == "refuted"
    assert "contrast: mean dice" in result.report
    assert "expected worse, found worse: supported" in result.report


def replace_expected(result: Result, expected: str) -> Result:
    return Result(replace(result.experiment, expected=expected), result.weights, result.ids, result.values)


def test_hairs_are_counted_in_whole_numbers() -> None:
    experiment = Experiment("hairs", levels=(0.0, 40.0), expected="worse", pictures=8, size=Size(32, 32))
    assert run_experiment(experiment, NETWORK).values.shape == (2, 8)


def test_a_disturbance_changes_the_given_pictures() -> None:
    result = run_experiment(DARKEN, NETWORK, PICTURES)
    assert result.ids == PICTURES.ids
    assert result.values[0, 0] == 0
    assert result.values[1, 0] == 1  # 150 of 255 times 0.6 is below 0.4: found now
    assert result.outcome == "supported"


def test_a_disturbance_of_ones_own() -> None:
    def frame(picture: np.ndarray, width: float) -> np.ndarray:
        framed = picture.copy()
        if width:
            framed[: int(width)] = 0
        return framed

    experiment = Experiment("black bar", levels=(0, 6), expected="worse", pictures=8, change=frame)
    result = run_experiment(experiment, NETWORK, PICTURES)
    assert result.outcome == "supported"
    assert PICTURES.images[1, 0].min() > 100, "the pictures themselves are as before"


def test_a_disturbance_of_controlled_pictures_needs_none_given() -> None:
    small = {"pictures": 8, "size": Size(32, 32), "on": "controlled"}
    result = run_experiment(Experiment("brightness", (1.0, 0.3), "worse", **small), NETWORK)
    assert result.ids[0] == "controlled_0000"
    assert result.means[1] != pytest.approx(result.means[0], abs=0.05)
    clean = run_experiment(Experiment("area", (0.2, 0.3), "worse", pictures=8, size=Size(32, 32)), NETWORK)
    assert clean.experiment.on == "controlled"
    assert torch.equal(result.values[0], clean.values[0]), "the held dials are those of the clean picture"


def scores_of(gaps: list[float]) -> Result:
    first = torch.linspace(0.5, 0.7, len(gaps), dtype=torch.float64)
    steps = torch.stack([first, first + torch.tensor(gaps, dtype=torch.float64)])
    return Result(Experiment("blur", (0, 1), "no effect"), "", tuple(map(str, range(len(gaps)))), steps)


@pytest.mark.parametrize(
    ("gaps", "found"),
    [
        ([-0.3, -0.25, -0.2, -0.35] * 4, "worse"),
        ([0.3, 0.25, 0.2, 0.35] * 4, "better"),
        ([-0.3, 0.3, -0.2, 0.25] * 4, "undecided"),
        ([-0.01, 0.01, 0.0, -0.01] * 4, "no effect"),
        ([-0.01, -0.01, -0.01, -0.012] * 4, "no effect"),
    ],
)
def test_what_was_found_follows_from_the_interval(gaps, found) -> None:
    result = scores_of(gaps)
    assert result.found == found
    expected = {"no effect": "supported", "undecided": "undecided"}.get(found, "refuted")
    assert result.outcome == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"factor": "hair"}, "factor: found 'hair'"),
        ({"factor": "blur", "change": lambda picture, level: picture}, "there already"),
        ({"levels": (1.0,)}, "two or more"),
        ({"levels": (1.0, 1.0)}, "all different"),
        ({"expected": "bad"}, "expected worse"),
        ({"score": "f1"}, "score: found 'f1'"),
        ({"pictures": 3}, "8 or more"),
        ({"factor": "blur", "on": "mine"}, "given or controlled"),
    ],
)
def test_an_experiment_that_cannot_be_run_is_refused(changes, message) -> None:
    with pytest.raises(SettingsError, match=message):
        Experiment(**{"factor": "contrast", "levels": (1.0, 0.5), "expected": "worse", **changes})


def test_a_disturbance_needs_pictures_and_levels_in_range() -> None:
    for given in (None, PICTURES.take(range(8))):
        with pytest.raises(SettingsError, match="expected 40 or more"):
            run_experiment(DARKEN, NETWORK, given)
    with pytest.raises(SettingsError, match=r"warmth at 3: shift: found 3"):
        run_experiment(Experiment("warmth", (0, 3), "worse", pictures=8), NETWORK, PICTURES)


def test_a_complete_record_has_no_problems() -> None:
    assert problems(complete(), PICTURES, NETWORK) == []


def test_an_empty_record_lists_all_that_is_left_to_do() -> None:
    found = problems(Failure("square_0"), PICTURES, NETWORK)
    assert [one.split(":")[0] for one in found] == ["seen", "hypothesis", "conclusion", "kind", "result"]


def test_text_without_a_picture_stands_alone() -> None:
    assert problems(Failure("square_999"), PICTURES, NETWORK) == ["picture: 'square_999' is not among the 40 pictures"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seen": "it is bad"}, "seen: 3 words"),
        ({"hypothesis": "hair"}, "hypothesis: 1 words"),
        ({"conclusion": ""}, "conclusion: 0 words"),
        ({"kind": "too little"}, "the counted pixels say 'missed'"),
        ({"outcome": "refuted"}, "the result says 'supported'"),
        ({"result": None}, "no experiment yet"),
        ({"score": "f1"}, "score: 'f1'"),
    ],
)
def test_what_is_missing_or_untrue_is_named(changes, message) -> None:
    found = problems(complete(**changes), PICTURES, NETWORK)
    assert len(found) == 1
    assert message in found[0]


def test_a_picture_outside_the_worst_quarter_is_no_failure() -> None:
    fewer = PICTURES.take([0, 8, 16, 24, 32, *range(33, 40)])  # five of twelve are wrong; a quarter is three
    result = run_experiment(replace(DARKEN, pictures=12), NETWORK, fewer)
    good = complete(picture="square_39", kind="shifted", result=result, outcome=result.outcome)
    assert problems(good, fewer, NETWORK) == ["score: dice 1.000 is rank 6 from below, expected at most 3"]
    assert problems(replace(good, picture="square_16", kind="too little"), fewer, NETWORK) == []


def test_an_experiment_on_another_network_is_noticed() -> None:
    found = problems(complete(), PICTURES, DarkIsLesion(0.41))
    assert "result: the experiment was run on another network" in found


def test_scores_that_were_not_measured_are_noticed_when_it_is_run_again() -> None:
    true = run_experiment(DARKEN, NETWORK, PICTURES)
    values = true.values.clone()
    values[1, 5] -= 0.01
    invented = complete(result=Result(true.experiment, true.weights, true.ids, values))
    assert problems(invented, PICTURES, NETWORK) == ["result: running the experiment again gives other scores"]
    assert problems(invented, PICTURES, NETWORK, rerun=False) == []


def test_a_changed_experiment_does_not_match_the_old_scores() -> None:
    true = run_experiment(DARKEN, NETWORK, PICTURES)
    other = Result(replace(DARKEN, levels=(1.0, 0.9)), true.weights, true.ids, true.values)
    assert problems(complete(result=other), PICTURES, NETWORK) == [
        "result: running the experiment again gives other scores"
    ]


def ten() -> list[Failure]:
    small = {"pictures": 8, "size": Size(32, 32)}
    experiments = [
        DARKEN,
        Experiment("contrast", (1.0, 0.0), "worse", **small),
        Experiment("hairs", (0, 60), "worse", **small),
    ]
    results = [run_experiment(one, NETWORK, PICTURES) for one in experiments]
    worst = find_worst(PICTURES, COUNTS, count=10)
    return [
        Failure(one.picture, WORDS, one.kind, WORDS, results[i % 3], results[i % 3].outcome, WORDS)
        for i, one in enumerate(worst)
    ]


def test_ten_complete_records_are_a_complete_sheet() -> None:
    assert sheet_problems(ten(), PICTURES, NETWORK) == []


def test_a_sheet_says_what_is_missing_in_which_record() -> None:
    failures = ten()
    assert "9 failures, expected 10" in sheet_problems(failures[:9], PICTURES, NETWORK)
    assert sheet_problems([*failures[:9], failures[0]], PICTURES, NETWORK) == ["square_0 is there twice"]
    alike = [replace(one, result=failures[0].result, outcome=failures[0].outcome) for one in failures]
    assert sheet_problems(alike, PICTURES, NETWORK) == ["things varied: 1, expected at least 3 different ones"]
    untold = [*failures[:9], replace(failures[9], conclusion="")]
    assert sheet_problems(untold, PICTURES, NETWORK) == [
        f"{failures[9].picture}: conclusion: 0 words, expected a sentence of 8 or more"
    ]


def test_the_sheet_is_a_table_with_a_row_each() -> None:
    lines = str(sheet([complete(seen="a | b\nc"), Failure("square_8")])).splitlines()
    assert len(lines) == 4
    assert len({line.count("|") for line in lines}) == 1
    assert "a / b c" in lines[2]
    assert "brightness 1 to 0.6" in lines[2]
    assert "none yet" in lines[3]
