"""What a row's network costs: counted from the settings of its run, or taken from its file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jaalnet_core.ablation.cost import Cost, cost_of
from jaalnet_core.ablation.differences import compare
from jaalnet_core.ablation.record import read_run_file, read_run_files
from jaalnet_core.ablation.runs import recorded, variant_settings
from jaalnet_core.ablation.table import comparison_page, comparison_table
from jaalnet_core.ablation_settings import VARIANTS, AblationSettings
from jaalnet_core.errors import SettingsError
from jaalnet_core.flops import forward_gflop
from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.size import Size

PUBLISHED = Path(__file__).resolve().parents[2] / "reports" / "published" / "ablation-tiny-64"
TINY = {"preset": "tiny", "size": "64x64"}


def of_variant(name: str) -> Cost:
    asked = AblationSettings(profile="fast", preset="tiny", size=Size(64, 64))
    return cost_of(recorded(variant_settings(asked, VARIANTS[name], 0)))


def test_an_older_record_is_that_of_a_whole_lf_net():
    network = build_lf_net("tiny")
    expected = Cost(sum(p.numel() for p in network.parameters()), forward_gflop(network, Size(64, 64)))
    assert cost_of(TINY) == expected
    assert cost_of(TINY | {"network": "lf-net", "without": []}) == expected
    assert of_variant("course") == expected
    assert cost_of(TINY | {"size": "128x64"}).gflop == pytest.approx(2 * expected.gflop, rel=1e-3)


def test_each_row_costs_what_its_network_costs():
    whole = of_variant("course")
    for name in ("without-contour-attention", "without-dense", "without-cbam"):
        cost = of_variant(name)
        assert cost.parameters < whole.parameters
        assert cost.gflop < whole.gflop
    plain = of_variant("plain-convolutions")
    assert plain.parameters > 1.3 * whole.parameters
    assert plain.gflop > 1.2 * whole.gflop
    for name in ("without-position-attention", "without-channel-attention", "without-adversary", "published"):
        assert of_variant(name) == whole, "DA-Net does not predict"
    pytest.importorskip("segmentation_models_pytorch")
    unet = of_variant("unet-of-equal-cost")
    assert unet.gflop == pytest.approx(whole.gflop, rel=0.05)
    assert unet.parameters != whole.parameters


def test_settings_of_another_version_are_refused():
    with pytest.raises(SettingsError, match="without"):
        cost_of(TINY | {"without": ["gates"]})


def test_the_cost_stays_in_the_file_and_stands_in_the_table(make_run, tmp_path):
    plain, costly = make_run("course"), make_run("published", cost=Cost(1234567, 2.34567))
    for run in (plain, costly):
        run.save(tmp_path)
    assert read_run_file(tmp_path / "published-seed0.json").cost == Cost(1234567, 2.34567)
    assert read_run_file(tmp_path / "course-seed0.json").cost is None
    rows = compare(read_run_files(tmp_path))
    assert [row.cost for row in rows] == [cost_of(TINY), Cost(1234567, 2.34567)]
    heading, _, *lines = (line.split("|") for line in comparison_table(rows).splitlines())
    assert [word.strip() for word in heading[7:10]] == ["parameters", "GFLOP a picture", "seconds a run"]
    assert [word.strip() for word in lines[1][7:10]] == ["1,234,567", "2.346", "12"]
    assert [word.strip() for word in lines[0][7:9]] == ["411,460", "0.094"]
    brief = comparison_table(rows, brief=True)
    assert "1,234,567" not in brief
    assert "verdict |\n" in brief


def test_the_published_files_are_readable_and_make_their_page_together_with_newer_ones(make_run, tmp_path):
    older = [path for path in PUBLISHED.glob("*.json") if "cost" not in json.loads(path.read_text())]
    assert len(older) == 36
    runs = [read_run_file(path) for path in older]
    assert {run.counted_cost().parameters for run in runs} == {411460}
    newer = make_run(
        "without-cbam",
        settings=runs[0].settings | {"network": "lf-net", "without": ["cbam"]},
        data=runs[0].data,
        evaluations=runs[0].evaluations,
        cost=of_variant("without-cbam"),
    )
    page = comparison_page([*runs, newer])
    assert "37 runs of 20 epochs" in page
    assert f"| {of_variant('without-cbam').parameters:,} |" in page


def test_the_published_page_is_what_its_files_make():
    assert (PUBLISHED / "README.md").read_text(encoding="utf-8") == comparison_page(read_run_files(PUBLISHED))
