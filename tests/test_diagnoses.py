"""The challenge's diagnoses: both official forms of the file, the scores of each group, and what a person is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lesion_files import a_data_folder
from weight_files import write_safetensors

from jaalnet_core.cli import main
from jaalnet_core.data.diagnoses import FILES, find_diagnoses, read_diagnoses
from jaalnet_core.data.source import open_data
from jaalnet_core.diagnosis_scores import by_diagnosis, diagnosis_table
from jaalnet_core.errors import DataError
from jaalnet_core.evaluation import Evaluation
from jaalnet_core.group_scores import score_groups, unpaired_difference
from jaalnet_core.size import Size

# Dice 1, 1/2, 1/2, 0
COUNTS = torch.tensor([[4, 0, 0, 4], [2, 2, 2, 2], [2, 4, 0, 2], [0, 2, 2, 4]])
EVALUATION = Evaluation(("a", "b", "c", "d"), COUNTS, Size(32, 32), data="squares test")
DIAGNOSES = {"a": "malignant", "b": "benign", "c": "benign", "d": "malignant", "elsewhere": "benign"}


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "img_id,Label\nISIC_1,benign\nISIC_2,malignant\n",
        "image_id,malignant\r\nISIC_1,0.0\r\nISIC_2,1.0",
        "ISIC_1,0\nISIC_2,1\n",
        "\ufeffimage_id,malignant\n\n ISIC_1 , Benign \nISIC_2,1.0\nISIC_2,malignant\n",
    ],
)
def test_words_and_numbers_mean_the_same(tmp_path, text):
    assert read_diagnoses(written(tmp_path / "d.csv", text)) == {"ISIC_1": "benign", "ISIC_2": "malignant"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ISIC_1,benign\nISIC_2,unknown\n", r"d\.csv, line 2: found 'ISIC_2,unknown', expected"),
        ("ISIC_1\n", r"line 1: found 'ISIC_1'"),
        ("ISIC_1,benign,yes\n", r"line 1: found 'ISIC_1,benign,yes'"),
        ("img_id,Label\n", "holds no diagnosis"),
        ("ISIC_1,0\n\nISIC_1,1\n", "line 3: ISIC_1 is malignant here and benign above"),
    ],
)
def test_what_cannot_be_meant_is_named(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read_diagnoses(written(tmp_path / "d.csv", text))


def test_no_text_is_no_table(tmp_path):
    (tmp_path / "d.csv").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(DataError, match=r"d\.csv: cannot be read"):
        read_diagnoses(tmp_path / "d.csv")


def test_they_are_found_beside_the_pictures_or_not_at_all(tmp_path):
    data = open_data(a_data_folder(tmp_path), Size(32, 32), progress=False)
    assert find_diagnoses(data, "test") is None
    written(tmp_path / FILES["test"], "x,0\n")
    written(tmp_path / FILES["train"], "y,1\n")
    assert find_diagnoses(data, "test") == {"x": "benign"}
    assert find_diagnoses(data, "train") == find_diagnoses(data, "validation") == {"y": "malignant"}
    with pytest.raises(DataError, match="'holiday', expected one of train, validation, test"):
        find_diagnoses(data, "holiday")


@pytest.mark.real_data
def test_the_official_files_cover_every_picture(real_data):
    data = open_data(real_data, Size(32, 32), splits=(), progress=False)
    found = find_diagnoses(data, "test")
    assert (len(found), list(found.values()).count("malignant")) == (379, 75)
    found = find_diagnoses(data, "train")
    assert (len(found), list(found.values()).count("malignant")) == (900, 173)


# ---- scores ----


def test_each_group_has_its_own_mean():
    found = by_diagnosis(EVALUATION, DIAGNOSES)
    assert [(group.name, group.count) for group in found.groups] == [("benign", 2), ("malignant", 2)]
    assert found.groups[0].scores["dice"] == pytest.approx((0.5, 0.5, 0.5))  # no spread, no width
    mean, low, high = found.groups[1].scores["dice"]
    assert (mean, low, high) == (0.5, 0.0, 1.0)  # both of one kind is drawn in a quarter of the resamples
    assert found.differences["dice"] == (0.0, -0.5, 0.5)
    assert found.differences["sensitivity"][0] == pytest.approx((1 + 0) / 2 - (0.5 + 1) / 2)
    assert found.without == 0


def test_a_group_is_the_evaluation_of_its_pictures_alone():
    found = by_diagnosis(EVALUATION, DIAGNOSES)
    alone = Evaluation(("b", "c"), COUNTS[1:3], Size(32, 32))
    for name, (mean, low, high) in found.groups[0].scores.items():
        assert mean == pytest.approx(alone.averages()["per_image"][name])
        assert (low, high) == pytest.approx(alone.intervals()["per_image"][name])


def test_the_difference_is_not_paired():
    """Two groups that move together, picture by picture, have no paired spread, and yet an unpaired one."""
    values = torch.linspace(0, 1, 20)
    mean, low, high = unpaired_difference(values + 0.1, values)
    assert mean == pytest.approx(0.1)
    spread = values.double().std() * (2 / 20) ** 0.5
    assert (high - low) / (2 * 1.96) == pytest.approx(spread.item(), rel=0.1)
    assert unpaired_difference(values, values + 0.1)[0] == pytest.approx(-0.1)


def test_groups_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match="4 counts and 3 labels"):
        score_groups(COUNTS, ["a", "b", "a"], ["dice"])
    with pytest.raises(ValueError, match="0 and 4 values"):
        unpaired_difference(torch.tensor([]), torch.ones(4))


def test_pictures_without_a_diagnosis_are_counted_and_left_out():
    found = by_diagnosis(EVALUATION, {"a": "benign", "b": "benign"})
    assert (found.without, found.differences) == (2, {})
    assert [(group.name, group.count) for group in found.groups] == [("benign", 2)]
    with pytest.raises(DataError, match=r"found 1, and none for the 4 scored pictures \(such as a\)"):
        by_diagnosis(EVALUATION, {"elsewhere": "benign"})


def test_the_table_is_made_from_the_json_alone():
    table = diagnosis_table(json.loads(json.dumps(EVALUATION.to_json())), DIAGNOSES)
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert lines[0] == ["diagnosis", "images", "Dice", "IoU", "Sensitivity"]
    assert lines[2][:3] == ["benign", "2", "50.00 (50.00 to 50.00)"]
    assert lines[3][:3] == ["malignant", "2", "50.00 (0.00 to 100.00)"]
    assert lines[4][:3] == ["malignant minus benign", "", "+0.00 (-50.00 to +50.00)"]
    fewer = {id: DIAGNOSES[id] for id in "ab"}
    assert diagnosis_table(EVALUATION.to_json(), fewer).endswith("\n\n2 pictures without a diagnosis are left out.")


def test_intervals_follow_the_evaluations_own_resampling():
    few = replace(EVALUATION, counts=COUNTS.repeat(5, 1), ids=tuple("abcdefghijklmnopqrst"), resamples=20)
    kinds = dict.fromkeys(few.ids, "benign")
    for other in (replace(few, seed=1), replace(few, resamples=21)):
        assert by_diagnosis(few, kinds).groups != by_diagnosis(other, kinds).groups


# ---- the command ----


def test_evaluate_prints_and_keeps_the_groups(tmp_path, capsys):
    folder, weights = a_data_folder(tmp_path / "data", test=4), write_safetensors(tmp_path)
    ids = sorted(sample.id for sample in open_data(folder, Size(32, 32), progress=False).test_samples)
    rows = "".join(f"{id},{number % 2}\n" for number, id in enumerate(ids[:3]))
    command = ["evaluate", "--checkpoint", str(weights), "--data", str(folder), "--device", "cpu", "--by-diagnosis"]
    assert main(command) == 1
    assert f"found no {FILES['test']} in {folder}" in capsys.readouterr().err
    written(folder / FILES["test"], rows)
    assert main([*command, "--json", str(tmp_path / "scores.json")]) == 0
    printed = capsys.readouterr().out
    assert "malignant minus benign" in printed
    assert "1 pictures without a diagnosis are left out." in printed
    values = json.loads((tmp_path / "scores.json").read_text())
    assert values["diagnoses"] == {ids[0]: "benign", ids[1]: "malignant", ids[2]: "benign"}
    assert diagnosis_table(values, values["diagnoses"]).count("\n") == 6
