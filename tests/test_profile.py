"""Which profile is chosen, and that fast really is the smaller one."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from jaalnet_core import profile
from jaalnet_core.errors import SettingsError
from jaalnet_core.profile import FAST, FULL, current_profile
from jaalnet_core.reproduce import ReproduceSettings, training_settings
from jaalnet_core.training import TrainSettings


def test_the_name_goes_before_the_environment_and_the_environment_before_the_default() -> None:
    assert current_profile("full", {"JAALNET_PROFILE": "fast"}) is FULL
    assert current_profile(None, {"JAALNET_PROFILE": "full"}, default="fast") is FULL
    assert current_profile(None, {}, default="fast") is FAST


@pytest.mark.parametrize(("gpu", "expected"), [(True, FULL), (False, FAST)])
def test_without_a_choice_the_gpu_decides(monkeypatch: pytest.MonkeyPatch, gpu: bool, expected) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: gpu)
    assert current_profile(None, {}) is expected
    assert current_profile(None, {"JAALNET_PROFILE": ""}) is expected  # set but empty is not a choice


@pytest.mark.parametrize(
    ("name", "environment", "named"),
    [("quick", {}, "profile"), (None, {"JAALNET_PROFILE": "quick"}, "JAALNET_PROFILE")],
)
def test_an_unknown_profile_is_named_with_its_source(name, environment, named) -> None:
    with pytest.raises(SettingsError, match=f"^{named}: found 'quick', expected fast or full"):
        current_profile(name, environment)


def test_a_profile_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        FAST.epochs = 1


def test_fast_is_less_work_than_full() -> None:
    def pixels(p: profile.Profile) -> int:
        return p.size.height * p.size.width * p.synthetic_train * p.epochs

    assert pixels(FAST) * 10 < pixels(FULL)
    assert FAST.train_limit is not None
    assert FULL.train_limit is None  # the real run leaves no picture out


def test_the_lesson_that_trains_takes_a_minute_in_fast_and_is_the_real_run_in_full() -> None:
    assert FAST.lesson_train * FAST.lesson_epochs * 2 < FAST.synthetic_train * FAST.epochs
    assert FAST.lesson_validation < FAST.lesson_train
    assert FULL.lesson_train >= FULL.synthetic_train
    assert FULL.lesson_epochs == FULL.epochs
    assert (FULL.lesson_batch_size, FULL.lesson_learning_rate) == (FULL.batch_size, FULL.learning_rate)


def test_the_full_run_repeats_the_one_whose_weights_ship() -> None:
    path = Path(__file__).resolve().parent.parent / "checkpoints/shipped/small-isbi2016/settings.json"
    shipped = TrainSettings.from_json(json.loads(path.read_text()))
    ours = training_settings(ReproduceSettings(profile="full"), FULL).resolved()
    free = {"data", "out", "resume", "workers", "device"}  # where and how fast, not what
    differing = {k for k, value in ours.to_json().items() if k not in free and value != shipped.to_json()[k]}
    assert not differing


def test_a_profile_keeps_a_checkpoint_before_its_end() -> None:
    assert all(p.checkpoint_every < p.epochs for p in (FAST, FULL))
