"""The benchmark: arithmetic within the budget and counted right, figures where the JSON promises them."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from jaalnet_core import benchmark
from jaalnet_core.benchmark import BenchmarkSettings, count, peak_megabytes, run_benchmark
from jaalnet_core.cli import main
from jaalnet_core.da_net import build_da_net
from jaalnet_core.errors import SettingsError
from jaalnet_core.size import Size

TINY = BenchmarkSettings(preset="tiny", size=Size(32, 32), batch_size=2, rounds=1, device="cpu")


@pytest.mark.parametrize(("preset", "budget"), [("small", 10), ("base", 30)])
@pytest.mark.parametrize("recipe", ["course", "published"])
def test_the_whole_step_stays_within_its_budget(preset, budget, recipe):
    counted = count(BenchmarkSettings(preset=preset, recipe=recipe, batch_size=1, device="cpu"), "step")
    assert 0.5 * budget < counted["gflop_per_image"] <= budget


def test_a_step_is_one_pass_of_lf_net_three_of_da_net_and_its_opinion():
    settings = BenchmarkSettings(preset="tiny", batch_size=1, device="cpu")
    lf_net, da_net, step = (count(settings, name)["gflop_per_image"] for name in ("lfnet", "danet", "step"))
    # the opinion: DA-Net's forward and the way back to its input, without its weights' gradients
    assert lf_net + 3 * da_net < step < lf_net + 4 * da_net


def test_a_batch_does_not_change_the_arithmetic_of_an_image():
    counts = [count(BenchmarkSettings(preset="tiny", batch_size=n, device="cpu"), "danet") for n in (1, 3)]
    assert counts[0]["gflop_per_image"] == pytest.approx(counts[1]["gflop_per_image"], rel=1e-3)


def test_position_attention_is_in_the_count():
    """The fused kernel may be invisible to the counter: what is reported must hold the matrix products."""
    flops = []
    for cut in (False, True):
        network = build_da_net("tiny", explicit_attention=True)
        if cut:
            network.position_branch[-1] = nn.Identity()
        with FlopCounterMode(display=False) as counter:
            network(torch.rand(1, 4, 64, 64)).sum().backward()
        flops.append(counter.get_total_flops())
    positions, channels, narrow = 64, 32, 4
    products = 2 * positions**2 * (narrow + channels) * 3  # q·kᵀ and weights·v, forward and twice backward
    projections = 2 * positions * channels * (2 * narrow + channels) * 3
    assert flops[0] - flops[1] == products + projections


def test_the_json_holds_what_it_promises(tmp_path, capsys):
    out = tmp_path / "deep" / "figures.json"
    words = ["--preset", "tiny", "--size", "32", "--batch-size", "2", "--rounds", "2", "--device", "cpu"]
    assert main(["benchmark", *words, "--json", str(out)]) == 0
    results = json.loads(out.read_text())
    for name in ("lfnet", "danet", "step", "baseline"):
        row = results[name]
        low, high = row["images_per_second_range"]
        assert 0 < low <= row["images_per_second"] <= high
        assert row["gflop_per_image"] > 0
        assert row["peak_mb"] > 0
        assert row["speed_ratio"] == pytest.approx(row["images_per_second"] / results["baseline"]["images_per_second"])
    assert results["step"]["parameters"] == results["lfnet"]["parameters"] + results["danet"]["parameters"]
    assert results["baseline"]["parameters"] == 14_328_209
    assert results["size"] == [32, 32]
    printed = capsys.readouterr().out
    assert "whole adversarial step" in printed
    assert f"{results['baseline']['parameters']:,}" in printed


def test_without_the_baselines_library_the_rest_is_measured(monkeypatch):
    monkeypatch.setattr(benchmark, "_has_baseline", lambda: False)
    monkeypatch.setattr(benchmark, "_in_fresh_process", lambda settings, name: 1.0)
    results = run_benchmark(TINY, progress=False)
    assert results["baseline"] is None
    assert results["step"]["speed_ratio"] is None
    assert results["step"]["gflop_per_image"] > results["lfnet"]["gflop_per_image"]


def test_peak_memory_grows_with_the_batch():
    small, large = (
        peak_megabytes(BenchmarkSettings(preset="tiny", batch_size=n, device="cpu", rounds=1), "lfnet") for n in (1, 24)
    )
    assert large > small + 50  # 23 more pictures keep some 5 MB each for the way back


def test_nonsense_is_refused_by_its_option():
    with pytest.raises(SettingsError, match="--rounds"):
        BenchmarkSettings(rounds=0)
