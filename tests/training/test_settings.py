"""Settings: recipes fill what was left open, JSON brings everything back, nonsense is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jaalnet_core.errors import SettingsError
from jaalnet_core.size import Size
from jaalnet_core.training.settings import RECIPES, TrainSettings


def test_the_defaults_that_were_asked_for():
    settings = TrainSettings()
    assert (settings.epochs, settings.batch_size, settings.learning_rate) == (300, 16, 1e-4)
    assert settings.size == Size(128, 128)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_leaves_nothing_open_and_is_adversarial(name):
    resolved = TrainSettings(recipe=name).resolved()
    assert all(getattr(resolved, field) is not None for field in RECIPES[name])
    assert resolved.adversarial_weight > 0
    assert RECIPES["course"].keys() == RECIPES["published"].keys()


def test_what_was_given_beats_the_recipe_even_when_it_is_zero_or_false():
    resolved = TrainSettings(recipe="published", adversarial_weight=0.0, second_fake=False, beta1=0.9).resolved()
    assert (resolved.adversarial_weight, resolved.second_fake, resolved.beta1) == (0.0, False, 0.9)
    assert resolved.region_loss == "published"


def test_json_brings_everything_back():
    settings = TrainSettings(size=Size(160, 192), out=Path("runs/a"), clip=0.5, start_from=Path("w.pt")).resolved()
    assert TrainSettings.from_json(json.loads(json.dumps(settings.to_json()))) == settings
    older = {name: value for name, value in TrainSettings().to_json().items() if name != "start_from"}
    assert TrainSettings.from_json(older) == TrainSettings()  # written before there was fine-tuning


def test_an_unknown_field_is_named():
    with pytest.raises(SettingsError, match="gan_mode"):
        TrainSettings.from_json(TrainSettings().to_json() | {"gan_mode": "vanilla"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("batch_size", 0),
        ("checkpoint_every", 0),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("limit", 0),
        ("clip", -1.0),
        ("adversarial_weight", -0.1),
        ("average", 1.0),
        ("beta1", 1.0),
        ("peak_factor", 0.0),
        ("workers", -1),
        ("seed", -1),
    ],
)
def test_a_value_out_of_range_is_refused_by_its_option(field, value):
    with pytest.raises(SettingsError, match="--" + field.replace("_", "-")):
        TrainSettings(**{field: value})
