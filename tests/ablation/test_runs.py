"""The runner end to end, in seconds: what it writes, what it finds again, and where it goes on."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from jaalnet_core.ablation import runs as runner
from jaalnet_core.ablation.cost import cost_of
from jaalnet_core.ablation.record import read_run_file, read_run_files
from jaalnet_core.ablation.runs import ablate, base_settings, row_command, variant_settings
from jaalnet_core.ablation_settings import VARIANTS, AblationSettings, Variant
from jaalnet_core.cli import main
from jaalnet_core.errors import CheckpointError, SettingsError
from jaalnet_core.profile import FAST, FULL
from jaalnet_core.report import sha256
from jaalnet_core.scoring_log import read_scorings
from jaalnet_core.size import Size
from jaalnet_core.training.loop import RunResult


def quick(tmp_path, **changes) -> AblationSettings:
    values = {
        "variants": ("course", "without-adversary"),
        "seeds": (0,),
        "out": tmp_path / "results",
        "runs": tmp_path / "runs",
        "profile": "fast",
        "size": Size(32, 32),
        "epochs": 2,
        "batch_size": 4,
        "device": "cpu",
        "test_log": tmp_path / "diary.csv",
    }
    return AblationSettings(**values | changes)


@pytest.fixture(scope="module")
def done(tmp_path_factory, lesions):
    """Two variants, one seed, trained once for this file."""
    settings = quick(tmp_path_factory.mktemp("ablation"))
    return settings, ablate(settings, data=lesions, say=lambda _: None, progress=False)


def test_every_run_leaves_one_file_that_says_everything(done, lesions):
    settings, outcome = done
    assert outcome.finished
    assert [path.name for path in outcome.made] == ["course-seed0.json", "without-adversary-seed0.json"]
    course, alone = read_run_files(settings.out)
    assert course.settings["adversarial_weight"] == 0.02
    assert alone.settings["adversarial_weight"] == 0
    assert (course.settings["epochs"], course.settings["size"], course.settings["seed"]) == (2, "32x32", 0)
    assert not {"out", "data", "resume"} & set(course.settings)
    assert course.data == alone.data
    assert (course.data["learnt_from"], course.data["validation"]) == (8, 4)
    assert course.cost == cost_of(course.settings)
    assert len(course.curve) == 2
    assert course.seconds > 0
    assert course.weights_sha256 == sha256(settings.runs / "course-seed0" / "last.safetensors")
    evaluation = course.evaluations["validation"]
    assert evaluation.ids == lesions.validation.ids
    assert evaluation.counts.sum(1).tolist() == [32 * 32] * 4
    assert evaluation.averages()["per_image"]["dice"] == pytest.approx(course.curve[-1], abs=1e-5)  # the last epoch's
    assert set(course.evaluations) == {"validation"}


def test_what_is_finished_is_found_and_not_repeated(done, lesions, monkeypatch):
    settings, first = done
    monkeypatch.setattr(runner, "train", lambda *_, **__: pytest.fail("trained again"))
    again = ablate(settings, data=lesions, say=lambda _: None, progress=False)
    assert again.finished
    assert again.made == ()
    assert again.found == first.made


def test_the_same_command_makes_the_same_weights(done, lesions, tmp_path):
    settings, _ = done
    again = replace(settings, variants=("course",), out=tmp_path / "a", runs=tmp_path / "b")
    (path,) = ablate(again, data=lesions, say=lambda _: None, progress=False).made
    before = read_run_file(settings.out / "course-seed0.json")
    assert read_run_file(path).weights_sha256 == before.weights_sha256
    assert read_run_file(path).curve == before.curve
    assert torch.equal(read_run_file(path).evaluations["validation"].counts, before.evaluations["validation"].counts)


def test_an_interruption_stops_the_list_and_the_next_call_goes_on(lesions, tmp_path, monkeypatch):
    settings = quick(tmp_path, seeds=(0, 1), variants=("course",))
    real, calls = runner.train, []

    def interrupted(training, **options):
        calls.append(training.seed)
        if len(calls) == 2:
            return RunResult(training.out, False, 1, 1, 0.5, 0.5, 1.0)
        return real(training, **options)

    monkeypatch.setattr(runner, "train", interrupted)
    outcome = ablate(settings, data=lesions, say=lambda _: None, progress=False)
    assert not outcome.finished
    assert [path.name for path in outcome.made] == ["course-seed0.json"]
    outcome = ablate(settings, data=lesions, say=lambda _: None, progress=False)
    assert outcome.finished
    assert [path.name for path in outcome.made] == ["course-seed1.json"]
    assert calls == [0, 1, 1]


def test_results_of_other_settings_or_pictures_are_not_taken_for_ours(done, lesions):
    settings, _ = done
    with pytest.raises(SettingsError, match="epochs 2, now 3"):
        ablate(replace(settings, epochs=3), data=lesions, progress=False)
    other = replace(lesions, train=lesions.train.take([0, 1]))
    with pytest.raises(SettingsError, match="other pictures"):
        ablate(settings, data=other, progress=False)


def test_a_result_from_before_parts_could_be_left_out_is_that_of_whole_networks(done, lesions, tmp_path):
    settings, _ = done
    older = read_run_file(settings.out / "course-seed0.json")
    kept = {name: value for name, value in older.settings.items() if name not in ("network", "without")}
    again = replace(settings, variants=("course", "without-cbam"), out=tmp_path / "older")
    replace(older, settings=kept).save(again.out)
    found = ablate(replace(again, variants=("course",)), data=lesions, say=lambda _: None, progress=False).found
    assert [path.name for path in found] == ["course-seed0.json"]
    replace(older, variant="without-cbam", settings=kept).save(again.out)
    with pytest.raises(SettingsError, match=r"without \[\], now \['cbam'\]"):
        ablate(again, data=lesions, say=lambda _: None, progress=False)


def test_the_test_pictures_are_scored_only_when_asked_and_every_time_is_on_record(done, lesions):
    settings, _ = done
    asked = replace(settings, variants=("course",), score_test="a check of the diary")
    ablate(asked, data=lesions, say=lambda _: None, progress=False)
    course, alone = read_run_files(settings.out)
    assert course.evaluations["test"].ids == lesions.test.ids
    assert "test" not in alone.evaluations
    (line,) = read_scorings(settings.test_log)
    assert line.weights_sha256 == course.weights_sha256
    assert line.purpose == "a check of the diary"
    assert line.command.endswith("--score-test 'a check of the diary'")
    ablate(asked, data=lesions, say=lambda _: None, progress=False)
    assert len(read_scorings(settings.test_log)) == 1  # what is there is not scored again
    weights = settings.runs / "without-adversary-seed0" / "last.safetensors"
    weights.write_bytes(b"something else")
    with pytest.raises(CheckpointError, match="not there any more"):
        ablate(replace(asked, variants=("without-adversary",)), data=lesions, progress=False)
    assert len(read_scorings(settings.test_log)) == 1


def test_a_scoring_that_fails_is_on_record_too(lesions, tmp_path, monkeypatch):
    real = runner.score

    def broken(loaded, data, split="test", **options):
        if split == "test":
            raise RuntimeError("power cut")
        return real(loaded, data, split, **options)

    monkeypatch.setattr(runner, "score", broken)
    settings = quick(tmp_path, variants=("course",), score_test="to see")
    with pytest.raises(RuntimeError):
        ablate(settings, data=lesions, say=lambda _: None, progress=False)
    assert len(read_scorings(settings.test_log)) == 1


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_is_a_training_and_differs_from_the_base(name):
    settings = AblationSettings(profile="fast")
    base = variant_settings(settings, VARIANTS["course"], 3)
    changed = variant_settings(settings, VARIANTS[name], 3)
    assert changed.seed == 3
    for field, value in VARIANTS[name].changes.items():
        assert getattr(changed, field) == value
        assert getattr(changed, field) != getattr(base, field)
    if name == "course":
        assert changed == base
    assert (changed.epochs, changed.limit, changed.size) == (FAST.epochs, FAST.train_limit, FAST.size)


def test_the_published_recipe_is_the_published_one():
    published = variant_settings(AblationSettings(), VARIANTS["published"], 0)
    assert (published.region_loss, published.optimizer, published.beta1) == ("published", "adam", 0.5)
    assert (published.learning_rate, published.peak_factor, published.augmentation) == (1e-4, 1.0, "none")


def test_amounts_come_from_the_profile_unless_they_are_given():
    full = base_settings(AblationSettings(profile="full", epochs=7))
    assert (full.preset, full.size, full.limit, full.epochs) == (FULL.preset, FULL.size, None, 7)
    assert full.resume


def test_a_row_s_command_asks_for_the_same_training(monkeypatch, tmp_path):
    settings = quick(tmp_path, profile="full", learning_rate=3e-4)
    words = row_command(settings, "published", 4).split()
    asked = {}
    monkeypatch.setattr(runner, "ablate", lambda found: asked.update(settings=found) or _Unfinished())
    assert words[:2] == ["jaalnet", "ablate"]
    assert main(words[1:]) == 130
    again = asked["settings"]
    assert (again.variants, again.seeds, again.out) == (("published",), (4,), settings.out)
    for name in ("course", "published"):
        wanted, got = (runner.recorded(variant_settings(one, VARIANTS[name], 4)) for one in (settings, again))
        assert got == wanted


class _Unfinished:
    finished = False


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"variants": ("corse",)}, "corse"),
        ({"base": "all"}, "all"),
        ({"variants": ()}, "at least one"),
        ({"seeds": (-1,)}, "0 or more"),
        ({"score_test": " "}, "reason"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes, message):
    with pytest.raises(SettingsError, match=message):
        AblationSettings(**changes)


def test_all_means_every_variant_and_none_twice():
    assert {variant.name for variant in AblationSettings(variants=("all",)).chosen()} == set(VARIANTS)
    twice = AblationSettings(variants=("published", "course", "published")).chosen()
    assert [variant.name for variant in twice] == ["published", "course"]


def test_a_variant_of_an_unknown_setting_is_refused():
    with pytest.raises(SettingsError, match="dens"):
        variant_settings(AblationSettings(), Variant("x", "y", {"dens": False}), 0)


def test_a_damaged_result_is_named(tmp_path, lesions):
    settings = quick(tmp_path)
    settings.out.mkdir()
    (settings.out / "course-seed0.json").write_text(json.dumps({"format": "something"}))
    with pytest.raises(Exception, match=r"course-seed0.json.*Remove it"):
        ablate(settings, data=lesions, progress=False)
