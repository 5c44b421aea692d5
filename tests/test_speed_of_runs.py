"""Whole epochs measured, scores with a change undone and done, and a run on a GPU as it should be on paper."""

from __future__ import annotations

import dataclasses
import json
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import nn

from jaalnet_core.batch_norm import BatchNorm2d
from jaalnet_core.benchmark_settings import BenchmarkSettings
from jaalnet_core.data.source import LesionData
from jaalnet_core.depthwise import DepthwiseConv
from jaalnet_core.errors import SettingsError
from jaalnet_core.size import Size
from jaalnet_core.speed import epochs, on_paper, page, scores
from jaalnet_core.speed.epochs import measure_epochs
from jaalnet_core.speed.random_lesions import random_lesions
from jaalnet_core.speed.rates import arithmetic_rate, memory_rate, seconds_of
from jaalnet_core.speed.scores import measure_scores

TINY = BenchmarkSettings(preset="tiny", size=Size(32, 32), batch_size=4, device="cpu", epochs=2, seeds=(0,), pictures=8)


@pytest.fixture
def noise() -> LesionData:
    few = random_lesions(4, TINY.size)
    return LesionData("noise", Path("noise"), random_lesions(8, TINY.size), few, few, (), ())


# Epochs


def test_an_epochs_parts_are_those_of_the_runs_own_clock():
    """Told by hand: two epochs, of which the run itself counts steps and validation."""

    class Clock:
        now = 100.0

    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(epochs.time, "perf_counter", lambda: clock.now)
        watch = epochs._Watch()
        clock.now = 110.0
        watch.said("Here we go.")
        for end, steps, validated in ((120.0, 6.0, 7.0), (128.0, 11.0, 13.0)):
            run = type("Run", (), {})()
            run.fabric = type("Fabric", (), {"device": torch.device("cpu")})()
            run.progress = type("Progress", (), {"seconds": steps})()
            watch.step_ended(run, 1)
            clock.now = end
            watch.epoch_ended({"seconds": validated})
            watch.said("Said in between, which starts no clock anew.")
    first, second = watch.epochs
    assert first == {"seconds": 10.0, "learning": 6.0, "validating": 1.0}
    assert second == {"seconds": 8.0, "learning": 4.0, "validating": 2.0}
    assert watch.started == 110.0


def test_epochs_of_a_training_are_measured(noise, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(epochs, "arithmetic_rate", lambda device, dtype: 1e12)
    figures = measure_epochs(TINY, noise)
    assert list(tmp_path.iterdir()) == []  # the run leaves nothing
    assert figures["seconds"] >= figures["learning"] + figures["validating"] > figures["validating"] > 0
    assert figures["whole"] > figures["first"] + figures["seconds"] - 1e-6
    assert figures["seconds_range"] == [figures["seconds"]] * 2  # one epoch after the first
    assert figures["images_per_second"] == pytest.approx(8 / figures["seconds"])
    step = epochs.count(TINY, "step")["gflop_per_image"]
    assert figures["gflop_per_second"] * figures["learning"] == pytest.approx(8 * step)
    assert figures["matrix_gflop_per_second"] == pytest.approx(1000)
    assert (figures["data"], figures["learnt_from"], figures["device"]) == ("noise", 8, "cpu")


def test_a_compiled_training_is_told_so(noise, monkeypatch):
    seen = []

    def train(chosen, **_):
        seen.append(chosen)
        raise SettingsError("enough")

    monkeypatch.setattr(epochs, "train", train)
    with pytest.raises(SettingsError, match="enough"):
        measure_epochs(dataclasses.replace(TINY, compile=True), noise)
    assert (seen[0].compile, seen[0].epochs, seen[0].batch_size) == (True, 2, 4)


def test_rates_are_of_as_much_work_as_they_say(monkeypatch):
    """Both know how much they do; a clock by hand says that it took half a second."""
    monkeypatch.setattr("jaalnet_core.speed.rates.seconds_of", lambda work, device=None: (work(), 0.5)[1])
    assert arithmetic_rate() == 2 * 2048**3 / 0.5
    assert memory_rate() == 2 * 4 * 2**26 / 0.5


def test_seconds_are_of_the_work_alone():
    done = []
    assert 0 <= seconds_of(lambda: done.append(1)) < 1
    assert done == [1]


# Scores


def test_a_pair_of_trainings_differs_by_the_changes_alone(noise, monkeypatch):
    """Undone is undone while the one trains, done while the other does, and both get the same settings."""
    seen = []

    def train(chosen, **options):
        undone = DepthwiseConv.forward is nn.Conv2d.forward, BatchNorm2d.forward is nn.BatchNorm2d.forward
        seen.append((chosen, undone, options["data"]))
        return type("Result", (), {"last_dice": 0.25 * len(seen), "seconds": 2.0, "finished": True})()

    monkeypatch.setattr(scores, "train", train)
    figures = measure_scores(dataclasses.replace(TINY, seeds=(3, 5)), noise)
    assert [undone for _, undone, _ in seen] == [(True, True), (False, False)] * 2
    assert [chosen.seed for chosen, _, _ in seen] == [3, 3, 5, 5]
    assert all(chosen.limit == 8 and chosen.epochs == 2 and data is noise for chosen, _, data in seen)
    same = {json.dumps(dataclasses.replace(chosen, out=None, seed=0).to_json()) for chosen, _, _ in seen}
    assert len(same) == 1
    assert [(row["before"], row["after"]) for row in figures["rows"]] == [(0.25, 0.5), (0.75, 1.0)]
    assert figures["difference"] == 0.25
    assert figures["difference_range"] == [0.25, 0.25]
    assert figures["difference_error"] == 0
    assert figures["spread_before"] == pytest.approx(0.5 / 2**0.5)


def test_the_error_of_a_mean_difference_is_that_of_a_pocket_calculator():
    rows = [{"before": 0.8, "after": after} for after in (0.7, 0.8, 0.9, 1.0)]
    figures = scores.summary(rows)
    assert figures["difference"] == pytest.approx(0.05)
    assert figures["difference_error"] == pytest.approx((0.05 / 3) ** 0.5 / 2)  # of -0.1, 0, 0.1 and 0.2
    assert figures["spread_before"] == 0
    assert scores.summary(rows[:1])["difference_error"] is None


@pytest.mark.parametrize(("of", "measure"), [(scores, measure_scores), (epochs, measure_epochs)])
def test_a_stopped_training_stops_the_measurement(noise, monkeypatch, of, measure):
    """The first Ctrl-C lets the training end its step; it must not lead to the next one."""
    calls = []

    def train(chosen, **options):
        calls.append(chosen)
        return type("Result", (), {"last_dice": 0.25, "seconds": 2.0, "finished": False})()

    monkeypatch.setattr(of, "train", train)
    with pytest.raises(KeyboardInterrupt):
        measure(TINY, noise)
    assert len(calls) == 1


def test_scores_come_from_real_trainings(noise):
    figures = measure_scores(TINY, noise)
    (row,) = figures["rows"]
    assert 0 <= row["before"] <= 1
    assert abs(row["after"] - row["before"]) < 0.1  # rounding alone, in four steps
    assert figures["spread_before"] is None
    assert row["seconds"]["after"] > 0


def test_seeds_and_epochs_that_are_none_are_refused():
    with pytest.raises(SettingsError, match="--seeds"):
        BenchmarkSettings(seeds=())
    with pytest.raises(SettingsError, match="--epochs: found 0"):
        BenchmarkSettings(epochs=0)


# On paper


def test_a_runs_prediction_is_that_of_a_pocket_calculator():
    card = on_paper.Card("card", flop_per_second=1e12, bytes_per_second=1e9, seconds_an_operation=1e-3)
    counted = {"operations": 100, "gflop": 5.0, "megabytes": 4.0}
    seconds = on_paper.predict_run(**counted, pictures=10, epochs=3, batch_size=4, card=card)
    assert seconds.steps == 9  # the third of an epoch has two pictures
    assert seconds.handing_over == pytest.approx(0.9)
    assert seconds.moving == pytest.approx(30 * 2e6 / 1e9)  # half of the float32
    assert seconds.multiplying == pytest.approx(30 * 5e9 / 1e12)
    assert seconds.longest == seconds.handing_over


# The page


@contextmanager
def figures_in(root: Path, **files: dict):
    folder = root / page.FOLDER
    folder.mkdir(parents=True)
    for name, figures in files.items():
        (folder / f"{name.replace('_', '-')}.json").write_text(json.dumps(figures))
    yield root


def test_the_tables_of_runs_say_what_the_files_do(tmp_path, noise, monkeypatch):
    monkeypatch.setattr(epochs, "arithmetic_rate", lambda device, dtype: 1e12)
    epoch = measure_epochs(TINY, noise) | {"seconds": 10.0, "learning": 6.0, "validating": 1.5}
    row = {"seed": 7, "before": 0.9, "after": 0.905, "seconds": {"before": 30.0, "after": 20.0}}
    score = {**epoch, **scores.summary([row, row | {"seed": 8, "after": 0.901}])}
    step = {"counted": {"operations": 1000, "gflop": 20.0, "megabytes": 1000.0}}
    with figures_in(tmp_path, epoch=epoch, scores=score, step_base=step) as root:
        assert "| steps | 6.0 |" in page._epoch(root)
        assert "| batches, log and files | 2.5 |" in page._epoch(root)
        assert "| 7 | 90.00 | 90.50 | 30 | 20 |" in page._scores(root)
        assert "After less before: +0.30 (+0.10 to +0.50), standard error 0.20." in page._scores(root)
        assert "--seeds 7 8`" in page._scores(root)
        # 300 epochs of 7 steps of 128 pictures, 1000 operations of 8 microseconds
        assert "| 128 | 2,100 | 17 | 27 | 5 | 27 |" in page._paper(root)


def test_the_stand_in_is_compared_with_two_threads_and_with_one(tmp_path):
    against = {"speed": 14.0, "speed_range": [13.0, 15.0], "memory": 0.2, "gflop": 0.07}
    step = {"images_per_second": 8.59, "images_per_second_range": [8.0, 9.0], "gflop_per_image": 5.0, "peak_mb": 1000.0}
    base = {"step": step, "rounds": 5, "threads": 2, "torch": "2.14", "processor": "one"}
    small = base | {"step_against_authors": against, "rounds": 7}
    alone = small | {"step_against_authors": against | {"speed": 17.0}, "rounds": 3, "threads": 1}
    with figures_in(tmp_path, training_small=small, training_base=base, training_one_thread=alone) as root:
        text = page._training(root)
    assert "| small | the whole adversarial step | 5.00 | 8.59 (8.00 to 9.00) | 1,000 |" in text
    assert "round by round: **14.0 times the images a second** (13.0 to 15.0) **at 20 % of its memory** and 7 %" in text
    assert "At `base` the steps of an epoch over 859 pictures take 100 s." in text
    assert "With one thread: **17.0 times the images a second** (13.0 to 15.0). `OMP_NUM_THREADS=1 jaalnet " in text
    assert text.count("OMP_NUM_THREADS") == 1  # the others took two
    assert text.endswith("--authors --rounds 3`, one, 1 thread, torch 2.14.")
