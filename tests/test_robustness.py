"""Robustness: networks small enough that what a disturbance does to them is known, the file, the page, the command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lesion_files import a_data_folder
from torch import Tensor, nn
from weight_files import write_safetensors

from jaalnet_core.cli import main
from jaalnet_core.cli import robustness as command_line
from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.source import LesionData
from jaalnet_core.errors import DataError, SettingsError
from jaalnet_core.metrics import confusion_counts, scores
from jaalnet_core.report import sha256
from jaalnet_core.robustness import (
    DISTURBANCES,
    Study,
    counted,
    page_text,
    read_studies,
    read_study,
    study_robustness,
    study_table,
    write_page,
)
from jaalnet_core.scoring_log import read_scorings
from jaalnet_core.size import Size
from jaalnet_core.weights import LoadedNetwork

SIZE = Size(48, 48)


class Darkness(nn.Module):
    """Lesion where the picture is darker than half: right on the pictures below, and thrown off by the light."""

    def forward(self, images: Tensor) -> Tensor:
        return 60 * (0.5 - images.mean(1, keepdim=True))


class LeftHalf(nn.Module):
    """Lesion on the left, whatever the picture shows."""

    def forward(self, images: Tensor) -> Tensor:
        logits = torch.full_like(images[:, :1], -5)
        logits[..., : logits.shape[-1] // 2] = 5
        return logits


def squares(count: int = 6) -> LesionArrays:
    """Dark squares on light skin, each elsewhere, with exact masks."""
    images, masks = np.full((count, *SIZE, 3), 200, np.uint8), np.zeros((count, *SIZE), np.uint8)
    for number in range(count):
        place = (slice(8 + 2 * number, 26 + 2 * number), slice(10, 24 + number))
        images[number][place], masks[number][place] = 70, 1
    return LesionArrays(tuple(f"square_{number}" for number in range(count)), images, masks)


def the_data(test: LesionArrays) -> LesionData:
    none = test.take([])
    return LesionData("squares", Path("squares"), none, none, test, (), ())


def loaded(network: nn.Module, size: Size = SIZE) -> LoadedNetwork:
    return LoadedNetwork(network, size, {}, Path("here") / "red.safetensors")


@pytest.fixture(scope="module")
def study() -> Study:
    return study_robustness(
        loaded(Darkness()),
        the_data(squares()),
        weights_sha256="abc",
        command="jaalnet robustness --checkpoint red.safetensors",
        environment={"git_revision": "f00", "cpu_cores": 2, "torch": "2"},
        device="cpu",
        batch_size=4,
        progress=False,
    )


def condition(study: Study, disturbance: str, number: int):
    return [one for one in study.conditions if one.disturbance == disturbance][number]


def test_there_are_three_strengths_of_each(study):
    assert [one.disturbance for one in study.conditions] == [name for name in DISTURBANCES for _ in range(3)]
    assert {"blur", "JPEG", "darker", "lighter", "red cast", "blue cast", "hair", "rotation"} == set(DISTURBANCES)
    assert len({(one.disturbance, one.level) for one in study.conditions}) == len(study.conditions)


@pytest.mark.parametrize("name", [name for name in DISTURBANCES if name != "rotation"])
def test_each_level_is_further_from_the_picture(name):
    arrays, one = squares(1), DISTURBANCES[name]
    changed = [one.change(arrays.images[0], level, "square_0").astype(int) for level in one.levels]
    distances = [np.abs(picture - arrays.images[0]).mean() for picture in changed]
    assert 0 < distances[0] < distances[1] < distances[2]


def test_casts_shift_what_they_say():
    grey = np.full((4, 4, 3), 100, np.uint8)
    for name, expected in {"red cast": (130, 100, 70), "blue cast": (70, 100, 130)}.items():
        one = DISTURBANCES[name]
        assert tuple(one.change(grey, one.levels[-1], "")[0, 0]) == expected
        assert one.says.format(30) in ("red +30 %, blue -30 %", "blue +30 %, red -30 %")


def test_the_undisturbed_pictures_are_scored_as_they_are(study):
    masks = torch.from_numpy(squares().masks)
    assert study.undisturbed.tolist() == confusion_counts(masks, masks).tolist()  # this network makes no mistake
    assert study.dice() == pytest.approx((1, 1, 1))


def test_darkness_throws_this_network_off_and_a_cast_does_not(study):
    darkest = condition(study, "darker", -1)  # all is darker than half: everything is marked
    assert darkest.counts[:, 3].tolist() == [0] * 6
    share = torch.from_numpy(squares().masks).double().mean((1, 2))
    expected = (2 * share / (1 + share) - 1).mean().item()
    mean, low, high = study.difference(darkest)
    assert mean == pytest.approx(expected)
    assert low < mean < high < 0
    assert study.lost(darkest) == 1
    assert study.difference(condition(study, "red cast", -1)) == (0, 0, 0)
    assert study.lost(condition(study, "red cast", -1)) == 0


def test_the_difference_is_paired(study):
    """Every picture loses alike: no spread, however different the pictures are."""
    first = torch.tensor([[10, 0, 0, 90], [40, 0, 0, 60], [80, 0, 0, 20]])
    worse = torch.tensor([[5, 0, 5, 90], [20, 0, 20, 60], [40, 0, 40, 20]])
    one = replace(study.conditions[0], counts=worse)
    paired = replace(study, ids=("a", "b", "c"), undisturbed=first, conditions=(one,))
    assert paired.difference(one) == pytest.approx((-1 / 3,) * 3)
    assert paired.lost(one) == 1
    controlled = replace(one, control=worse)  # a control of its own stands in for the undisturbed pictures
    assert paired.difference(controlled) == (0, 0, 0)
    assert paired.lost(controlled) == 0


def test_a_turned_network_is_compared_with_its_own_outline_turned(study):
    """This network knows no up and down, so turning costs nothing, corners and interpolation included."""
    for one in (one for one in study.conditions if one.disturbance == "rotation"):
        assert study.difference(one)[0] == pytest.approx(0, abs=0.01)
        assert one.control.sum(1).tolist() == one.counts.sum(1).tolist()  # both count the same pixels
    slanted, quarter = condition(study, "rotation", 1), condition(study, "rotation", 2)
    assert (slanted.counts.sum(1) < SIZE.height * SIZE.width).all()  # no invented corner is counted
    assert quarter.control.tolist() == study.undisturbed.tolist()


def test_a_network_that_does_not_turn_along_is_found_out():
    arrays = squares()
    left = np.zeros_like(arrays.masks)
    left[..., : SIZE.width // 2] = 1
    found = study_robustness(
        loaded(LeftHalf()),
        the_data(replace(arrays, masks=left)),
        device="cpu",
        progress=False,
    )
    assert found.dice()[0] == 1
    quarter = condition(found, "rotation", 2)
    assert found.difference(quarter)[0] == pytest.approx(-0.5, abs=0.01)
    assert scores(quarter.control)["dice"].min() == 1


def test_only_what_is_in_view_is_counted():
    outline, mask = np.array([[[1, 1, 0, 0]]]), np.array([[[1, 0, 1, 0]]])
    assert counted(outline, mask).tolist() == [[1, 1, 1, 1]]
    assert counted(outline, mask, np.array([[True, False, False, True]])).tolist() == [[1, 0, 0, 1]]


def test_what_cannot_be_scored_is_named():
    with pytest.raises(DataError, match="no test pictures"):
        study_robustness(loaded(Darkness()), the_data(squares().take([])), progress=False)
    with pytest.raises(SettingsError, match="pictures are 48x48, the network expects 64x64"):
        study_robustness(loaded(Darkness(), Size(64, 64)), the_data(squares()), progress=False)


# ---- file and page ----


def test_the_file_holds_everything(study, tmp_path):
    path = study.save(tmp_path / "red.json")
    again = read_study(path)
    assert study_table(again) == study_table(study)
    assert (again.ids, again.size, again.command) == (study.ids, SIZE, study.command)
    assert (again.checkpoint, again.data) == ("red.safetensors", "squares test")
    for one, other in zip(again.conditions, study.conditions, strict=True):
        assert one.counts.tolist() == other.counts.tolist()
        assert (one.control is None) == (other.disturbance != "rotation")
    assert "      [" in path.read_text()  # a picture's counts on a line of its own
    assert again.save(tmp_path / "again.json").read_text() == path.read_text()


@pytest.mark.parametrize("damage", ["no JSON", "{}", "another", "cut"])
def test_a_damaged_file_is_named(study, tmp_path, damage):
    path = study.save(tmp_path / "red.json")
    if damage in ("another", "cut"):
        values = json.loads(path.read_text())
        values |= {"format": "x"} if damage == "another" else {"undisturbed": values["undisturbed"][1:]}
        damage = json.dumps(values)
    path.write_text(damage)
    with pytest.raises(DataError, match=r"red\.json: cannot be read as a study of robustness"):
        read_study(path)


def test_the_page_is_made_from_the_files_alone(study, tmp_path):
    with pytest.raises(DataError, match="found no studies"):
        write_page(tmp_path)
    study.save(tmp_path / "red.json")
    replace(study, command="", weights_sha256="def").save(tmp_path / "blue.json")
    text = write_page(tmp_path).read_text()
    assert text == page_text(read_studies(tmp_path))
    assert text.index("## blue") < text.index("## red")
    for expected in ("`abc`", "`def`", "revision f00", "jaalnet robustness --checkpoint red.safetensors", "6 pictures"):
        assert expected in text
    lines = [line for line in text.splitlines() if line.startswith("| darker | colours times 0.3 |")]
    assert len(lines) == 2
    assert lines[0].endswith("| 100 % |")
    assert "No loss beyond chance: " in text
    with pytest.raises(DataError, match="found none"):
        page_text({})


# ---- the command ----


def test_the_command_scores_writes_and_keeps_no_diary_of_ones_own_pictures(tmp_path, capsys):
    folder, weights = a_data_folder(tmp_path / "data"), write_safetensors(tmp_path)
    out, diary = tmp_path / "out" / "mine.json", tmp_path / "diary.csv"
    words = ["robustness", "--checkpoint", str(weights), "--data", str(folder), "--device", "cpu"]
    words += ["--test-log", str(diary), "--json", str(out)]
    assert main([*words, "--page"]) == 0
    found = read_study(out)
    assert study_table(found) in capsys.readouterr().out
    assert (found.weights_sha256, found.data, len(found.ids)) == (sha256(weights), "data test", 2)
    assert found.command == f"jaalnet robustness --checkpoint {weights} --split test --json {out}"
    assert "command" not in found.environment
    assert (out.parent / "README.md").read_text() == page_text(read_studies(out.parent))
    assert read_scorings(diary) == []


def test_official_test_pictures_go_into_the_diary_before_they_are_scored(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise DataError("half-way")

    monkeypatch.setattr("jaalnet_core.robustness.study_robustness", fail)
    arrays = replace(squares(), images=squares().images)
    official = replace(the_data(arrays), name="ISBI2016")
    monkeypatch.setattr("jaalnet_core.data.source.open_data", lambda *_, **__: official)
    weights, diary = write_safetensors(tmp_path), tmp_path / "diary.csv"
    for split, expected in (("validation", 0), ("test", 1)):
        settings = command_line.Settings(weights, split=split, test_log=diary)
        with pytest.raises(DataError, match="half-way"):
            command_line.run(settings)
        assert len(read_scorings(diary)) == expected
    (line,) = read_scorings(diary)
    assert (line.weights_sha256, line.pictures) == (sha256(weights), "ISBI2016 test, 6")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--page"], "--page: found no --json"),
        (["--batch-size", "0"], "--batch-size 0"),
        (["--threshold", "2"], "--threshold 2"),
    ],
)
def test_settings_that_cannot_work(options, message, capsys):
    assert main(["robustness", "--checkpoint", "x.safetensors", *options]) == 1
    assert message in capsys.readouterr().err
