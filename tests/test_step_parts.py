"""Where the time of a step goes: on a clock that ticks only where the test makes it."""

from __future__ import annotations

import pytest
import torch

from jaalnet_core.benchmark import count, train_settings
from jaalnet_core.benchmark_settings import BenchmarkSettings
from jaalnet_core.losses import REGION_LOSSES
from jaalnet_core.size import Size
from jaalnet_core.speed import page, step_parts
from jaalnet_core.training.run import build_run

TINY = BenchmarkSettings(of="step", preset="tiny", size=Size(32, 32), batch_size=2, rounds=2, device="cpu")


class Ticks:
    """A clock that stands still until somebody says that time went by."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(step_parts.time, "perf_counter", lambda: self.now)

    def by(self, seconds: float):
        """A hook that takes so long."""

        def hook(*_: object) -> None:
            self.now += seconds

        return hook


def test_a_part_within_another_has_its_own_time(monkeypatch):
    ticks = Ticks(monkeypatch)
    clock = step_parts.Clock(torch.device("cpu"))
    ticks.now += 1
    with clock.during(step_parts.LF_NET):
        ticks.now += 10
        clock.around(step_parts.EDGES, ticks.by(100))()
        ticks.now += 20
    ticks.now += 2
    assert clock.stop() == {step_parts.LF_NET: 30, step_parts.EDGES: 100, step_parts.REST: 3}


def test_every_part_of_a_step_is_charged_with_its_own(monkeypatch):
    ticks, run = Ticks(monkeypatch), build_run(train_settings(TINY))
    lf_net, da_net = run.step.lf_net.module, run.step.da_net.module
    lf_net.edges.register_forward_hook(ticks.by(1))
    lf_net.stem.register_forward_hook(ticks.by(2))
    next(da_net.children()).register_forward_hook(ticks.by(10))
    next(da_net.parameters()).register_hook(ticks.by(100))
    lf_net.head.weight.register_hook(ticks.by(200))
    run.step.lf_optimizer.optimizer.register_step_post_hook(ticks.by(1_000))
    run.step.da_optimizer.optimizer.register_step_post_hook(ticks.by(2_000))

    def slow(seconds, function):
        return lambda *arguments, **options: (ticks.by(seconds)(), function(*arguments, **options))[1]

    loss = run.settings.region_loss
    monkeypatch.setitem(REGION_LOSSES, loss, slow(10_000, REGION_LOSSES[loss]))
    monkeypatch.setattr(step_parts, "not_finite", slow(20_000, step_parts.not_finite))
    monkeypatch.setattr(run.averaged, "update_parameters", slow(30_000, run.averaged.update_parameters))
    clip = run.fabric.clip_gradients
    monkeypatch.setattr(run.fabric, "clip_gradients", slow(50_000, clip))
    batch = torch.rand(2, 3, 32, 32), torch.ones(2, 1, 32, 32)
    found = step_parts.step_parts(run, slow(40_000, lambda: batch))
    assert found == {
        step_parts.PICTURES: 40_000,
        step_parts.LF_NET: 2,
        step_parts.EDGES: 1,
        step_parts.DA_NET: 40,  # the expert's pair, both with the predicted mask, and its opinion
        step_parts.BACK_DA_NET: 100,  # one gradient of all three pairs
        step_parts.BACK_LF_NET: 200,
        step_parts.CLIP: 100_000,
        step_parts.OPTIMISERS: 3_000,
        step_parts.CHECK: 20_000,
        step_parts.AVERAGE: 30_000,
        step_parts.REST: 10_000,
    }
    assert tuple(found) == step_parts.PARTS
    step_parts.whole_step(run, lambda: batch)
    assert step_parts.step_parts(run, lambda: batch)[step_parts.LF_NET] == 2  # nothing of the first watch is left


@pytest.mark.parametrize("recipe", ["course", "published"])
def test_a_step_is_measured_and_stands_on_the_page(recipe, tmp_path, capsys):
    from jaalnet_core.cli import benchmark

    file = tmp_path / page.FOLDER / "step.json"
    file.parent.mkdir(parents=True)
    assert benchmark.run(benchmark.Settings(**{**vars(TINY), "recipe": recipe}, json=file)) == 0
    figures = step_parts.measure_step(TINY)
    assert all(row["milliseconds"] > 0 for row in figures["parts"])
    assert figures["total"] == pytest.approx(sum(row["milliseconds"] for row in figures["parts"]))
    assert figures["unwatched"] > 0
    table = page._step(tmp_path)
    assert "| LF-Net, forward |" in table
    assert "| **all** |" in table
    assert "100.0 %" in table


def test_operations_of_a_step_are_counted_whatever_its_batch():
    run = build_run(train_settings(TINY))
    batch = torch.rand(2, 3, 32, 32), torch.ones(2, 1, 32, 32)
    step_parts.whole_step(run, lambda: batch)  # the first step makes the optimisers' memory, in operations of its own
    few, many = (step_parts.counted(run, (torch.rand(n, 3, 32, 32), torch.ones(n, 1, 32, 32))) for n in (2, 4))
    assert few["operations"] == many["operations"] > 1000
    assert many["gflop"] == pytest.approx(few["gflop"], rel=0.01)
    assert many["gflop"] == pytest.approx(count(TINY, "step")["gflop_per_image"], rel=0.1)  # attention is fused here
    assert 0 < many["megabytes"] < few["megabytes"]  # weights are read once a step
