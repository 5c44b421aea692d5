"""Shipped weights: the same network as the run's, scored from the file, on a card without anyone's folders."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from jaalnet_core import shipping
from jaalnet_core.cards import card_files
from jaalnet_core.cli import main
from jaalnet_core.data.diagnoses import FILES as DIAGNOSES
from jaalnet_core.data.source import open_data
from jaalnet_core.data.synthetic import write_dataset
from jaalnet_core.diagnosis_scores import diagnosis_table
from jaalnet_core.errors import CheckpointError, DataError
from jaalnet_core.evaluation import Evaluation
from jaalnet_core.report import sha256
from jaalnet_core.report_page import score_table
from jaalnet_core.scoring_log import read_scorings
from jaalnet_core.shipping import look_closer, ship
from jaalnet_core.size import Size
from jaalnet_core.training import TrainSettings, train
from jaalnet_core.weights import load_da_net, load_lf_net

SIZE = Size(32, 32)


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("private-folder") / "set", train=12, test=4, size=SIZE, progress=False)


@pytest.fixture(scope="module")
def run(data_folder, tmp_path_factory) -> Path:
    settings = TrainSettings(
        data=str(data_folder),
        preset="tiny",
        epochs=2,
        batch_size=6,
        size=SIZE,
        device="cpu",
        out=tmp_path_factory.mktemp("private-runs") / "run",
    )
    return train(settings, progress=False, say=lambda text: None).folder


@pytest.mark.parametrize("half", [False, True])
def test_the_shipped_file_is_the_runs_network_and_is_what_was_scored(run, data_folder, tmp_path, half):
    words = [str(run), "--name", "mine", "--data", str(data_folder), "--out", str(tmp_path)]
    assert main(["ship", *words, *(["--half"] if half else [])]) == 0
    folder = tmp_path / "mine"
    shipped, original = load_lf_net(folder / "lf_net.safetensors"), load_lf_net(run / "best.safetensors")
    for name, tensor in original.network.state_dict().items():
        expected = tensor.half().float() if half and tensor.is_floating_point() else tensor
        assert torch.equal(shipped.network.state_dict()[name], expected), name
    assert load_da_net(folder / "da_net.safetensors").metadata == load_da_net(run / "da_net.safetensors").metadata

    metrics = json.loads((folder / "metrics.json").read_text())
    scores = tmp_path / "again.json"
    weights = ["--checkpoint", str(folder / "lf_net.safetensors"), "--data", str(data_folder)]
    assert main(["evaluate", *weights, "--json", str(scores)]) == 0
    assert json.loads(scores.read_text())["images"] == metrics["evaluations"]["test"]["images"]
    assert set(metrics["baselines"]) == {"Otsu's threshold", "mean training mask"}
    assert len(metrics["evaluations"]) == 4


def test_the_card_says_what_it_must_and_names_no_folder_of_a_person(run, data_folder, tmp_path):
    data = open_data(data_folder, SIZE, progress=False)
    notes = ["One mask is missing."]
    folder = ship(run, data, "mine", notes=notes, out=tmp_path / "shipped")
    card = (folder / "README.md").read_text()
    metrics = json.loads((folder / "metrics.json").read_text())
    assert score_table(metrics["evaluations"]["test"]) in card
    recomputed = Evaluation.from_json(metrics["evaluations"]["test"]).averages()["per_image"]["dice"]
    assert f"{100 * recomputed:.2f}" in card
    for words in (
        "**No medical device**",
        "## Intended use, and not",
        "## Check",
        "jaalnet evaluate --checkpoint checkpoints/shipped/mine/lf_net.safetensors",
        metrics["checkpoint_sha256"],
        sha256(folder / "da_net.safetensors"),
        "## Failures in words",
        "smallest quarter",
        "jaalnet train",
        "--preset tiny",
        "seed",
        "Otsu",
        "recipe",
        "- One mask is missing.",
    ):
        assert words in card
    for file in folder.iterdir():
        if file.suffix in (".md", ".json", ".csv"):
            assert "private" not in file.read_text(), file.name
    assert {"curves.png", "dice.png", "log.csv", "settings.json"} <= {file.name for file in folder.iterdir()}


def test_a_card_is_made_anew_from_its_files_alone(run, data_folder, tmp_path):
    folder = ship(run, open_data(data_folder, SIZE, progress=False), "mine", out=tmp_path)
    card = (folder / "README.md").read_bytes()
    (folder / "lf_net.safetensors").unlink()  # nothing is scored
    for name in ("README.md", "dice.png", "curves.png"):
        (folder / name).unlink()
    files = card_files(folder)
    assert not any(file.is_current() for file in files)
    for file in files:
        file.write()
    assert (folder / "README.md").read_bytes() == card
    assert all(file.is_current() for file in card_files(folder))


def test_the_settings_of_a_card_are_those_its_run_had(run, data_folder, tmp_path):
    """A setting that came later is no news about an older run."""
    folder = ship(run, open_data(data_folder, SIZE, progress=False), "mine", out=tmp_path)
    settings = json.loads((folder / "settings.json").read_text())
    assert "| `clip` | 1.0 |" in card_files(folder)[0].text
    (folder / "settings.json").write_text(json.dumps({k: v for k, v in settings.items() if k != "clip"}))
    assert "| `clip` |" not in card_files(folder)[0].text


@pytest.mark.parametrize("missing", ["notes", "training", "evaluations", "name"])
def test_a_card_without_its_numbers_is_refused_by_name(run, data_folder, tmp_path, missing):
    folder = ship(run, open_data(data_folder, SIZE, progress=False), "mine", out=tmp_path)
    metrics = json.loads((folder / "metrics.json").read_text())
    (folder / "metrics.json").write_text(json.dumps({k: v for k, v in metrics.items() if k != missing}))
    with pytest.raises(DataError, match=rf"metrics\.json.*{missing}"):
        card_files(folder)


def test_a_refreshed_card_has_the_diagnoses_that_came_later_and_the_same_scores(run, data_folder, tmp_path):
    data = open_data(data_folder, SIZE, progress=False)
    folder = ship(run, data, "mine", out=tmp_path)
    before = json.loads((folder / "metrics.json").read_text())
    assert before["diagnoses"] is None
    assert "## By diagnosis" not in (folder / "README.md").read_text()
    copy = shutil.copytree(data_folder, tmp_path / "data")
    diagnoses = {id: ("malignant" if place % 2 else "benign") for place, id in enumerate(data.test.ids)}
    lines = [f"{id},{word}" for id, word in {**diagnoses, "elsewhere": "benign"}.items()]
    (copy / DIAGNOSES["test"]).write_text("\n".join(lines) + "\n")
    assert main(["ship", "--refresh", "mine", "--data", str(copy), "--out", str(tmp_path)]) == 0
    after = json.loads((folder / "metrics.json").read_text())
    assert after["diagnoses"] == diagnoses
    assert {k: v for k, v in after.items() if k not in ("diagnoses", "failures")} == {
        k: v for k, v in before.items() if k not in ("diagnoses", "failures")
    }
    card = (folder / "README.md").read_text()
    assert "## By diagnosis" in card
    assert diagnosis_table(after["evaluations"]["test"], diagnoses) in card
    assert all(f"- {line}" in card for line in after["failures"]["worst"])


def test_other_pictures_or_other_weights_refresh_no_card(run, data_folder, tmp_path):
    data = open_data(data_folder, SIZE, progress=False)
    folder = ship(run, data, "mine", out=tmp_path)
    before = (folder / "metrics.json").read_bytes()
    with pytest.raises(DataError, match="others"):
        look_closer(folder, replace(data, test=data.validation))
    (folder / "lf_net.safetensors").write_bytes((run / "last.safetensors").read_bytes())
    with pytest.raises(DataError, match="SHA-256"):
        look_closer(folder, data)
    assert (folder / "metrics.json").read_bytes() == before


@pytest.mark.parametrize("words", [[], ["--name", "mine"], ["run"], ["run", "--refresh", "mine"]])
def test_ship_is_told_a_run_and_a_name_or_what_to_refresh(words, capsys):
    assert main(["ship", *words]) == 1
    assert "--refresh" in capsys.readouterr().err


def test_a_run_without_adversary_is_not_shipped(run, data_folder, tmp_path):
    alone = tmp_path / "alone"
    alone.mkdir()
    for name in ("settings.json", "best.safetensors"):
        (alone / name).write_bytes((run / name).read_bytes())
    with pytest.raises(DataError, match="adversarially"):
        ship(alone, open_data(data_folder, SIZE, progress=False), "mine", out=tmp_path)


def test_a_file_that_is_too_large_is_not_left_there(run, data_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(shipping, "LARGEST", 1000)
    with pytest.raises(CheckpointError, match="--half"):
        ship(run, open_data(data_folder, SIZE, progress=False), "mine", out=tmp_path)
    assert not (tmp_path / "mine" / "lf_net.safetensors").exists()


@pytest.mark.parametrize(("name", "lines"), [("ISBI2016", 1), ("mine-own", 0)])
def test_only_a_scoring_on_the_official_test_pictures_is_on_record(
    run, data_folder, tmp_path, monkeypatch, name, lines
):
    def named(*arguments, **options):
        return replace(open_data(*arguments, **options, progress=False), name=name)

    monkeypatch.setattr("jaalnet_core.data.source.open_data", named)
    diary = tmp_path / "diary.csv"
    words = ["--name", "mine", "--data", str(data_folder), "--out", str(tmp_path), "--test-log", str(diary)]
    assert main(["ship", str(run), *words]) == 0
    found = read_scorings(diary)
    assert len(found) == lines
    for scoring in found:
        assert scoring.weights_sha256 == sha256(run / "best.safetensors")
        assert (scoring.pictures, scoring.purpose) == ("ISBI2016 test, 4", "the card of mine")
        assert str(tmp_path.parent) not in scoring.command
    words = ["--data", str(data_folder), "--out", str(tmp_path), "--test-log", str(diary)]
    assert main(["ship", "--refresh", "mine", *words]) == 0
    refreshed = read_scorings(diary)[lines:]
    assert [one.command for one in refreshed] == ["jaalnet ship --refresh mine"] * lines
    assert {one.weights_sha256 for one in refreshed} <= {sha256(tmp_path / "mine" / "lf_net.safetensors")}
