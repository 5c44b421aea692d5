"""Symptoms from logs: hand-made ones on either side of each threshold, and the recorded runs."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from jaalnet_core.figures import read_log
from jaalnet_core.training import TrainSettings
from jaalnet_core.training.symptoms import adversarial_share, diagnose, weights_in

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT / "reports/published/failing-runs"
EPOCHS = 12


def log(contour_weight: float = 0.5, weight: float = 0.02, **columns) -> dict[str, np.ndarray]:
    """A run without a symptom, but for what `columns` say; its total loss is the weighted sum."""
    epochs = np.arange(1.0, EPOCHS + 1)
    made = {
        "epoch": epochs,
        "region": 1 / epochs,
        "contour": 1.6 - 0.05 * epochs,
        "adversarial": np.sin(epochs),
        "d_real": np.full(EPOCHS, 0.7),
        "d_fake": np.full(EPOCHS, 0.5),
        "validation_dice": 1 - 0.7 / epochs,
    } | {name: np.broadcast_to(np.asarray(values, float), EPOCHS) for name, values in columns.items()}
    contour = contour_weight * made["contour"] if np.isfinite(made["contour"]).all() else 0.0
    made["g_loss"] = made["region"] + contour + weight * np.nan_to_num(made["adversarial"])
    return made


def names(columns) -> list[str]:
    return [symptom.name for symptom in diagnose(columns)]


def test_a_run_without_a_symptom():
    assert names(log()) == []


def test_a_run_without_da_net_has_nothing_to_diagnose():
    nothing = np.full(EPOCHS, np.nan)
    assert names(log(d_real=nothing, d_fake=nothing, adversarial=nothing)) == []
    assert diagnose({"epoch": np.arange(3.0)}) == []


@pytest.mark.parametrize(("sure_epochs", "wins"), [(2, False), (3, True), (5, True)])
def test_da_net_wins_when_it_is_sure_for_three_epochs_in_a_row(sure_epochs, wins):
    real, fake = np.full(EPOCHS, 0.7), np.full(EPOCHS, 0.5)
    real[1 : 1 + sure_epochs], fake[1 : 1 + sure_epochs] = 0.99, 0.01
    (symptom,) = diagnose(log(d_real=real, d_fake=fake)) or [None]
    assert (symptom is not None) is wins
    if wins:
        assert symptom.name == "da-net-wins"
        assert f"sure for {sure_epochs} epochs in a row (epoch {1 + sure_epochs}: real 0.990, fake 0.010)" in (
            symptom.words
        )


def test_sure_epochs_apart_are_no_win():
    real, fake = np.full(EPOCHS, 0.7), np.full(EPOCHS, 0.5)
    real[[0, 1, 3, 4]], fake[[0, 1, 3, 4]] = 0.99, 0.01
    assert "da-net-wins" not in names(log(d_real=real, d_fake=fake))


@pytest.mark.parametrize(("gap", "blind"), [(0.0, True), (0.015, True), (-0.015, True), (0.03, False), (-0.03, False)])
def test_da_net_is_blind_when_it_never_tells_in_the_second_half(gap, blind):
    late = np.where(np.arange(EPOCHS) < EPOCHS // 2, 0.3, gap)
    assert (names(log(d_real=0.5 + late, d_fake=0.5)) == ["da-net-is-blind"]) is blind


@pytest.mark.parametrize(("weight", "heard"), [(0.02, True), (1.0, True), (1e-3, False), (1e-6, False)])
def test_da_net_is_not_heard_when_its_part_of_the_loss_is_tiny(weight, heard):
    assert (names(log(weight=weight)) == []) is heard
    assert ("da-net-is-not-heard" in names(log(weight=weight))) is not heard


@pytest.mark.parametrize(("swing", "oscillates"), [(0.05, False), (0.1, True)])
def test_opinions_that_swing_are_an_oscillation(swing, oscillates):
    fake = 0.5 + swing / 2 * (-1.0) ** np.arange(EPOCHS)
    assert (names(log(d_fake=fake)) == ["oscillation"]) is oscillates


@pytest.mark.parametrize(("falls", "oscillates"), [(2, False), (3, True)])
def test_a_dice_that_falls_again_and_again_is_an_oscillation(falls, oscillates):
    dice = np.full(EPOCHS, 0.8)
    dice[EPOCHS // 2 + 1 : EPOCHS // 2 + 2 * falls : 2] = 0.7
    assert (names(log(validation_dice=dice)) == ["oscillation"]) is oscillates


def test_what_moves_in_the_first_half_is_no_oscillation():
    fake = np.where(np.arange(EPOCHS) < EPOCHS // 2, 0.5 + 0.2 * (-1.0) ** np.arange(EPOCHS), 0.5)
    assert names(log(d_fake=fake)) == []


def test_a_run_of_few_epochs_is_not_judged_by_its_halves():
    short = {name: values[:5] for name, values in log(d_real=0.5, d_fake=0.5).items()}
    assert names(short) == []


@pytest.mark.parametrize(("contour_weight", "weight"), [(0.5, 0.02), (0.1, 3.0), (2.0, 0.0)])
def test_the_weights_are_found_from_the_log(contour_weight, weight):
    assert weights_in(log(contour_weight, weight)) == pytest.approx((contour_weight, weight), abs=1e-9)


def test_weights_of_parts_that_were_not_there_are_nan():
    nothing = np.full(EPOCHS, np.nan)
    contour, weight = weights_in(log(weight=0.3, contour=nothing))
    assert math.isnan(contour)
    assert weight == pytest.approx(0.3)
    contour, weight = weights_in(log(adversarial=nothing))
    assert contour == pytest.approx(0.5)
    assert math.isnan(weight)
    assert all(math.isnan(value) for value in weights_in({name: values[:2] for name, values in log().items()}))


def test_the_share_by_hand():
    even = log(weight=0.5, region=1.0, contour=np.nan, adversarial=[-2.0] * EPOCHS)
    assert adversarial_share(even) == pytest.approx(0.5)
    assert math.isnan(adversarial_share(log(adversarial=np.full(EPOCHS, np.nan))))


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("healthy", []),
        ("alone", []),
        ("alone-slowly", []),
        ("da-net-not-heard", ["da-net-is-not-heard"]),
        ("da-net-wins", ["da-net-wins"]),
        ("oscillation", ["da-net-wins", "oscillation"]),
    ],
)
def test_the_recorded_runs_show_what_they_are_named_after(run, expected):
    assert names(read_log(RECORDED / run / "log.csv")) == expected


@pytest.mark.parametrize("card", sorted((ROOT / "checkpoints/shipped").glob("*/log.csv")), ids=lambda p: p.parent.name)
def test_the_shipped_runs_show_what_lesson_8_says(card):
    """DA-Net wins against the published recipe; the others play on."""
    assert names(read_log(card)) == (["da-net-wins"] if card.parent.name == "small-published" else [])


@pytest.mark.parametrize("run", ["healthy", "da-net-not-heard", "da-net-wins", "oscillation"])
def test_the_recorded_weights_are_those_of_the_settings(run):
    settings = TrainSettings.from_json(json.loads((RECORDED / run / "settings.json").read_text()))
    found = weights_in(read_log(RECORDED / run / "log.csv"))
    assert found == pytest.approx((settings.contour_weight, settings.adversarial_weight), rel=1e-3, abs=1e-5)


def test_what_the_lesson_says_of_the_recorded_runs():
    logs = {path.parent.name: read_log(path) for path in RECORDED.glob("*/log.csv")}
    wins = logs["da-net-wins"]
    assert wins["d_real"][2:].min() > 0.99
    assert wins["d_fake"][2:].max() < 0.01
    assert wins["adversarial"][-1] > 1.3 * wins["adversarial"][2] > 1.3 * wins["adversarial"][1]
    assert wins["region"][-1] > wins["region"][0] - 0.1, "the region loss hardly falls"
    assert logs["alone-slowly"]["validation_dice"][-1] > wins["validation_dice"][-1] + 0.3, "so it was DA-Net"
    best = {name: one["validation_dice"].max() for name, one in logs.items()}
    close = [best[name] for name in ("healthy", "da-net-not-heard", "alone")]
    assert max(close) - min(close) < 0.01
    assert best["oscillation"] < min(close) - 0.05


def test_the_table_beside_the_recorded_runs_says_what_their_logs_say():
    text = (RECORDED / "README.md").read_text()
    logs = {path.parent.name: read_log(path) for path in RECORDED.glob("*/log.csv")}
    assert len(logs) == 6
    for name, one in logs.items():
        (row,) = re.findall(rf"^\| `{name}` \|.*\| (\S+) \|$", text, re.MULTILINE)
        assert row == f"{one['validation_dice'].max():.3f}", name


@pytest.mark.parametrize("run", ["alone", "alone-slowly", "da-net-not-heard", "da-net-wins", "oscillation"])
def test_each_recorded_run_was_made_by_the_command_beside_it(run):
    """The options in the README are the settings that differ from the healthy run's."""
    text = (RECORDED / "README.md").read_text()
    (options,) = re.findall(rf"^\| `{run}` \| `(--.*)` \|$", text, re.MULTILINE)
    asked = dict(zip(options.split()[::2], options.split()[1::2], strict=True))
    healthy, one = (json.loads((RECORDED / name / "settings.json").read_text()) for name in ("healthy", run))
    changed = {"--" + key.replace("_", "-"): value for key, value in one.items() if value != healthy[key]}
    changed.pop("--out")
    assert {key: str(value) for key, value in changed.items()} == {
        key: str(type(changed[key])(value)) for key, value in asked.items()
    }
