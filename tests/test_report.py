"""The report of a small made-up run: what it says is checked against what the run and the scores hold."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from matplotlib.image import imread

from jaalnet_core.cli import main
from jaalnet_core.cli.train import Settings as TrainCommand
from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.source import LesionData
from jaalnet_core.errors import CheckpointError, DataError, SettingsError
from jaalnet_core.evaluation import Evaluation, evaluate_network
from jaalnet_core.figures import save_figure
from jaalnet_core.files import write_json
from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.report import read_run, stored_evaluations, write_report
from jaalnet_core.report_page import duration, score_table, training_command
from jaalnet_core.size import Size
from jaalnet_core.training.settings import TrainSettings
from jaalnet_core.weights import load_lf_net, save_weights

SIZE = Size(32, 48)
LOG = """\
epoch,seconds,learning_rate,d_loss,g_loss,adversarial,region,contour,d_real,d_fake,validation_dice,validation_iou
1,40,1e-4,0.7,2.0,0.7,1.5,0.3,0.5,0.5,0.61,0.5
2,81,1e-4,0.6,1.5,0.8,1.1,0.2,0.6,0.4,0.8125,0.7
3,123,1e-4,0.6,1.4,0.8,1.0,0.2,0.6,0.4,0.80,0.7
"""


def lesions(count, size=SIZE, start=0):
    generator = np.random.default_rng(start)
    images = np.full((count, *size, 3), (215, 175, 155), np.uint8)
    masks = np.zeros((count, *size), np.uint8)
    for image, mask in zip(images, masks, strict=True):
        centre = (int(generator.integers(12, size.width - 12)), int(generator.integers(10, size.height - 10)))
        cv2.circle(mask, centre, int(generator.integers(4, 9)), 1, -1)
        image[mask > 0] = (95, 50, 40)
    return LesionArrays(tuple(f"p{start + index}" for index in range(count)), images, masks)


@pytest.fixture(autouse=True)
def drawn_later(monkeypatch):
    """Figures have their own tests; here rendering them is left out, except where a test asks for it."""

    def touch(figure, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")

    monkeypatch.setattr("jaalnet_core.report.save_figure", touch)


@pytest.fixture(autouse=True)
def one_thread():
    """Pictures this small gain nothing from a second thread, and lose much where the machine is busy."""
    torch.set_num_threads(1)


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "checkpoints" / "first-run"
    folder.mkdir(parents=True)
    settings = TrainSettings(data="synthetic", preset="tiny", epochs=3, batch_size=4, seed=7, size=SIZE)
    write_json(folder / "settings.json", settings.resolved().to_json())
    write_json(folder / "data.json", {"name": "synthetic", "sha256": "0", "train": 24, "notes": []})
    write_json(
        folder / "environment.json",
        {
            "jaalnet_core": "0.1.0",
            "git_revision": "abc123",
            "python": "3.12.1",
            "torch": "2.15.0",
            "torchvision": "0.29",
            "platform": "Linux",
            "cpu_cores": 2,
            "memory_gb": 7.7,
            "gpu": None,
            "command": "jaalnet train --data synthetic --preset tiny",
        },
    )
    (folder / "log.csv").write_text(LOG, encoding="utf-8")
    torch.manual_seed(0)
    save_weights(build_lf_net("tiny"), folder / "best.safetensors", SIZE, epoch=2)
    return folder


@pytest.fixture
def data(tmp_path):
    return LesionData(
        name="synthetic",
        root=tmp_path / "home" / "somebody" / "synthetic",
        train=lesions(2, start=100),
        validation=lesions(2, start=200),
        test=lesions(9),
        test_samples=(),
        notes=(
            "These are synthetic pictures.",
            f"synthetic at {tmp_path / 'home' / 'somebody' / 'synthetic'}: 9 test.",
        ),
    )


def scored(arrays, seed=0, **options):
    """An evaluation of random predictions: counts that belong to the pictures."""
    generator = torch.Generator().manual_seed(seed)
    tp = torch.randint(1, 100, (len(arrays), 1), generator=generator)
    other = torch.randint(0, 100, (len(arrays), 3), generator=generator)
    return Evaluation(arrays.ids, torch.cat([tp, other], dim=1), arrays.size, resamples=50, **options).to_json()


def test_the_folder_holds_everything(run, data, tmp_path, monkeypatch):
    monkeypatch.setattr("jaalnet_core.report.save_figure", save_figure)
    out = write_report(run, {"test": scored(data.test)}, data, tmp_path / "reports" / "first-run")
    assert out == tmp_path / "reports" / "first-run"
    names = {path.name for path in out.iterdir()}
    assert names == {"README.md", "metrics.json", "curves.png", "outlines.png", "dice.png"}
    text = (out / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"\]\(([^)]+)\)", text):
        assert (out / name).exists()
    assert imread(out / "outlines.png").shape[1] > 400


def test_scores_are_the_evaluations_in_percent(run, data, tmp_path):
    evaluation = scored(data.test)
    text = (write_report(run, {"test": evaluation}, data, tmp_path / "r") / "README.md").read_text()
    for averaging, title in (
        ("per_image", "| per image |"),
        ("pooled", "| pooled pixels |"),
        ("two_class", "| mean of lesion and background, per image |"),
        ("two_class_pooled", "| mean of lesion and background, pooled |"),
    ):
        (line,) = [line for line in text.splitlines() if line.startswith(title)]
        cells = [cell.strip() for cell in line.strip("|").split("|")][1:]
        for cell, metric in zip(cells, ("dice", "iou", "accuracy", "sensitivity", "specificity"), strict=True):
            value, low, high = (float(number) for number in re.findall(r"[\d.]+", cell))
            assert value == pytest.approx(100 * evaluation[averaging][metric], abs=0.0051)
            assert low == pytest.approx(100 * evaluation["ci95"][averaging][metric][0], abs=0.0051)
            assert high == pytest.approx(100 * evaluation["ci95"][averaging][metric][1], abs=0.0051)


def test_metrics_json_keeps_every_count(run, data, tmp_path):
    evaluation = scored(data.test)
    out = write_report(run, {"test": evaluation}, data, tmp_path / "r", baselines={"Otsu": evaluation})
    stored = json.loads((out / "metrics.json").read_text())
    assert stored["evaluations"]["test"] == json.loads(json.dumps(evaluation))
    assert stored["baselines"]["Otsu"]["n_images"] == 9


def test_the_run_is_described(run, data, tmp_path):
    text = (write_report(run, {"test": scored(data.test)}, data, tmp_path / "r") / "README.md").read_text()
    assert text.startswith("# first-run\n")
    for words in (
        "LF-Net `tiny`, trained adversarially against DA-Net on synthetic, 24 pictures",
        "recipe `course`, 3 epochs, seed 7",
        "9 images, network 48x32",
        "Best validation Dice 81.25 percent at epoch 2 of 3",
        "2 min 03 s for 3 epochs",
        "2 CPU cores, 7.7 GB",
        "torch 2.15.0",
        "revision abc123",
        "`jaalnet train --data synthetic --preset tiny`",
        "| `batch_size` | 4 |",
        "| `clip` | 1.0 |",
        "no medical device",
    ):
        assert words in text, words


def test_every_evaluation_and_baseline_has_its_table(run, data, tmp_path):
    evaluations = {
        "test": scored(data.test),
        "test at the masks' own size": scored(data.test, 1, score_at="mask", flips=True),
    }
    otsu = {"per_image": dict.fromkeys(("dice", "iou", "accuracy", "sensitivity", "specificity"), 0.5)}
    out = write_report(run, evaluations, data, tmp_path / "r", baselines={"Otsu's threshold": otsu})
    text = (out / "README.md").read_text()
    assert text.count("| per image |") == 2
    assert "at the masks' own size, mirror images averaged" in text
    assert "| Otsu's threshold | 50.00 | 50.00 | 50.00 | 50.00 | 50.00 |" in text
    assert re.search(r"\| this network \| [\d.]+ \(", text)


def test_no_folder_of_a_person_is_written(run, data, tmp_path):
    settings = TrainSettings(data="/home/somebody/photographs", out=tmp_path / "somebody" / "run", size=SIZE)
    write_json(run / "settings.json", settings.to_json())
    command = f"jaalnet train --data {settings.data} --out {settings.out} --size 48x32"
    write_json(run / "environment.json", {"command": command})
    out = write_report(run, {"test": scored(data.test)}, data, tmp_path / "r")
    text = (out / "README.md").read_text()
    assert "somebody" not in text
    assert "- synthetic at synthetic: 9 test." in text
    assert "`jaalnet train --data photographs --out run --size 48x32`" in text


@pytest.mark.parametrize(("name", "warned"), [("synthetic", False), ("ISBI2016", True), ("clinic", True)])
def test_real_photographs_carry_their_warning(run, data, tmp_path, name, warned):
    other = LesionData(name, data.root, data.train, data.validation, data.test, data.test_samples, data.notes)
    text = (write_report(run, {"test": scored(data.test)}, other, tmp_path / "r") / "README.md").read_text()
    assert ("ignored by git" in text) is warned


def test_validation_pictures_are_found_too(run, data, tmp_path):
    out = write_report(run, {"validation": scored(data.validation)}, data, tmp_path / "r")
    assert "2 images" in (out / "README.md").read_text()


def test_the_sheet_shows_the_networks_own_outlines(run, data, tmp_path, monkeypatch):
    seen = {}

    def sheet(arrays, predictions, dice, **options):
        seen.update(arrays=arrays, predictions=predictions, dice=dice)
        from jaalnet_core.figures import contact_sheet

        return contact_sheet(arrays, predictions, dice, **options)

    monkeypatch.setattr("jaalnet_core.report.contact_sheet", sheet)
    network = load_lf_net(run / "best.safetensors").network
    evaluation = evaluate_network(network, data.test, progress=False, threshold=0.4)
    write_report(run, {"test": evaluation.to_json()}, data, tmp_path / "r")
    tp, fp, fn, _ = evaluation.counts.T
    dice = dict(zip(evaluation.ids, (2 * tp / (2 * tp + fp + fn)).tolist(), strict=True))
    assert len(seen["arrays"]) == 9
    for id, mask, predicted, score in zip(
        seen["arrays"].ids, seen["arrays"].masks, seen["predictions"], seen["dice"], strict=True
    ):
        assert score == pytest.approx(dice[id])
        overlap = 2 * np.count_nonzero(mask & predicted) / (mask.sum() + predicted.sum())
        assert overlap == pytest.approx(score)


def test_a_report_is_rebuilt_in_place(run, data, tmp_path):
    out = tmp_path / "r"
    write_report(run, {"test": scored(data.test)}, data, out)
    before = (out / "README.md").read_text()
    write_report(run, {"test": scored(data.test, seed=1)}, data, out)
    assert (out / "README.md").read_text() != before
    assert len(list(out.iterdir())) == 5


def test_a_run_without_log_or_adversary_is_reported(run, data, tmp_path):
    (run / "log.csv").unlink()
    (run / "environment.json").unlink()
    settings = TrainSettings(preset="tiny", adversarial_weight=0.0, size=SIZE)
    write_json(run / "settings.json", settings.to_json())
    out = write_report(run, {"test": scored(data.test)}, data, tmp_path / "r")
    text = (out / "README.md").read_text()
    assert "trained without DA-Net" in text
    assert "curves.png" not in text
    assert "--adversarial-weight 0.0" in text


# What is refused


def test_errors_name_what_is_missing(run, data, tmp_path):
    evaluation = scored(data.test)
    with pytest.raises(SettingsError, match="evaluations"):
        write_report(run, {}, data, tmp_path / "r")
    with pytest.raises(DataError, match=r"settings\.json"):
        write_report(tmp_path, {"test": evaluation}, data, tmp_path / "r")
    with pytest.raises(DataError, match="p0"):
        write_report(run, {"test": scored(lesions(3, start=0).take([0]))}, _without_test(data), tmp_path / "r")
    (run / "best.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"best\.safetensors"):
        write_report(run, {"test": evaluation}, data, tmp_path / "r")
    assert not (tmp_path / "r").exists()


def _without_test(data):
    empty = data.test.take([])
    return LesionData(data.name, data.root, data.train, data.validation, empty, (), data.notes)


def test_pictures_of_another_size_are_refused(run, data, tmp_path):
    arrays = lesions(9, Size(40, 40))
    other = LesionData(data.name, data.root, data.train, data.validation, arrays, (), data.notes)
    with pytest.raises(SettingsError, match="48x32"):
        write_report(run, {"test": scored(arrays)}, other, tmp_path / "r")


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_a_damaged_settings_file_is_named(run, text):
    (run / "settings.json").write_text(text)
    with pytest.raises(DataError, match=r"settings\.json"):
        read_run(run)


# Parts


@pytest.mark.parametrize(
    ("given", "shown"), [("{root}/a/b/w.safetensors", "b/w.safetensors"), ("shipped/w.pt", "shipped/w.pt")]
)
def test_weights_to_start_from_are_named_without_anyones_folders(tmp_path, given, shown):
    settings = TrainSettings(start_from=Path(given.format(root=tmp_path)))
    (tmp_path / "settings.json").write_text(json.dumps(settings.to_json()))
    read = read_run(tmp_path).settings
    assert read.start_from == Path(shown)
    assert f"--start-from {shown}" in training_command(read)


@pytest.mark.parametrize(
    "changes",
    [
        {"preset": "base", "recipe": "published", "epochs": 40, "second_fake": False, "size": Size(160, 192)},
        {"without": ("cbam", "dense")},
        {"network": "unet"},
    ],
)
def test_the_training_command_repeats_the_settings(changes):
    settings = TrainSettings(data="synthetic", **changes).resolved()
    command = training_command(settings)
    assert command.startswith("jaalnet train --data synthetic ")
    import tyro

    from jaalnet_core.cli.registry import registry

    words = shlex.split(command)[2:]
    assert tyro.cli(TrainCommand, args=words, registry=registry()).resolved() == settings


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "LF-Net `tiny`, trained"),
        ({"without": ("cbam", "dense")}, "LF-Net `tiny` without dense, cbam, trained"),
        ({"network": "unet"}, "U-Net of the cost of LF-Net `tiny`, trained"),
    ],
)
def test_a_report_says_which_network_it_is_about(run, data, tmp_path, changes, words):
    settings = TrainSettings(data="synthetic", preset="tiny", size=SIZE, **changes)
    write_json(run / "settings.json", settings.to_json())
    text = (write_report(run, {"test": scored(data.test)}, data, tmp_path / "r") / "README.md").read_text()
    assert words in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_durations_read_as_people_say_them(seconds, text):
    assert duration(seconds) == text


def test_a_table_without_intervals_has_bare_numbers():
    evaluation = {"per_image": {"dice": 0.915, "iou": 0.84, "accuracy": 0.95, "sensitivity": 0.9, "specificity": 1.0}}
    assert score_table(evaluation).splitlines()[-1] == "| per image | 91.50 | 84.00 | 95.00 | 90.00 | 100.00 |"


def test_stored_scores_are_reused_only_for_the_same_weights_and_pictures(run, data, tmp_path):
    out = tmp_path / "r"
    assert stored_evaluations(run, out, data.test.ids) == {}
    evaluation = scored(data.test)
    write_report(run, {"test": evaluation}, data, out)
    assert list(stored_evaluations(run, out, data.test.ids)) == ["test"]
    assert stored_evaluations(run, out, data.validation.ids) == {}
    torch.manual_seed(1)
    save_weights(build_lf_net("tiny"), run / "best.safetensors", SIZE)
    assert stored_evaluations(run, out, data.test.ids) == {}
    (out / "metrics.json").write_text("[]")
    assert stored_evaluations(run, out, data.test.ids) == {}


# The command


@pytest.fixture
def folder(tmp_path):
    """A data folder with six test pictures at 64x96, and two to train on."""
    root = tmp_path / "photographs"
    for split, count in (("train", 2), ("test", 6)):
        arrays = lesions(count, Size(64, 96))
        for id, image, mask in zip(arrays.ids, arrays.images, arrays.masks, strict=True):
            for kind, pixels in (("images", image[..., ::-1]), ("masks", mask * 255)):
                path = root / split / kind / f"{id}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(path), pixels)
    return root


def test_command_scores_once_and_rebuilds(run, folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = ["report", str(run), "--data", str(folder)]
    assert main(arguments) == 0
    out = tmp_path / "reports" / "first-run"
    assert "reports/first-run/README.md" in capsys.readouterr().out.replace("\\", "/")
    text = (out / "README.md").read_text()
    assert "6 images, network 48x32, scored at that size" in text
    assert "6 images, network 48x32, at the masks' own size" in text
    counts = json.loads((out / "metrics.json").read_text())["evaluations"]["test at the masks' own size"]
    assert sum(counts["images"][0][name] for name in ("tp", "fp", "fn", "tn")) == 64 * 96

    (out / "README.md").unlink()
    (out / "outlines.png").unlink()
    calls = []
    monkeypatch.setattr("jaalnet_core.evaluation.evaluate_network", lambda *_, **__: calls.append(1))
    assert main(arguments) == 0
    assert not calls
    assert (out / "README.md").read_text() == text
    assert (out / "outlines.png").exists()


def test_command_names_a_folder_that_is_no_run(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 1
    assert "settings.json" in capsys.readouterr().err


@pytest.mark.real_data
def test_report_on_real_photographs(run, real_data, tmp_path):
    out = tmp_path / "real"
    data = ["--data", str(real_data)]
    assert main(["report", str(run), *data, "--out", str(out), "--split", "validation", "--score-at", "network"]) == 0
    text = (out / "README.md").read_text()
    assert "ignored by git" in text
    assert "ISBI2016, validation" in text
    assert str(real_data) not in text
