"""The audit end to end: the headline, numbers from simulated images, corrupted numbers, and the command."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jaalnet_core.audit import RULES, audit
from jaalnet_core.cli import main
from jaalnet_core.errors import SettingsError
from jaalnet_core.metrics import AVERAGINGS, METRICS, per_image, pooled, two_class, two_class_pooled

HEADLINE = {
    "dice": "91.53",
    "iou": "89.68",
    "accuracy": "97.43",
    "sensitivity": "93.65",
    "specificity": "91.94",
}
RULE = {rule.name: rule for rule in RULES}
COMMAND = ["audit", *(part for metric, text in HEADLINE.items() for part in (f"--{metric}", text))]


@pytest.fixture(scope="module")
def headline():
    return audit(**HEADLINE)


def simulated_images(images: int = 40, seed: int = 0) -> torch.Tensor:
    """Confusion tables like a fair network's: lesions of all sizes, most outlines good, a few bad."""
    generator = torch.Generator().manual_seed(seed)
    share, miss, spill, chance = torch.rand(4, images, generator=generator, dtype=torch.float64)
    lesion = (16384 * (0.02 + 0.6 * share**2)).round()
    missed = (lesion * (0.02 + 0.15 * miss + 0.5 * (chance > 0.93))).round()
    spilled = ((16384 - lesion) * 0.06 * spill).round()
    return torch.stack([lesion - missed, spilled, missed, 16384 - lesion - spilled], dim=1)


def rounded(values: dict[str, float], digits: int = 2) -> dict[str, str]:
    return {metric: f"{100 * value:.{digits}f}" for metric, value in values.items()}


def test_the_headline_cannot_be_pooled(headline):
    finding = headline["pooled"]
    assert not finding.possible
    assert any("allows IoU 84.375 to 84.391, not 89.68" in reason for reason in finding.reasons)
    assert any("allow accuracy 91.935 to 93.655, not 97.43" in reason for reason in finding.reasons)
    assert all(not headline[name].possible for name, rule in RULE.items() if rule.pooled)


def test_the_headline_per_image_needs_nearly_all_or_nothing_images(headline):
    finding = headline["per_image"]
    assert finding.verdict == "strained"
    # Two kinds of images, perfect and failed, give the least spread: 1 - d = .0847, and IoU .2184 where it fails.
    failed = 2 * 0.2184 / 1.2184
    spread = (0.0847 * (1 - failed) - 0.0847**2) ** 0.5
    assert finding.measures["dice_iou_spread_share"] == pytest.approx(spread / (0.9153 * 0.0847) ** 0.5, abs=0.01)
    assert finding.measures["dice_spread"] >= spread - 0.003
    assert finding.measures["lost_dice_iou"] == pytest.approx((0.9153 - 0.8968) / 0.0847)
    assert finding.measures["specificity_lost_at"] == pytest.approx(1 - 0.0257 / 0.0806)


def test_the_headline_dice_fits_a_mean_of_lesion_and_background_iou():
    assert audit(dice="91.53", iou="89.68")["two_class_iou"].verdict == "possible"
    assert audit(dice="91.53", iou="89.68")["two_class_iou_pooled"].verdict == "possible"
    assert audit(dice="91.53", iou="89.68")["per_image"].verdict == "strained"


def test_the_headline_sensitivity_and_specificity_are_not_one_number(headline):
    for name in ("two_class", "two_class_pooled"):
        assert not headline[name].possible
        assert any("so they are equal" in reason for reason in headline[name].reasons)


def test_results_with_a_stated_protocol_are_possible_and_not_strained():
    winner = audit(dice=".910", iou=".843", accuracy=".953", sensitivity=".910", specificity=".965")
    assert winner["per_image"].verdict == "possible"  # as its authors say
    assert not winner["pooled"].possible
    assert audit(dice=".9308", iou=".8769")["per_image"].verdict == "possible"


@pytest.mark.parametrize("name", AVERAGINGS)
@pytest.mark.parametrize("digits", [0, 2, 3])
def test_simulated_images_are_possible_in_their_own_averaging(name, digits):
    values = AVERAGINGS[name](simulated_images(seed=digits))
    finding = audit(**rounded(values, digits), rules=[RULE[name]])[name]
    assert finding.verdict == "possible"
    shown = (
        finding.weights
        @ torch.stack(
            [finding.rule.values(torch.from_numpy(finding.tables))[metric] for metric in METRICS], dim=1
        ).numpy()
    )
    half_unit = 0.5 * 10.0 ** -(digits + 2)
    assert shown == pytest.approx([values[metric] for metric in METRICS], abs=2 * half_unit + 1e-8)


@pytest.mark.parametrize(
    ("name", "metric", "change"),
    [
        # Beyond the rounding of the other numbers; on one table each number follows from the others.
        ("pooled", "iou", 0.0003),
        ("pooled", "iou", -0.0003),
        ("pooled", "dice", 0.0003),
        ("pooled", "accuracy", 0.01),
        ("pooled", "specificity", -0.01),
        ("two_class_pooled", "iou", 0.0005),
        ("two_class_pooled", "dice", -0.0005),
        ("two_class_pooled", "sensitivity", 0.0003),
        ("two_class", "specificity", -0.0003),
    ],
)
def test_numbers_corrupted_beyond_rounding_are_impossible(name, metric, change):
    values = AVERAGINGS[name](simulated_images())
    values[metric] += change
    finding = audit(**rounded(values), rules=[RULE[name]])[name]
    assert finding.verdict == "impossible"
    assert finding.reasons
    assert len(finding.tables) == 0


@pytest.mark.parametrize("name", ["per_image", "two_class"])
@pytest.mark.parametrize("step", [0.0002, 0.05])
def test_means_outside_the_jensen_bounds_are_impossible(name, step):
    values = AVERAGINGS[name](simulated_images())
    dice = values["dice"]
    for iou in (dice / (2 - dice) - step, dice + step):
        values["iou"] = iou
        finding = audit(**rounded(values), rules=[RULE[name]])[name]
        assert finding.verdict == "impossible"
        assert f"not {100 * iou:.2f}" in finding.reasons[0]


def test_the_jensen_bounds_themselves_are_possible():
    assert audit(dice="0.8000", iou="0.6667", rules=[RULE["per_image"]])["per_image"].possible  # all alike
    edge = audit(dice="0.8000", iou="0.8000", rules=[RULE["per_image"]])["per_image"]  # all or nothing
    assert edge.verdict == "strained"
    assert edge.measures["failed_share"] == pytest.approx(0.2, abs=0.002)


def test_mean_accuracy_above_both_means_is_possible_per_image_alone():
    """A small lesion that is missed, and a lesion that fills the frame and spills over."""
    counts = torch.tensor([[5, 0, 5, 990], [990, 5, 0, 5]])
    values = per_image(counts)
    assert values["accuracy"] > max(values["sensitivity"], values["specificity"]) + 0.2
    result = audit(**rounded(values))
    assert result["per_image"].possible
    assert any("Accuracy above both" in reason for reason in result["per_image"].reasons)
    assert not result["pooled"].possible


def test_pooled_sensitivity_specificity_and_accuracy_determine_dice():
    values = pooled(simulated_images())
    del values["iou"]
    assert audit(**rounded(values), rules=[RULE["pooled"]])["pooled"].possible
    values["dice"] += 0.02
    finding = audit(**rounded(values), rules=[RULE["pooled"]])["pooled"]
    assert not finding.possible


tables = st.lists(st.tuples(*[st.integers(0, 60)] * 4).filter(any), min_size=1, max_size=4).map(torch.tensor)


@settings(max_examples=12, deadline=None)
@given(tables, st.sampled_from([2, 3]), st.sets(st.sampled_from(METRICS), min_size=1))
def test_any_images_are_possible_in_every_averaging(counts, digits, given_metrics):
    """Odd images too: empty masks, full masks, nothing right."""
    for name, average in AVERAGINGS.items():
        values = {metric: value for metric, value in average(counts).items() if metric in given_metrics}
        texts = {metric: f"{value:.{digits}f}" for metric, value in values.items()}
        assert audit(**texts, rules=[RULE[name]])[name].possible


def test_one_image_is_possible_both_pooled_and_per_image():
    counts = torch.tensor([[300, 40, 20, 640]])
    assert per_image(counts) == pytest.approx(pooled(counts))
    result = audit(**rounded(pooled(counts)))
    assert result["pooled"].possible
    assert result["per_image"].possible
    both = audit(**rounded(two_class_pooled(counts)))
    assert both["two_class"].possible
    assert both["two_class_pooled"].possible
    assert two_class(counts) == pytest.approx(two_class_pooled(counts))


def test_no_number_is_an_error():
    with pytest.raises(SettingsError, match="at least one of dice, iou"):
        audit()


def test_the_command_prints_every_averaging_and_writes_json(tmp_path, capsys):
    out = tmp_path / "audit.json"
    assert main([*COMMAND, "--json", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "dice 91.53 (91.525 to 91.535)" in printed
    assert "pooled over all pixels: impossible" in printed
    assert "\nper image: possible, but strained" in printed
    assert all(f"{rule.title}: " in printed for rule in RULES)
    findings = json.loads(out.read_text())["findings"]
    assert findings["pooled"]["verdict"] == "impossible"
    assert sum(table["share"] for table in findings["per_image"]["example"]) == pytest.approx(1)


def test_the_command_refuses_mixed_scales(capsys):
    assert main(["audit", "--dice", "0.9153", "--iou", "89.68"]) == 1
    assert "dice: found 0.9153 beside iou 89.68" in capsys.readouterr().err
