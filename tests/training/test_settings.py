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


def test_parts_are_left_out_each_once_and_in_one_order():
    settings = TrainSettings(without=("cbam", "position-attention", "dense", "cbam"))
    assert settings.without == ("dense", "cbam", "position-attention")
    assert settings == TrainSettings(without=["dense", "cbam", "position-attention"])
    values = json.loads(json.dumps(settings.to_json()))
    assert values["without"] == ["dense", "cbam", "position-attention"]
    assert TrainSettings.from_json(values) == settings
    older = {name: value for name, value in TrainSettings().to_json().items() if name not in ("without", "network")}
    assert TrainSettings.from_json(older) == TrainSettings(network="lf-net", without=())


@pytest.mark.parametrize("changes", [{"without": ("contour-attention",)}, {"network": "unet"}])
def test_without_a_contour_stream_there_is_no_outline_to_supervise(changes):
    assert TrainSettings(**changes).resolved().contour_weight == 0
    assert TrainSettings(contour_weight=0.0, **changes).resolved().contour_weight == 0
    with pytest.raises(SettingsError, match=r"--contour-weight: found 0\.5, expected 0: there is no contour stream"):
        TrainSettings(contour_weight=0.5, **changes)
    assert TrainSettings(without=("cbam",)).resolved().contour_weight == 0.5


def test_what_a_network_does_not_have_cannot_be_left_out():
    with pytest.raises(
        SettingsError, match=r"--without: found \('gates',\), expected some of contour-attention, dense"
    ):
        TrainSettings(without=("gates",))
    with pytest.raises(SettingsError, match=r"--without: found \('cbam',\), expected only position-attention"):
        TrainSettings(network="unet", without=("cbam",))
    assert TrainSettings(network="unet", without=("channel-attention",)).without == ("channel-attention",)
    with pytest.raises(SettingsError, match=r"--network: found resnet, expected lf-net or unet"):
        TrainSettings(network="resnet")


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


@pytest.mark.parametrize(
    ("field", "value"),
    [("epochs", "ten"), ("epochs", True), ("recipe", "best"), ("without", "cbam"), ("clip", [1]), ("out", 3)],
)
def test_a_wrong_typed_field_is_named(field, value):
    with pytest.raises(SettingsError, match=rf"^{field} is .*, expected "):
        TrainSettings.from_json(TrainSettings().to_json() | {field: value})


@pytest.mark.parametrize("values", [[], {}, None, {"size": 128}])
def test_settings_without_a_size_are_no_settings(values):
    with pytest.raises(SettingsError, match="found no size such as '128x128'"):
        TrainSettings.from_json(values)
