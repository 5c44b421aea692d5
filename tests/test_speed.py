"""What `jaalnet benchmark --of …` measures: counts that can be checked by hand, changes that change no number."""

from __future__ import annotations

import json
import sys
import time
from contextlib import nullcontext

import pytest
import torch
from torch import distributed, nn
from torch.nn import functional

from jaalnet_core import benchmark
from jaalnet_core.attention import ChannelGate
from jaalnet_core.benchmark_settings import BenchmarkSettings
from jaalnet_core.cli import main
from jaalnet_core.errors import DataError, SettingsError
from jaalnet_core.figures.attention_growth import attention_growth_figure
from jaalnet_core.flops import flop_counter
from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.peak_memory import in_fresh_process, peak_of
from jaalnet_core.size import Size
from jaalnet_core.speed import folder, inference, layers, page, positions
from jaalnet_core.speed.aims import AIMS, Aim
from jaalnet_core.speed.authors import AuthorsDANet
from jaalnet_core.speed.before import augmented_one_by_one, gate_by_amax, norms_by_single_operations
from jaalnet_core.speed.changes import CHANGES, measure_changes
from jaalnet_core.speed.inference import fold_norms, measure_inference
from jaalnet_core.speed.page import PAGE, speed_files
from jaalnet_core.speed.positions import measure_attention, peak_with_gradient
from jaalnet_core.training import TrainSettings, batches, shared_norm
from jaalnet_core.training.processes import Share
from jaalnet_core.training.shared_norm import SharedBatchNorm2d

TINY = BenchmarkSettings(preset="tiny", size=Size(32, 32), batch_size=2, rounds=1, device="cpu", pictures=8)


def gflop(network, *shape):
    with flop_counter() as counter:
        network(torch.empty(*shape, device="meta")).sum().backward()
    return counter.get_total_flops() / 1e9


# The authors' stand-in


def test_the_stand_ins_count_what_the_authors_networks_do():
    with torch.device("meta"):
        assert gflop(build_lf_net("base", separable=False), 1, 3, 128, 128) == pytest.approx(23, rel=0.03)
        assert gflop(AuthorsDANet(), 1, 4, 128, 128) == pytest.approx(13.5, rel=0.04)


def test_the_stand_ins_step_joins_the_benchmark(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark, "_in_fresh_process", lambda settings, name: 6.0 if name == "authors" else 1.5)
    out = tmp_path / "figures.json"
    words = ["--preset", "tiny", "--size", "32", "--batch-size", "2", "--rounds", "1", "--device", "cpu"]
    assert main(["benchmark", *words, "--authors", "--json", str(out)]) == 0
    figures = json.loads(out.read_text())
    step, authors, against = (figures[name] for name in ("step", "authors", "step_against_authors"))
    # the published step: one pass of LF-Net, three of DA-Net, and its opinion without its weights' gradients
    assert authors["gflop_per_image"] > 3 * step["gflop_per_image"]
    assert against["speed"] == pytest.approx(step["images_per_second"] / authors["images_per_second"])  # of one round
    assert against["speed_range"] == [against["speed"]] * 2
    assert against["memory"] == 0.25
    assert against["speed"] > 1.5  # some forty times the arithmetic: wide margins hold on a busy machine too


# Changes


@pytest.mark.parametrize("last", [False, True])
def test_the_channel_gates_change_changes_no_bit(last):
    """Values and gradients, in either layout."""
    torch.manual_seed(0)
    gate, features = ChannelGate(16), torch.randn(3, 16, 9, 11)
    if last:
        features = features.contiguous(memory_format=torch.channels_last)
    results = []
    for undone in (False, True):
        inputs = features.clone(memory_format=torch.preserve_format).requires_grad_()
        gate.zero_grad()
        if undone:
            with gate_by_amax():
                out = gate(inputs)
        else:
            out = gate(inputs)
        assert ("Amax" in graph_of(out)) == undone
        out.square().sum().backward()
        results.append([out, inputs.grad, *(parameter.grad.clone() for parameter in gate.parameters())])
    for now, before in zip(*results, strict=True):
        assert torch.equal(now, before)


def graph_of(tensor):
    names, waiting = [], [tensor.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None:
            names.append(node.name())
            waiting += [following for following, _ in node.next_functions]
    return " ".join(names)


@pytest.mark.untraced
def test_changes_are_measured_undone_and_done(monkeypatch):
    real = nn.Module.compile  # the real translator takes minutes
    monkeypatch.setattr(nn.Module, "compile", lambda network, **options: real(network, backend="aot_eager", **options))
    figures = measure_changes(TINY)
    assert [row["name"] for row in figures["changes"]] == [change.name for change in CHANGES]
    for row in figures["changes"]:
        assert row["before"] > 0
        assert row["gain_range"] == [row["gain"], row["gain"]]  # of one round
        assert row["gain"] == pytest.approx(100 * (row["after"] / row["before"] - 1))


def test_shared_norms_and_their_earlier_way_give_the_same(monkeypatch):
    monkeypatch.setattr(distributed, "all_reduce", lambda values: None)
    monkeypatch.setattr(shared_norm, "gather_from_processes", lambda values: values[None])
    features, results = torch.randn(4, 3, 5, 6), []
    for way in (nullcontext, norms_by_single_operations):
        torch.manual_seed(0)
        norm, inputs = SharedBatchNorm2d(nn.BatchNorm2d(3), Share(4, 4)), features.clone().requires_grad_()
        with way():
            out = norm(inputs)
            out.square().sum().backward()
            results.append([out, inputs.grad, norm.weight.grad, norm.running_var, norm.eval()(features)])
    for now, before in zip(*results, strict=True):
        torch.testing.assert_close(now, before, rtol=1e-4, atol=1e-4)


def test_pictures_augmented_one_by_one_come_from_the_loader():
    settings, cpu = TrainSettings(augment_on="device").resolved(), torch.device("cpu")
    assert batches.augments_on_device(settings, cpu)
    with augmented_one_by_one():
        assert not batches.augments_on_device(settings, cpu)


# Layers


class OneConvolution(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, padding=1, bias=False)

    def forward(self, images):
        return functional.relu(self.conv(images))


def test_a_convolutions_arithmetic_and_bytes_are_those_on_paper():
    network, images = OneConvolution(), torch.rand(2, 3, 8, 8)
    with torch.no_grad():
        costs = layers.part_costs(network, lambda: network(images))
    weights, pixels = 3 * 5 * 9, 2 * 64
    assert costs["conv"].flop == 2 * weights * pixels
    assert costs["conv"].bytes == 4 * (weights + 3 * pixels + 5 * pixels)
    assert costs[layers.BETWEEN].bytes == 4 * 2 * 5 * pixels  # the ReLU reads and writes
    assert costs["conv"].seconds > 0


class TwoBranches(nn.Module):
    """Two branches of one input, whose ways back overlap, and a third part that joins them."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 2, 1, bias=False)
        self.wide = nn.Sequential(nn.Conv2d(2, 7, 3, padding=1, bias=False), nn.ReLU(), nn.Conv2d(7, 4, 1, bias=False))
        self.narrow = nn.ModuleList([nn.Conv2d(2, 4, 1, bias=False)])
        self.join = nn.Conv2d(8, 1, 1, bias=False)

    def forward(self, images):
        start = self.first(images)
        sides = [self.wide(start), self.narrow[0](start)]
        return self.join(torch.cat(sides, dim=1)) + sides[1].mean()


def test_each_part_is_given_its_own_way_back():
    network, images, pixels = TwoBranches(), torch.rand(3, 2, 6, 6), 3 * 36
    costs = layers.part_costs(network, lambda: network(images).sum().backward())
    multiplied = {"first": 2 * 2, "wide": 2 * 7 * 9 + 7 * 4, "narrow.0": 2 * 4, "join": 8}
    for part, count in multiplied.items():
        passes = 2 if part == "first" else 3  # forward, the weights' gradient, and where it is asked for the input's
        assert costs[part].flop == passes * 2 * count * pixels
    assert costs[layers.BETWEEN].flop == 0
    assert not network.wide._forward_hooks  # nothing stays behind


def test_the_parts_hold_all_of_the_arithmetic_forward_and_backward():
    figures = layers.measure_layers(TINY)
    network = build_lf_net("tiny")
    with flop_counter() as counter:
        network(torch.rand(2, 3, 32, 32)).square().mean().backward()
    counted = sum(part["gflop"] for part in figures["parts"])
    assert counted == pytest.approx(counter.get_total_flops() / 2 / 1e9)
    assert figures["total"]["gflop"] == pytest.approx(counted)
    names = [part["part"] for part in figures["parts"]]
    assert {"stem", "encoder.0", "encoder.4", "decoder.3", "contour.0", "head", "edges", layers.BETWEEN} <= set(names)
    assert all(part["gflop"] > 0 for part in figures["parts"] if part["part"].startswith(("encoder", "decoder")))


# Inference


def test_folded_norms_give_the_same_logits_and_are_gone():
    torch.manual_seed(0)
    network = build_lf_net("tiny")
    with torch.no_grad():
        for _ in range(3):
            network.train()(torch.rand(4, 3, 32, 32))  # statistics that are not 0 and 1
        images, network = torch.rand(2, 3, 32, 48), network.eval()
        folded = fold_norms(network)
        torch.testing.assert_close(folded(images), network(images), rtol=1e-4, atol=1e-5)
    left = [module for module in folded.modules() if isinstance(module, nn.BatchNorm2d)]
    assert len(left) == 4  # the contour gates' first layers, which no convolution precedes
    assert sum(isinstance(module, nn.BatchNorm2d) for module in network.modules()) > 40


def test_inference_is_measured_and_a_way_that_cannot_be_is_none(monkeypatch, capsys):
    def broken(network, settings):
        raise RuntimeError("no compiler here")

    ways = {"eager": inference._eager, "folded": inference._folded, "compiled": broken}
    monkeypatch.setattr(inference, "_WAYS", ways)
    before = torch.get_num_threads()
    figures = measure_inference(TINY)
    assert torch.get_num_threads() == before
    assert figures["threads"] == 1
    assert figures["ways"]["compiled"] is None
    assert "no compiler here" in capsys.readouterr().out
    assert figures["ways"]["eager"]["largest_difference"] == 0
    assert 0 < figures["ways"]["folded"]["largest_difference"] < 1e-4
    low, high = figures["ways"]["folded"]["milliseconds_range"]
    assert 0 < low <= figures["ways"]["folded"]["milliseconds"] <= high


# Attention


def test_attention_over_128x128_positions_takes_less_than_a_gigabyte():
    """Forward and backward, and memory grows with the positions, not with their square."""
    quarter, whole = (
        in_fresh_process(peak_with_gradient, "fused", side * side, name="fused", mend="wait") for side in (64, 128)
    )
    assert whole < 300
    assert whole < 8 * max(quarter, 8)  # 4 where memory is linear, 16 where it is quadratic


def test_attention_is_measured_and_drawn(monkeypatch):
    monkeypatch.setattr(positions, "in_fresh_process", lambda function, *arguments, **_: function(*arguments))
    figures = measure_attention(TINY, sides=(4, 8))
    assert [(row["way"], row["positions"]) for row in figures["rows"]] == [
        ("explicit", 16),
        ("fused", 16),
        ("explicit", 64),
        ("fused", 64),
    ]
    assert figures["largest_difference"] < 1e-5
    drawn = attention_growth_figure(figures["rows"])
    assert "fused at 64 positions" in drawn.alt
    assert [line.get_label() for line in drawn.axes[0].lines] == ["explicit", "fused", "one N x N matrix"]


# A folder


def test_a_folder_is_measured(monkeypatch):
    monkeypatch.setattr(folder, "SIDES", ((40, 60), (64, 48)))
    figures = folder.measure_folder(TINY)
    assert figures["all_cores"]["pictures"] == 8
    assert figures["one_at_a_time"]["workers"] == 1
    speeds = [figures[way]["pictures_per_second"] for way in ("all_cores", "one_at_a_time")]
    assert figures["ratio"] == pytest.approx(speeds[0] / speeds[1])


# Memory of a piece of work


def test_the_peak_is_seen_though_the_memory_is_given_back():
    def work():
        block = bytearray(200 * 2**20)
        block[:: 2**12] = b"x" * len(block[:: 2**12])
        time.sleep(0.2)  # no other thread may look while Python fills its bytes; PyTorch lets them

    assert 150 < peak_of(work) < 400


def test_a_process_that_ends_without_an_answer_is_named():
    with pytest.raises(SettingsError, match=r"the work: its process ended.*wait"):
        in_fresh_process(sys.exit, 1, name="the work", mend="wait")


# The page


def test_a_page_without_its_figures_or_its_places_is_an_error(tmp_path):
    assert speed_files(tmp_path) == []  # a project without the page
    (tmp_path / PAGE).parent.mkdir()
    (tmp_path / PAGE).write_text("nothing")
    with pytest.raises(DataError, match="no single pair"):
        speed_files(tmp_path)
    places = "\n".join(f"<!-- speed: {name} -->\n<!-- /speed: {name} -->" for name in page._TABLES)
    (tmp_path / PAGE).write_text(places)
    (file,) = speed_files(tmp_path)
    assert file.text.count("Not measured yet: `make speed` writes reports/published/speed/") == len(page._TABLES)
    (tmp_path / page.FOLDER).mkdir(parents=True)
    (tmp_path / page.FOLDER / "layers.json").write_text("{")
    with pytest.raises(DataError, match=r"layers\.json"):
        speed_files(tmp_path)


@pytest.mark.parametrize(
    ("reached", "verdict"), [(14.9, "**missed**"), (15.0, "met"), (19.9, "met"), (20.0, "**missed**")]
)
def test_an_aim_is_met_within_its_limits_alone(reached, verdict):
    aim = Aim("some", "file", lambda figures: figures["it"], "{:.1f} times", least=15, below=20)
    assert aim.row({"it": reached}) == ["some", f"{reached} times", verdict]
    assert aim.row({"it": None}) == ["some", "", "not measured"]


def test_the_aims_are_read_off_their_files():
    files = {
        "training-small": {"step_against_authors": {"speed": 14.0, "memory": 0.21}},
        "epoch": {"images_per_second": 4.0},
        "attention": {
            "largest_difference": 2e-5,
            "rows": [
                {"way": way, "positions": positions, "peak_mb": peak}
                for way, positions, peak in (("fused", 4096, 200.0), ("explicit", 4096, 1.0), ("fused", 16384, 1100.0))
            ],
        },
        "inference": {"ways": {"eager": {"milliseconds": 120.0}}},
        "folder": {"peak_mb_halves": [100.0, 110.0]},
    }
    rows = [aim.row(files[aim.file]) for aim in AIMS]
    assert [row[1] for row in rows] == [
        "14.0 times", "21%", "215 s", "2e-05", "1100 MB", "5.5 times", "120 ms", "1.10 times"
    ]  # fmt: skip
    assert {row[2] for row in rows} == {"**missed**"}
    files["training-small"] = {"step_against_authors": None}  # not asked for
    files["folder"] = {"peak_mb_halves": [None, None]}  # a machine that does not say
    rows = {aim.what: aim.row(files[aim.file]) for aim in AIMS}
    assert sum(row[2] == "not measured" for row in rows.values()) == 3


def test_a_folder_of_no_picture_is_refused():
    with pytest.raises(SettingsError, match="--pictures"):
        BenchmarkSettings(pictures=0)
