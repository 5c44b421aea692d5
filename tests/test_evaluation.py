"""Evaluation with networks small enough to predict by hand, and the JSON and table that people read."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from jaalnet_core import weights
from jaalnet_core.bootstrap import metric_intervals
from jaalnet_core.cli import main
from jaalnet_core.cli.evaluate import format_table
from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.layout import Sample
from jaalnet_core.errors import CheckpointError, DataError, SettingsError
from jaalnet_core.evaluation import Evaluation, choose_device, evaluate_network, predict_probabilities
from jaalnet_core.metrics import METRICS, confusion_counts
from jaalnet_core.size import Size


class Redness(nn.Module):
    """Lesion where the red channel is above one half."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(40.0))
        self.batches: list[int] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        assert not self.training
        assert torch.is_inference_mode_enabled()
        self.batches.append(len(images))
        return self.slope * (images[:, :1] - 0.5)


class Position(nn.Module):
    """Logits that depend on the place alone: sure on the left column, unsure elsewhere."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits = torch.full_like(images[:, :1], -1.0)
        logits[..., 0] = 5.0
        return logits


@pytest.fixture
def arrays() -> LesionArrays:
    """Seven pictures whose red discs are close to, but not quite, their masks."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:32, :40]
    images = np.zeros((7, 32, 40, 3), np.uint8)
    masks = np.zeros((7, 32, 40), np.uint8)
    for number in range(7):
        cy, cx, radius = random.uniform(10, 22), random.uniform(12, 28), random.uniform(3, 10)
        images[number, ..., 0] = 255 * ((y - cy) ** 2 + (x - cx) ** 2 < radius**2)
        masks[number] = (y - cy - 1) ** 2 + (x - cx) ** 2 < radius**2
    return LesionArrays(tuple(f"picture-{number}" for number in range(7)), images, masks)


def test_counts_are_those_of_the_thresholded_prediction(arrays):
    network = Redness().train()
    evaluation = evaluate_network(network, arrays, size=Size(32, 40), batch_size=3, progress=False)
    expected = confusion_counts(torch.from_numpy(arrays.images[..., 0] > 127), torch.from_numpy(arrays.masks))
    assert evaluation.counts.tolist() == expected.tolist()
    assert evaluation.ids == arrays.ids
    assert network.batches == [3, 3, 1]
    assert network.training, "the training mode must come back"


def test_a_higher_threshold_marks_fewer_pixels(arrays):
    counts = [
        evaluate_network(Position(), arrays, threshold=threshold, progress=False).counts
        for threshold in (0.1, 0.5, 0.999)
    ]
    positives = [(table[:, 0] + table[:, 1]).unique().tolist() for table in counts]
    assert positives == [[32 * 40], [32], [0]]


def test_flips_average_probabilities_not_logits():
    probabilities = predict_probabilities(Position(), torch.zeros(2, 3, 32, 32), flips=True)
    sure, unsure = 1 / (1 + math.exp(-5)), 1 / (1 + math.exp(1))
    assert probabilities[..., 0].flatten().tolist() == pytest.approx([(sure + unsure) / 2] * 64)
    assert torch.equal(probabilities[..., 0], probabilities[..., -1])
    assert probabilities[..., 5].flatten().tolist() == pytest.approx([unsure] * 64)


def test_flips_do_not_change_a_network_that_looks_at_single_pixels(arrays):
    images, _ = arrays.tensors()
    plain = predict_probabilities(Redness(), images)
    torch.testing.assert_close(predict_probabilities(Redness(), images, flips=True), plain)


def test_batches_do_not_change_probabilities(arrays):
    images, _ = arrays.tensors()
    whole = predict_probabilities(Redness(), images)
    assert torch.equal(predict_probabilities(Redness(), images, batch_size=2), whole)
    assert whole.shape == (7, 1, 32, 40)
    assert not whole.requires_grad


def test_at_mask_size_the_probabilities_are_enlarged_before_the_threshold(arrays, tmp_path):
    samples, expected = [], []
    images, _ = arrays.tensors()
    probabilities = predict_probabilities(Redness(), images)
    for number, id in enumerate(arrays.ids):
        height, width = 50 + 13 * number, 90 - 5 * number  # every mask has a size of its own
        mask = cv2.resize(arrays.masks[number], (width, height), interpolation=cv2.INTER_NEAREST)
        cv2.imwrite(str(tmp_path / f"{id}.png"), 255 * mask)
        samples.append(Sample(id, tmp_path / f"{id}.jpg", tmp_path / f"{id}.png"))
        enlarged = cv2.resize(probabilities[number, 0].numpy(), (width, height), interpolation=cv2.INTER_LINEAR)
        expected.append(confusion_counts(torch.from_numpy(enlarged > 0.47)[None], torch.from_numpy(mask)[None]))
    evaluation = evaluate_network(
        Redness(),
        arrays,
        score_at="mask",
        samples=samples[::-1],
        batch_size=2,
        threshold=0.47,
        progress=False,
    )
    assert evaluation.counts.sum(1).tolist() == [(50 + 13 * n) * (90 - 5 * n) for n in range(7)]
    # (At a threshold of exactly one half, symmetric edges give ties that rounding would decide.)
    assert evaluation.counts.tolist() == torch.cat(expected).tolist()


def test_a_missing_mask_file_is_named(arrays):
    with pytest.raises(DataError, match=r"7 of 7 pictures, such as picture-0"):
        evaluate_network(Redness(), arrays, score_at="mask", progress=False)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": Size(32, 32)}, "pictures are 40x32, the network expects 32x32"),
        ({"score_at": "native"}, "expected 'network' or 'mask'"),
        ({"batch_size": 0}, "batch_size 0"),
        ({"threshold": 1.5}, "threshold 1.5"),
    ],
)
def test_settings_that_cannot_work(arrays, settings, message):
    with pytest.raises(SettingsError, match=message):
        evaluate_network(Redness(), arrays, progress=False, **settings)


def test_no_pictures(arrays):
    with pytest.raises(DataError, match="no pictures"):
        evaluate_network(Redness(), arrays.take([]), progress=False)


def test_a_diverged_network_is_not_scored(arrays):
    network = Redness()
    nn.init.constant_(network.slope, math.nan)
    with pytest.raises(CheckpointError, match="NaN or infinity"):
        evaluate_network(network, arrays, progress=False)


def test_an_output_of_another_size_is_refused(arrays):
    with pytest.raises(ValueError, match="expected logits"):
        evaluate_network(nn.AvgPool2d(2), arrays, progress=False)


def test_json_has_what_the_report_needs(arrays, tmp_path):
    evaluation = evaluate_network(Redness(), arrays, checkpoint="best.safetensors", data="discs test", progress=False)
    path = evaluation.save(tmp_path / "new folder" / "scores.json")
    values = json.loads(path.read_text())
    assert values["n_images"] == 7
    assert values["size"] == [32, 40]
    assert values["checkpoint"] == "best.safetensors"
    assert (values["score_at"], values["threshold"]) == ("network", 0.5)
    for averaging in ("per_image", "pooled", "two_class", "two_class_pooled"):
        assert list(values[averaging]) == list(METRICS)
        for name in METRICS:
            low, high = values["ci95"][averaging][name]
            assert 0 <= low <= values[averaging][name] <= high <= 1
    assert values["per_image"]["dice"] < 1
    tables = [[image[column] for column in ("tp", "fp", "fn", "tn")] for image in values["images"]]
    assert tables == evaluation.counts.tolist()
    assert [image["id"] for image in values["images"]] == list(arrays.ids)
    assert Evaluation.from_json(values).to_json() == values
    assert [file.name for file in path.parent.iterdir()] == ["scores.json"]


def test_intervals_are_the_seeded_bootstrap(arrays):
    evaluation = evaluate_network(Redness(), arrays, progress=False)
    assert evaluation.intervals() == metric_intervals(evaluation.counts, samples=2000, seed=0)


def test_the_table_shows_every_averaging_in_percent():
    counts = torch.tensor([[3, 1, 2, 4]])
    table = format_table(Evaluation(("one",), counts, Size(32, 32), data="one test", flips=True))
    lines = table.splitlines()
    assert "1 pictures (one test), network 32x32, pixels counted at network size" in lines[0]
    assert lines[3].split() == list(METRICS)
    assert lines[4].split()[:4] == ["per", "image", "66.67", "(66.67-66.67)"]
    assert [line[:17].strip() for line in lines[4:]] == [
        "per image",
        "pooled",
        "two-class",
        "two-class pooled",
    ]


def test_choose_device():
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type in ("cpu", "cuda")
    with pytest.raises(SettingsError, match="try cpu"):
        choose_device("abacus")


@pytest.fixture
def disc_folder(arrays, tmp_path) -> Path:
    """The discs as a data folder whose masks are larger than the network's size, for both splits."""
    for split in ("train", "test"):
        for number, id in enumerate(arrays.ids):
            for kind, picture in (("images", arrays.images[number]), ("masks", 255 * arrays.masks[number])):
                folder = tmp_path / "data" / split / kind
                folder.mkdir(parents=True, exist_ok=True)
                enlarged = cv2.resize(picture, (80, 64), interpolation=cv2.INTER_NEAREST)
                bgr = enlarged if enlarged.ndim == 2 else enlarged[..., ::-1]
                cv2.imwrite(str(folder / f"{id}-{split}.png"), bgr)
    return tmp_path / "data"


@pytest.mark.parametrize("split", ["test", "train"])
@pytest.mark.parametrize("score_at", ["network", "mask"])
def test_the_command_scores_and_writes(disc_folder, tmp_path, monkeypatch, capsys, split, score_at):
    loaded = weights.LoadedNetwork(Redness(), Size(32, 40), {}, tmp_path / "red.safetensors")
    monkeypatch.setattr(weights, "load_segmenter", lambda path, device="cpu": loaded)
    out = tmp_path / "scores.json"
    arguments = [
        "evaluate",
        "--data",
        str(disc_folder),
        "--checkpoint",
        "red.safetensors",
        "--json",
        str(out),
    ]
    arguments += ["--split", split, "--score_at", score_at, "--bootstrap", "50", "--device", "cpu"]
    assert main(arguments) == 0
    values = json.loads(out.read_text())
    pixels = 80 * 64 if score_at == "mask" else 32 * 40
    assert all(sum(image[key] for key in ("tp", "fp", "fn", "tn")) == pixels for image in values["images"])
    assert values["data"] == f"data {split}"
    assert values["bootstrap"] == {"resamples": 50, "seed": 0}
    assert 0.5 < values["per_image"]["dice"] < 1
    printed = capsys.readouterr().out
    assert f"{100 * values['per_image']['dice']:.2f} (" in printed
    assert str(out) in printed


def test_the_command_scores_views(disc_folder, tmp_path, monkeypatch, capsys):
    loaded = weights.LoadedNetwork(Redness(), Size(32, 32), {}, tmp_path / "red.safetensors")
    monkeypatch.setattr(weights, "load_segmenter", lambda path, device="cpu": loaded)
    out = tmp_path / "scores.json"
    arguments = ["evaluate", "--data", str(disc_folder), "--checkpoint", "red.safetensors", "--device", "cpu"]
    assert main([*arguments, "--views", "--bootstrap", "50", "--json", str(out)]) == 0
    values = json.loads(out.read_text())
    views = np.array(values["dice_over_views"])
    assert views.shape == (8, len(values["images"]))
    assert np.mean(views[0]) == pytest.approx(values["per_image"]["dice"])
    below = (views < 0.6).sum()
    printed = capsys.readouterr().out
    assert f"mean {100 * views.mean():.2f}" in printed
    assert f"below 60 in {below} of {views.size}" in printed


def test_the_command_reports_a_missing_checkpoint(disc_folder, capsys):
    assert main(["evaluate", "--data", str(disc_folder), "--checkpoint", "nowhere.safetensors"]) == 1
    assert "nowhere.safetensors" in capsys.readouterr().err
