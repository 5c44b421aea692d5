"""The README quotes the shipped scores, and the shipped weights reach them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jaalnet_core.data.source import open_data
from jaalnet_core.errors import DataError
from jaalnet_core.evaluation import Evaluation
from jaalnet_core.metrics import METRICS
from jaalnet_core.report import sha256
from jaalnet_core.results import NOTE, PROTOCOLS, PUBLISHED, readme, results_block
from jaalnet_core.scoring import score
from jaalnet_core.training.settings import TrainSettings
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
def test_a_card_names_the_very_files(name):
    metrics = json.loads((SHIPPED / name / "metrics.json").read_text())
    assert sha256(SHIPPED / name / "lf_net.safetensors") == metrics["checkpoint_sha256"]
    card = (SHIPPED / name / "README.md").read_text(encoding="utf-8")
    for file in ("lf_net.safetensors", "da_net.safetensors"):
        assert sha256(SHIPPED / name / file) in card


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


def test_the_readme_says_what_the_benchmark_measured():
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    cost = " ".join(text.split("Cost, at 128x128")[1].split("\n\n")[0].split())
    for preset in ("small", "base"):
        path = f"reports/published/speed/training-{preset}.json"
        figures = json.loads((REPOSITORY / path).read_text())
        assert path in cost
        assert figures["size"] == [128, 128]
        assert f"{figures['step']['gflop_per_image']:.1f} GFLOP" in cost
        assert f"{figures['step']['images_per_second']:.1f} images a second" in cost
        if preset == "small":
            assert f"{figures['lfnet']['images_per_second']:.1f} images a second forward" in cost
            assert f"resnet18 encoder {figures['baseline']['images_per_second']:.1f} in" in cost
            beside = figures["step_against_authors"]
            assert f"takes {figures['authors']['gflop_per_image']:.1f} GFLOP" in cost
            assert f"{beside['speed']:.1f} times as fast, in {100 * beside['memory']:.0f} % of its memory" in cost


AVERAGES = ("per_image", "two_class")
SCORED = (
    ("test", "network", False),
    ("test at the masks' own size", "mask", False),
    ("test, mirror images averaged", "network", True),
    ("test at the masks' own size, mirror images averaged", "mask", True),
)


def ship(root: Path, name: str, dice: float, validation: float = 0.9, **changes: Any) -> None:
    """Weights without weights: what the README's table is made of. Each evaluation has a Dice of its own."""
    folder = root / "checkpoints" / "shipped" / name
    folder.mkdir(parents=True)
    evaluations = {}
    for place, (title, score_at, flips) in enumerate(SCORED):
        averages = {
            averaging: dict.fromkeys(METRICS, dice + 0.01 * place + 0.001 * AVERAGES.index(averaging))
            for averaging in AVERAGES
        }
        images = [{"id": "a", "tp": 1, "fp": 2, "fn": 3, "tn": 256 * 256 - 6}]
        how = {"size": [128, 128], "data": "ISBI2016 test", "score_at": score_at, "flips": flips}
        evaluations[title] = {**how, **averages, "images": images}
    baseline = {"per_image": dict.fromkeys(METRICS, 0.5432)}
    metrics = {"name": name, "trained_on": "775 ISBI2016 pictures", "evaluations": evaluations}
    metrics |= {"baselines": {"a guess": baseline}} | changes
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "settings.json").write_text(json.dumps(TrainSettings().to_json()))
    (folder / "log.csv").write_text(f"epoch,validation_dice\n1,{validation}\n2,0.1\n")


def rows_of(block: str) -> list[list[str]]:
    lines = [line for line in block.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_networks_stand_below_what_was_published_each_with_its_protocol(tmp_path):
    ship(tmp_path, "mine", 0.8)
    rows = rows_of(results_block(tmp_path))
    published, ours = rows[: len(PUBLISHED)], rows[len(PUBLISHED) :]
    assert [row[0] for row in published] == [title for title, _, _ in PUBLISHED]
    assert published[0][1:] == [
        "91.53",
        "89.68",
        "97.43",
        "93.65",
        "91.94",
        "not stated",
        "128x128",
        "900",
        "not stated",
    ]
    assert [row[1] for row in ours] == ["80.00", "80.10", "81.00", "82.00", "83.00"]
    assert [row[6:8] for row in ours] == [
        ["per image", "128x128"],
        ["lesion and background, per image", "128x128"],
        ["per image", "128x128, masks 256x256"],
        ["per image, 4 views", "128x128"],
        ["per image, 4 views", "128x128, masks 256x256"],
    ]
    assert all(row[8:] == ["775", "no"] for row in ours)
    assert all(all(cell for cell in row[6:]) for row in rows), "a row without its protocol"


def test_validation_and_no_test_score_says_which_network_stands_first(tmp_path):
    ship(tmp_path, "a-lucky", 0.95, validation=0.90)
    ship(tmp_path, "b-chosen", 0.80, validation=0.92)
    ship(tmp_path, "c-synthetic", 0.85, validation=0.99, trained_on="1781 synthetic pictures")
    ours = rows_of(results_block(tmp_path))[len(PUBLISHED) :]
    assert [row[1] for row in ours] == ["80.00", "80.10", "81.00", "82.00", "83.00", "95.00", "85.00"]
    assert "b-chosen" in ours[0][0]
    assert ours[-1][8] == "1781 synthetic"


def test_who_began_with_other_weights_says_so(tmp_path):
    ship(tmp_path, "mine", 0.8)
    settings = TrainSettings(start_from=Path("checkpoints/shipped/small-isbi2016/lf_net.safetensors"))
    (tmp_path / "checkpoints" / "shipped" / "mine" / "settings.json").write_text(json.dumps(settings.to_json()))
    assert rows_of(results_block(tmp_path))[-1][-1] == "from small-isbi2016"


def test_baselines_and_what_can_be_compared_are_told(tmp_path):
    ship(tmp_path, "mine", 0.8)
    block = results_block(tmp_path)
    assert "a guess 54.32 and 54.32" in block
    assert "averaging is not stated" in block
    assert "775" not in NOTE, "numbers of our networks come from their files"


def test_the_table_stays_readable():
    assert len(rows_of(results_block(REPOSITORY))) <= 14


def test_the_long_and_the_short_protocol_of_published_rows_agree():
    for title, _, protocol in PUBLISHED:
        averaging, size, _, _ = PROTOCOLS[title]
        assert size in protocol
        assert averaging in protocol


def test_scores_on_other_pictures_are_not_quoted(tmp_path):
    ship(tmp_path, "mine", 0.8)
    path = tmp_path / "checkpoints" / "shipped" / "mine" / "metrics.json"
    path.write_text(path.read_text().replace("ISBI2016 test", "synthetic test"))
    with pytest.raises(DataError, match="ISBI2016"):
        results_block(tmp_path)


def test_a_readme_without_the_place_is_refused(tmp_path):
    ship(tmp_path, "mine", 0.8)
    (tmp_path / "README.md").write_text("nothing here\n")
    with pytest.raises(DataError, match="results"):
        readme(tmp_path)
