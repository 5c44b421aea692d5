"""What ships, the baselines and the headline side by side: computed from the counted pixels, in every averaging."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from jaalnet_core.errors import DataError
from jaalnet_core.evaluation import Evaluation
from jaalnet_core.metrics import AVERAGINGS, METRICS
from jaalnet_core.side_by_side import (
    HEADLINE,
    draw_beside_headline,
    draw_ranking,
    estimate,
    ranking,
    shipped_test_scores,
)
from jaalnet_core.size import Size
from jaalnet_core.widgets.ranking import ranking_panel

SHIPPED = Path(__file__).resolve().parents[1] / "checkpoints" / "shipped"


def evaluation(rows: list[list[int]], data: str = "ISBI2016 test") -> Evaluation:
    ids = tuple(f"l{i}" for i in range(len(rows)))
    return Evaluation(ids, torch.tensor(rows), Size(32, 32), data=data, resamples=100)


# tp, fp, fn, tn: one does well on the small lesion, the other on the large one
SMALL_WELL = evaluation([[10, 0, 0, 990], [300, 0, 300, 400]])
LARGE_WELL = evaluation([[5, 5, 5, 985], [500, 0, 100, 400]])
METHODS = {"small well": SMALL_WELL, "large well": LARGE_WELL}


def test_the_order_depends_on_the_averaging():
    """Per image (1 + 2/3) / 2 against (1/2 + 10/11) / 2; pooled 620/920 against 1010/1120."""
    first = ranking(METHODS, "per_image", "dice")
    assert [one.label for one in first] == ["small well", "large well"]
    assert [one.value for one in first] == pytest.approx([5 / 6, (1 / 2 + 10 / 11) / 2])
    pooled = ranking(METHODS, "pooled", "dice")
    assert [one.label for one in pooled] == ["large well", "small well"]
    assert [one.value for one in pooled] == pytest.approx([1010 / 1120, 620 / 920])


def test_an_estimate_is_the_evaluation_s_own_value_and_interval():
    for averaging in AVERAGINGS:
        for metric in METRICS:
            one = estimate("x", SMALL_WELL, averaging, metric)
            assert one.value == pytest.approx(SMALL_WELL.averages()[averaging][metric])
            assert (one.low, one.high) == pytest.approx(SMALL_WELL.intervals()[averaging][metric])


def test_an_unknown_averaging_or_metric_is_refused():
    with pytest.raises(ValueError, match="median"):
        ranking(METHODS, "median", "dice")
    with pytest.raises(ValueError, match="f1"):
        ranking(METHODS, "pooled", "f1")


def test_the_shipped_scores_come_from_the_files_with_the_networks_first():
    found = shipped_test_scores(SHIPPED)
    names = list(found)
    assert names[-2:] == ["Otsu's threshold", "mean training mask"]
    assert "small-isbi2016" in names
    stored = json.loads((SHIPPED / "small-isbi2016" / "metrics.json").read_text())["evaluations"]["test"]
    for averaging, values in found["small-isbi2016"].averages().items():
        assert values == pytest.approx(stored[averaging], abs=1e-9)


def test_weights_that_ship_later_join_by_themselves(tmp_path):
    for name, one in (
        ("first", SMALL_WELL),
        ("second", LARGE_WELL),
        ("elsewhere", evaluation([[1, 1, 1, 1]], "x test")),
    ):
        (tmp_path / name).mkdir()
        values = {"name": name, "evaluations": {"test": one.to_json()}, "baselines": {"guess": SMALL_WELL.to_json()}}
        (tmp_path / name / "metrics.json").write_text(json.dumps(values))
    assert list(shipped_test_scores(tmp_path)) == ["first", "second", "guess"]


def test_nothing_shipped_or_a_damaged_file_is_said(tmp_path):
    with pytest.raises(DataError, match="found no"):
        shipped_test_scores(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "metrics.json").write_text("{}")
    with pytest.raises(DataError, match="cannot be read"):
        shipped_test_scores(tmp_path)


def test_the_headline_is_the_published_one():
    assert (
        pytest.approx({"dice": 0.9153, "iou": 0.8968, "accuracy": 0.9743, "sensitivity": 0.9365, "specificity": 0.9194})
        == HEADLINE
    )


def test_the_figure_beside_the_headline_has_a_panel_a_metric_with_its_line():
    figure = draw_beside_headline(SMALL_WELL, "mine")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Dice", "IoU", *METRICS[2:]]
    for axes, metric in zip(figure.axes, METRICS, strict=True):
        assert axes.lines[0].get_xdata()[0] == pytest.approx(100 * HEADLINE[metric])
        diamonds = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "D"]
        assert diamonds == pytest.approx([100 * SMALL_WELL.averages()[name][metric] for name in AVERAGINGS])


def test_the_panel_draws_anew_and_says_the_order():
    panel = ranking_panel(METHODS)
    before = panel.picture.value, panel.sentence.value
    assert panel.sentence.value.index("small well") < panel.sentence.value.index("large well")
    panel.controls["averaging"].value = "pooled"
    assert panel.sentence.value.index("large well") < panel.sentence.value.index("small well")
    assert panel.picture.value != before[0]
    panel.controls["metric"].value = "iou"
    assert "89.68" in panel.sentence.value
    assert draw_ranking(METHODS, "pooled", "iou").alt.startswith("IoU, pooled pixels")
