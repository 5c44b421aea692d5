"""A user's own pictures, oddly named and at another size, from check to predicted masks by options alone."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from jaalnet_core.cli import main
from jaalnet_core.data.synthetic import make_picture
from jaalnet_core.size import Size

SIZE = "96x64"  # width x height; the slow test takes the 192x160 of a real user
NAMES = ["my mole", "Läsion 2", "IMG_0003", "scan.v2", "left arm (1)", "06", "patient-7 back"]


def write_pictures(folder: Path, names: list[str], first: int) -> None:
    """Pictures of several types and sizes in `images/`, masks in `masks/`."""
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    for i, name in enumerate(names):
        size = Size(90 + 10 * i, 150 - 5 * i)
        picture, mask = make_picture(3, first + i, size, difficulty=0.1)
        ending = [".jpg", ".PNG", ".bmp", ".tif"][i % 4]
        image = Image.fromarray(picture)
        if i == 1:
            image.putalpha(255)
        if i == 2:
            image = image.convert("P")
        image.save(folder / "images" / f"{name}{ending}")
        Image.fromarray(mask * 255).save(folder / "masks" / f"{name}_mask.png")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("own") / "data"
    write_pictures(root / "train", NAMES, first=0)
    write_pictures(root / "test", ["unseen A", "unseen B"], first=50)
    return root


def test_check_train_evaluate_predict(own, tmp_path, capsys):
    run, scores, masks = tmp_path / "run", tmp_path / "scores.json", tmp_path / "masks"
    assert main(["data", "check", str(own)]) == 0
    options = ["--preset", "tiny", "--size", SIZE, "--epochs", "2", "--batch-size", "3", "--device", "cpu"]
    assert main(["train", "--data", str(own), *options, "--out", str(run)]) == 0
    printed = capsys.readouterr().out
    assert SIZE in printed
    assert "peaks at" in printed
    checkpoint = run / "best.safetensors"

    for weights in (checkpoint, run / "epoch-0002.pt"):  # a periodic checkpoint serves as well
        assert main(["evaluate", "--data", str(own), "--checkpoint", str(weights), "--json", str(scores)]) == 0
        result = json.loads(scores.read_text())
        assert (result["n_images"], result["size"]) == (2, [64, 96])
        assert all(sum(image[c] for c in ("tp", "fp", "fn", "tn")) == 64 * 96 for image in result["images"])
    at_mask = ["--score-at", "mask", "--json", str(scores)]
    assert main(["evaluate", "--data", str(own), "--checkpoint", str(checkpoint), *at_mask]) == 0
    images = json.loads(scores.read_text())["images"]
    assert [sum(image[c] for c in ("tp", "fp", "fn", "tn")) for image in images] == [90 * 150, 100 * 145]

    folder = own / "train" / "images"
    assert main(["predict", "--checkpoint", str(checkpoint), str(folder), "--out", str(masks)]) == 0
    with (masks / "predictions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(NAMES)
    found = {path.name for path in masks.rglob("*.png")}
    for i, name in enumerate(NAMES):
        written = [path for path in masks.rglob("*mask*.png") if name in path.name]
        assert len(written) == 1, (name, found)
        mask = cv2.imdecode(np.frombuffer(written[0].read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
        assert mask.shape == (90 + 10 * i, 150 - 5 * i)
        assert set(np.unique(mask)) <= {0, 255}


def test_a_broken_picture_is_reported_and_the_rest_done(own, tmp_path, capsys):
    run = tmp_path / "run"
    options = ["--preset", "tiny", "--size", "32", "--epochs", "1", "--batch-size", "4", "--device", "cpu"]
    assert main(["train", "--data", str(own), *options, "--out", str(run)]) == 0
    broken = tmp_path / "pictures"
    write_pictures(broken, ["whole"], first=70)
    (broken / "images" / "broken.jpg").write_bytes((broken / "images" / "whole.jpg").read_bytes()[:400])
    capsys.readouterr()
    words = ["predict", "--checkpoint", str(run / "last.safetensors"), str(broken / "images")]
    assert main([*words, "--out", str(tmp_path / "masks")]) == 1
    told = capsys.readouterr()
    assert "broken.jpg" in told.out + told.err
    assert any("whole" in path.name for path in (tmp_path / "masks").rglob("*.png"))


@pytest.mark.long
def test_a_real_users_size(own, tmp_path):
    run = tmp_path / "run"
    options = ["--preset", "small", "--size", "192x160", "--epochs", "1", "--batch-size", "2", "--device", "cpu"]
    assert main(["train", "--data", str(own), *options, "--out", str(run)]) == 0
    scores = tmp_path / "scores.json"
    checkpoint = str(run / "last.safetensors")
    assert main(["evaluate", "--data", str(own), "--checkpoint", checkpoint, "--json", str(scores)]) == 0
    assert json.loads(scores.read_text())["size"] == [160, 192]
