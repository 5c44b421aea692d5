"""The loop as a whole: what a run leaves behind, how it stops, and that it goes on as if it had never stopped."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import pytest
import torch

from jaalnet_core.data.source import LesionData
from jaalnet_core.errors import CheckpointError, DataError, SettingsError, TrainingError
from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.run_log import COLUMNS, read_epochs
from jaalnet_core.size import Size
from jaalnet_core.training import TrainSettings, train
from jaalnet_core.training import loop as loop_module
from jaalnet_core.training.interrupt import StopRequest
from jaalnet_core.weights import load_da_net, load_lf_net, read_training_checkpoint, save_weights


class StopAfter(StopRequest):
    """Asks for a stop once it was looked at so many times (once an epoch's start, once a step)."""

    def __init__(self, looks: int) -> None:
        self.looks = looks
        super().__init__()

    @property
    def requested(self) -> bool:
        self.looks -= 1
        return self.looks < 0

    @requested.setter
    def requested(self, value: bool) -> None:
        pass


def run(settings: TrainSettings, data: LesionData, **options):
    return train(settings, data=data, progress=False, say=lambda text: None, **options)


def assert_same(first, second, where="state"):
    """Equal bit for bit, all the way down."""
    assert type(first) is type(second), where
    if isinstance(first, dict):
        assert first.keys() == second.keys(), where
        for key in first:
            assert_same(first[key], second[key], f"{where}.{key}")
    elif isinstance(first, list):
        assert len(first) == len(second), where
        for i, pair in enumerate(zip(first, second, strict=True)):
            assert_same(*pair, f"{where}[{i}]")
    elif isinstance(first, torch.Tensor):
        assert torch.equal(first, second), where
    else:
        assert first == second, where


def comparable(path: Path) -> dict:
    """A checkpoint without what may differ between a stopped run and an unstopped one: paths and seconds."""
    state = read_training_checkpoint(path)
    for part in (state["training"]["progress"], *state["training"]["log"]):
        part.pop("seconds")
    for name in ("out", "resume", "workers"):
        state["settings"].pop(name)
    return state


def test_a_run_leaves_weights_checkpoints_and_logs(discs, quick):
    result = run(dataclasses.replace(quick, checkpoint_every=2), discs)
    names = {path.name for path in result.folder.iterdir()}
    assert {
        "best.safetensors",
        "last.safetensors",
        "da_net.safetensors",
        "best.pt",
        "last.pt",
        "previous.pt",
        "epoch-0002.pt",
        "epoch-0003.pt",
        "log.csv",
        "settings.json",
        "environment.json",
        "data.json",
        "tensorboard",
        ".running.lock",
    } == names, "epoch 3 is the last, and saved although 3 is no multiple of 2; no temporary file stays"
    assert result.finished
    assert result.epochs == 3
    assert any((result.folder / "tensorboard").iterdir())
    rows = read_epochs(result.folder / "log.csv")
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert all(math.isfinite(row[name]) for row in rows for name in COLUMNS)
    assert rows[-1]["validation_dice"] == pytest.approx(result.last_dice, abs=1e-5)
    assert max(row["validation_dice"] for row in rows) == pytest.approx(result.best_dice, abs=1e-5)


def test_shipped_weights_and_checkpoints_are_the_same_network(discs, quick):
    folder = run(quick, discs).folder
    images, _ = discs.test.tensors()
    with torch.no_grad():
        outputs = [
            load_lf_net(folder / name).network(images) for name in ("last.safetensors", "last.pt", "epoch-0003.pt")
        ]
        judged = [
            load_da_net(folder / name).network(torch.rand(1, 4, 32, 32, generator=torch.manual_seed(0)))
            for name in ("da_net.safetensors", "last.pt")
        ]
    assert torch.equal(outputs[0], outputs[1])
    assert torch.equal(outputs[0], outputs[2])
    assert torch.equal(judged[0], judged[1])
    trained = read_training_checkpoint(folder / "last.pt")["training"]["lf_net"]
    averaged = load_lf_net(folder / "last.pt").network.state_dict()
    assert any(not torch.equal(trained[name], averaged[name]) for name in averaged), "averaged weights are shipped"


def test_best_is_the_best_epoch(discs, quick):
    result = run(dataclasses.replace(quick, epochs=4), discs)
    rows = read_epochs(result.folder / "log.csv")
    best = max(rows, key=lambda row: row["validation_dice"])  # the first of equals
    assert result.best_epoch == best["epoch"]
    assert load_lf_net(result.folder / "best.safetensors").metadata["epoch"] == best["epoch"]


@pytest.mark.parametrize("looks", [2, 4, 6])  # stopped in the first epoch, between two, in the second
def test_a_resumed_run_equals_an_unstopped_one_bit_for_bit(discs, quick, tmp_path, looks):
    whole = run(dataclasses.replace(quick, out=tmp_path / "whole"), discs)
    stopped = run(quick, discs, stop=StopAfter(looks))
    assert not stopped.finished
    resumed = run(dataclasses.replace(quick, resume=True), discs)
    assert resumed.finished
    assert_same(comparable(whole.folder / "last.pt"), comparable(resumed.folder / "last.pt"))
    columns = [c for c in COLUMNS if c != "seconds"]
    logs = [[[row[c] for c in columns] for row in read_epochs(r.folder / "log.csv")] for r in (whole, resumed)]
    assert logs[0] == logs[1]


def test_a_resumed_run_that_augments_on_its_device_equals_an_unstopped_one(discs, quick, tmp_path):
    quick = dataclasses.replace(quick, augment_on="device", epochs=2)
    whole = run(dataclasses.replace(quick, out=tmp_path / "whole"), discs)
    assert not run(quick, discs, stop=StopAfter(3)).finished  # in the middle of the first epoch
    resumed = run(dataclasses.replace(quick, resume=True), discs)
    assert_same(comparable(whole.folder / "last.pt"), comparable(resumed.folder / "last.pt"))


def test_workers_do_not_change_the_weights(discs, quick, tmp_path):
    folders = [
        run(dataclasses.replace(quick, epochs=1, workers=workers, out=tmp_path / str(workers)), discs).folder
        for workers in (0, 2)
    ]
    assert_same(*(comparable(folder / "last.pt") for folder in folders))


def test_seeds_differ_and_repeat(discs, quick, tmp_path):
    weights = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        folder = run(dataclasses.replace(quick, epochs=1, seed=seed, out=tmp_path / name), discs).folder
        weights.append(load_lf_net(folder / "last.pt").network.head.weight)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_resume_on_an_empty_folder_starts_afresh(discs, quick):
    result = run(dataclasses.replace(quick, epochs=1, resume=True), discs)
    assert result.finished


def test_resume_passes_over_a_damaged_checkpoint(discs, quick, tmp_path):
    folder = run(dataclasses.replace(quick, epochs=2), discs).folder
    damaged = folder / "last.pt"
    content = damaged.read_bytes()
    damaged.unlink()  # epoch-0002.pt is a hard link to it
    damaged.write_bytes(content[: len(content) // 2])
    told = []
    again = dataclasses.replace(quick, epochs=2, resume=True)
    result = train(again, data=discs, progress=False, say=told.append)
    assert result.finished
    assert any("Passed over" in text and str(damaged) in text for text in told)
    assert any("epoch-0002.pt" in text for text in told)


def test_a_loss_that_is_not_finite_stops_with_the_last_good_checkpoint(discs, quick, monkeypatch):
    calls = 0
    real = loop_module.Run.set_learning_rates

    def explode(self, total_steps):
        nonlocal calls
        calls += 1
        rate = real(self, total_steps)
        if calls == 5:
            with torch.no_grad():
                self.step.lf_net.module.head.weight.fill_(math.nan)
        return rate

    monkeypatch.setattr(loop_module.Run, "set_learning_rates", explode)
    with pytest.raises(TrainingError, match=r"finite in step 5 .*region.*last\.pt") as stopped:
        run(quick, discs)
    assert str(quick.out) in str(stopped.value)
    state = read_training_checkpoint(quick.out / "last.pt")
    assert state["training"]["progress"]["epoch"] == 1
    assert all(t.isfinite().all() for t in state["training"]["lf_net"].values() if t.is_floating_point())


def test_a_taken_folder_is_refused_and_left_alone(discs, quick):
    folder = run(dataclasses.replace(quick, epochs=1), discs).folder
    before = (folder / "last.pt").read_bytes()
    with pytest.raises(SettingsError, match=r"already holds a run.*--resume"):
        run(quick, discs)
    with pytest.raises(SettingsError, match=r"seed was 0, now 1"):
        run(dataclasses.replace(quick, seed=1, resume=True), discs)
    other = dataclasses.replace(discs, train=discs.validation)
    with pytest.raises(SettingsError, match="other pictures"):
        run(dataclasses.replace(quick, resume=True), other)
    assert (folder / "last.pt").read_bytes() == before


def test_more_epochs_go_on_where_a_finished_run_ended(discs, quick):
    run(dataclasses.replace(quick, epochs=1, schedule="constant"), discs)
    longer = dataclasses.replace(quick, epochs=2, schedule="constant", resume=True)
    result = run(longer, discs)
    assert result.epochs == 2
    assert [row["epoch"] for row in read_epochs(result.folder / "log.csv")] == [1, 2]


def test_old_checkpoints_go_when_asked(discs, quick):
    folder = run(dataclasses.replace(quick, keep_checkpoints=2), discs).folder
    assert sorted(path.name for path in folder.glob("epoch-*.pt")) == ["epoch-0002.pt", "epoch-0003.pt"]


def test_without_adversary_there_is_no_da_net(discs, quick):
    folder = run(dataclasses.replace(quick, epochs=1, adversarial_weight=0.0), discs).folder
    assert not (folder / "da_net.safetensors").exists()
    row = read_epochs(folder / "log.csv")[0]
    assert math.isnan(row["d_loss"])
    assert math.isfinite(row["g_loss"])


def test_fine_tuning_starts_from_the_weights_it_is_given(discs, quick, tmp_path):
    trained = run(dataclasses.replace(quick, epochs=4), discs).folder / "last.safetensors"
    still = dataclasses.replace(
        quick, epochs=1, learning_rate=1e-12, weight_decay=0.0, average=0.0, adversarial_weight=0.0, seed=5
    )
    tuned = run(dataclasses.replace(still, start_from=trained, out=tmp_path / "tuned"), discs).folder
    before, after = (load_lf_net(path).network for path in (trained, tuned / "last.safetensors"))
    for (name, old), new in zip(before.named_parameters(), after.parameters(), strict=True):
        torch.testing.assert_close(new, old, rtol=0, atol=1e-6, msg=name)
    fresh = load_lf_net(run(dataclasses.replace(still, out=tmp_path / "fresh"), discs).folder / "last.safetensors")
    assert not torch.allclose(fresh.network.stem[0].weight, before.stem[0].weight, atol=1e-3)
    assert TrainSettings.from_json(json.loads((tuned / "settings.json").read_text())).start_from == trained


def test_weights_of_another_width_to_start_from_are_refused_with_the_mend(discs, quick, tmp_path):
    path = save_weights(build_lf_net("small"), tmp_path / "small.safetensors", Size(32, 32))
    with pytest.raises(SettingsError, match=r"small\.safetensors holds .*width=16.*--preset small"):
        run(dataclasses.replace(quick, start_from=path), discs)
    odd = save_weights(build_lf_net("tiny", canny_high=80.0), tmp_path / "odd.safetensors", Size(32, 32))
    with pytest.raises(SettingsError, match="weights of another run"):
        run(dataclasses.replace(quick, start_from=odd), discs)
    with pytest.raises(CheckpointError, match="no such file"):
        run(dataclasses.replace(quick, start_from=tmp_path / "none.safetensors"), discs)


def test_a_set_without_pictures_is_refused(discs, quick):
    with pytest.raises(DataError, match="no validation pictures"):
        run(quick, dataclasses.replace(discs, validation=discs.validation.take([])))


def test_one_picture_is_enough(discs, quick):
    assert run(dataclasses.replace(quick, epochs=1, limit=1, batch_size=1), discs).finished


@pytest.mark.parametrize("recipe", ["course", "published"])
def test_both_recipes_learn_discs_adversarially(discs, quick, recipe):
    settings = dataclasses.replace(
        quick, recipe=recipe, epochs=12, batch_size=2, learning_rate=2e-3, checkpoint_every=12, peak_factor=1.0
    )
    result = run(settings, discs)
    rows = read_epochs(result.folder / "log.csv")
    assert settings.resolved().adversarial_weight > 0
    assert result.best_dice > rows[0]["validation_dice"] + 0.2 or result.best_dice > 0.9
    assert rows[-1]["region"] < 0.7 * rows[0]["region"]
    assert rows[-1]["d_real"] > rows[-1]["d_fake"], "DA-Net learnt to tell them apart"


def test_epoch_report_sees_what_the_log_holds(discs, quick):
    seen = []
    folder = run(dataclasses.replace(quick, epochs=2), discs, on_epoch=seen.append).folder
    rows = read_epochs(folder / "log.csv")
    assert [row["epoch"] for row in seen] == [1, 2]
    assert [row["validation_dice"] for row in rows] == pytest.approx([row["validation_dice"] for row in seen], abs=1e-5)


def test_every_step_is_reported_with_the_run_as_it_then_is(discs, quick):
    seen = []
    result = train(
        quick,
        data=discs,
        progress=False,
        say=lambda text: None,
        on_step=lambda run, total: seen.append((run.progress.step, total, run.settings.epochs)),
    )
    assert seen == [(step, 9, 3) for step in range(1, 10)]
    assert result.finished
