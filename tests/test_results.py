"""The README quotes the shipped scores, and the shipped weights reach them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jaalnet_core.cli import main
from jaalnet_core.data.source import open_data
from jaalnet_core.errors import DataError
from jaalnet_core.evaluation import Evaluation
from jaalnet_core.results import BEGIN, END, results_block, update_readme
from jaalnet_core.scoring import score
from jaalnet_core.weights import load_da_net, load_lf_net

REPOSITORY = Path(__file__).resolve().parents[1]
SHIPPED = REPOSITORY / "checkpoints" / "shipped"
NAMES = sorted(folder.name for folder in SHIPPED.iterdir() if folder.is_dir())


def test_something_is_shipped():
    assert "small-isbi2016" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_shipped_files_are_small_and_load(name):
    folder = SHIPPED / name
    assert all(file.stat().st_size <= 16_000_000 for file in folder.iterdir())
    loaded = load_lf_net(folder / "lf_net.safetensors")
    assert loaded.metadata["recipe"] in ("course", "published")
    load_da_net(folder / "da_net.safetensors")


@pytest.mark.parametrize("name", NAMES)
def test_the_averages_follow_from_the_counted_pixels(name):
    metrics = json.loads((SHIPPED / name / "metrics.json").read_text())
    for stored in [*metrics["evaluations"].values(), *metrics["baselines"].values()]:
        assert stored["n_images"] == len(stored["images"]) == 379
        for averaging, values in Evaluation.from_json(stored).averages().items():
            assert values == pytest.approx(stored[averaging], abs=1e-9)


@pytest.mark.real_data
@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_weights_reach_the_scores_on_their_card(name, real_data):
    stored = json.loads((SHIPPED / name / "metrics.json").read_text())["evaluations"]["test"]
    loaded = load_lf_net(SHIPPED / name / "lf_net.safetensors")
    data = open_data(real_data, loaded.size, splits=("test",), progress=False)
    averages = score(loaded, data, progress=False).averages()
    for averaging in ("per_image", "pooled", "two_class"):
        assert averages[averaging] == pytest.approx(stored[averaging], abs=5e-4)


def test_the_demanded_dice_is_reached_by_the_shipped_network():
    stored = json.loads((SHIPPED / "small-isbi2016" / "metrics.json").read_text())["evaluations"]["test"]
    assert (stored["score_at"], stored["flips"], stored["size"]) == ("network", False, [128, 128])
    assert stored["per_image"]["dice"] >= 0.90


def test_the_readme_says_what_the_files_say(monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    assert results_block() in (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_the_readme_says_what_the_benchmark_measured():
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    cost = " ".join(text.split("Cost, at 128x128")[1].split("\n\n")[0].split())
    for preset in ("small", "base"):
        path = f"reports/published/benchmark-{preset}.json"
        figures = json.loads((REPOSITORY / path).read_text())
        assert path in cost
        assert figures["size"] == [128, 128]
        assert f"{figures['step']['gflop_per_image']:.1f} GFLOP" in cost
        assert f"{figures['step']['images_per_second']:.1f} images a second" in cost
        if preset == "small":
            assert f"{figures['lfnet']['images_per_second']:.1f} images a second forward" in cost
            assert f"resnet18 encoder {figures['baseline']['images_per_second']:.1f} in" in cost


def shipped_folder(root: Path, dice: float, data: str = "ISBI2016 test") -> Path:
    averages = dict.fromkeys(("dice", "iou", "accuracy", "sensitivity", "specificity"), dice)
    evaluation = {"size": [128, 128], "data": data, "per_image": averages, "two_class": averages}
    metrics = {"name": "mine", "trained_on": "5 pictures", "evaluations": {"test": evaluation}, "baselines": {}}
    (root / "mine").mkdir(parents=True)
    (root / "mine" / "metrics.json").write_text(json.dumps(metrics))
    return root


def test_the_command_rewrites_what_lies_between_the_markers(tmp_path, capsys):
    shipped, readme = shipped_folder(tmp_path / "shipped", 0.87654), tmp_path / "README.md"
    readme.write_text(f"# Title\n\n{BEGIN}\nold\n{END}\n\nThe end.\n")
    words = ["results", "--readme", str(readme), "--shipped", str(shipped)]
    assert main(words) == 0
    text = readme.read_text()
    assert "87.65" in text
    assert "old" not in text
    assert text.startswith("# Title\n")
    assert text.endswith("The end.\n")
    assert "rewritten" in capsys.readouterr().out
    assert main(words) == 0
    assert "says this already" in capsys.readouterr().out


def test_scores_on_other_pictures_are_not_quoted(tmp_path):
    with pytest.raises(DataError, match="ISBI2016"):
        results_block(shipped_folder(tmp_path, 0.9, data="synthetic test"))


def test_a_readme_without_the_place_is_refused(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("nothing here\n")
    with pytest.raises(DataError, match="results"):
        update_readme(readme, shipped_folder(tmp_path / "shipped", 0.5))
