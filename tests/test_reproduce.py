"""`jaalnet reproduce`, from nothing to a report: once for real and very small, and its decisions one by one."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from jaalnet_core import reproduce as subject
from jaalnet_core.cli import main
from jaalnet_core.data.source import open_data
from jaalnet_core.data.synthetic import write_dataset
from jaalnet_core.errors import DataError
from jaalnet_core.profile import FAST, FULL, Profile
from jaalnet_core.reproduce import Outcome, ReproduceSettings, reproduce
from jaalnet_core.size import Size

MINIATURE = dataclasses.replace(
    FAST,
    size=Size(32, 32),
    synthetic_train=24,
    synthetic_test=6,
    train_limit=16,
    epochs=2,
    checkpoint_every=1,
    batch_size=8,
)


@pytest.fixture
def empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without data, from which the command is run, on a machine without settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JAALNET_DATA", raising=False)
    monkeypatch.delenv("JAALNET_PROFILE", raising=False)
    return tmp_path


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome, list[str]]:
    """The whole way once: synthetic pictures, two adversarial epochs, scores, report."""
    place, said = tmp_path_factory.mktemp("reproduced"), []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.delenv("JAALNET_DATA", raising=False)
        outcome = reproduce(ReproduceSettings(device="cpu"), profile=MINIATURE, say=said.append)
    return place, outcome, said


def test_without_data_it_makes_synthetic_pictures_and_says_so(done) -> None:
    place, _, said = done
    assert len(list((place / "data/synthetic/train/images").glob("*.png"))) == MINIATURE.synthetic_train
    assert len(list((place / "data/synthetic/test/images").glob("*.png"))) == MINIATURE.synthetic_test
    assert any("No real pictures found" in sentence for sentence in said)


def test_the_run_is_adversarial_and_complete(done) -> None:
    place, outcome, _ = done
    assert outcome.trained
    names = {path.name for path in (place / outcome.run).iterdir()}
    assert names >= {"best.safetensors", "last.safetensors", "da_net.safetensors", "log.csv", "settings.json"}
    log = subject.read_epochs(place / outcome.run / "log.csv")
    assert [row["epoch"] for row in log] == [1, 2]
    assert all(row["d_loss"] > 0 for row in log)


def test_the_report_holds_the_scores_of_both_sizes_and_the_pictures(done) -> None:
    place, outcome, _ = done
    report = place / outcome.report
    assert report.name == outcome.run.name
    metrics = json.loads((report / "metrics.json").read_text())
    assert set(metrics["baselines"]) == {"Otsu's threshold", "mean training mask"}
    evaluations = metrics["evaluations"]
    assert list(evaluations) == ["test", "test at the masks' own size"]
    for values in evaluations.values():
        assert values["n_images"] == MINIATURE.synthetic_test
        assert set(values["per_image"]) == {"dice", "iou", "accuracy", "sensitivity", "specificity"}
    pixels = {
        name: sum(values["images"][0][k] for k in ("tp", "fp", "fn", "tn")) for name, values in evaluations.items()
    }
    assert pixels == {"test": 32 * 32, "test at the masks' own size": 256 * 256}
    page = (report / "README.md").read_text()
    assert "synthetic" in page
    assert f"on synthetic, {MINIATURE.train_limit} pictures" in page  # those learnt from, not all that were there
    assert all((report / name).is_file() for name in ("curves.png", "outlines.png"))


def test_a_second_call_reuses_the_run_and_the_report(done, monkeypatch: pytest.MonkeyPatch) -> None:
    place, outcome, _ = done
    monkeypatch.chdir(place)
    monkeypatch.delenv("JAALNET_DATA", raising=False)
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*") if path.is_file()}
    said: list[str] = []
    again = reproduce(ReproduceSettings(device="cpu"), profile=MINIATURE, say=said.append)
    assert again == Outcome(outcome.run, outcome.report, trained=False)
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*") if path.is_file()} == before
    assert any("finished already" in sentence for sentence in said)
    assert any("report is there already" in sentence for sentence in said)


def test_a_lost_report_is_written_again_without_training(done, monkeypatch: pytest.MonkeyPatch) -> None:
    place, outcome, _ = done
    monkeypatch.chdir(place)
    monkeypatch.delenv("JAALNET_DATA", raising=False)
    page = place / outcome.report / "README.md"
    text = page.read_text()
    page.unlink()
    assert not reproduce(ReproduceSettings(device="cpu"), profile=MINIATURE, say=lambda _: None).trained
    assert page.read_text() == text


def test_an_interrupted_run_goes_on(done, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of a run of one epoch out of two: only the second is trained."""
    place, outcome, _ = done
    monkeypatch.chdir(place)
    data = subject.find_data("synthetic", MINIATURE)
    settings = subject.training_settings(ReproduceSettings(device="cpu"), MINIATURE)
    run = tmp_path / subject.run_name(data, MINIATURE, settings)
    assert run.name == outcome.run.name

    class OneEpoch(Exception):
        pass

    def stop(_line):
        raise OneEpoch

    with pytest.raises(OneEpoch):
        subject.train(dataclasses.replace(settings, out=run), data=data, on_epoch=stop, say=lambda _: None)
    assert not subject.is_finished(run, MINIATURE.epochs)
    said: list[str] = []
    again = reproduce(
        ReproduceSettings(data="synthetic", device="cpu", runs=tmp_path, reports=tmp_path / "reports"),
        profile=MINIATURE,
        say=said.append,
    )
    assert again.trained
    assert any(sentence.startswith("Going on from") for sentence in said)
    assert subject.is_finished(again.run, MINIATURE.epochs)


def test_an_interruption_leaves_no_report_and_is_said(empty_place: Path, monkeypatch, capsys) -> None:
    class Stopped:
        finished = False

    monkeypatch.setattr(subject, "train", lambda *_, **__: Stopped())
    monkeypatch.setattr(subject, "FAST", MINIATURE, raising=False)
    monkeypatch.setattr(subject, "current_profile", lambda name, default: MINIATURE)
    assert main(["reproduce", "--data", "synthetic"]) == 130
    assert "goes on where it stopped" in capsys.readouterr().out
    assert not (empty_place / "reports").exists()


def test_the_command_says_where_the_report_is(empty_place: Path, monkeypatch, capsys) -> None:
    seen: list[ReproduceSettings] = []

    def pretend(settings: ReproduceSettings) -> Outcome:
        seen.append(settings)
        return Outcome(Path("checkpoints/x"), Path("reports/x"), trained=True)

    monkeypatch.setattr(subject, "reproduce", pretend)
    assert main(["reproduce", "--profile", "full", "--data", "somewhere", "--seed", "3"]) == 0
    assert seen == [ReproduceSettings(profile="full", data="somewhere", seed=3)]
    assert "Report: reports/x/README.md" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("variable", "option", "expected"), [(None, None, FAST), ("full", None, FULL), ("full", "fast", FAST)]
)
def test_the_profile_is_fast_unless_asked(
    empty_place: Path, monkeypatch, variable: str | None, option, expected: Profile
) -> None:
    """Whatever the machine: the first call of a newcomer takes minutes, with a GPU too."""
    chosen: list[Profile] = []

    class Enough(Exception):
        pass

    def find_data(data, profile):
        chosen.append(profile)
        raise Enough

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr(subject, "find_data", find_data)
    if variable:
        monkeypatch.setenv("JAALNET_PROFILE", variable)
    with pytest.raises(Enough):
        reproduce(ReproduceSettings(profile=option), say=lambda _: None)
    assert chosen == [expected]


def test_a_named_folder_that_is_not_there_is_an_error_and_not_synthetic(empty_place: Path, capsys) -> None:
    assert main(["reproduce", "--data", "nowhere"]) == 1
    assert "nowhere" in capsys.readouterr().err
    assert not (empty_place / "data").exists()


def test_data_comes_from_the_variable_then_from_the_data_folder(empty_place: Path, monkeypatch) -> None:
    write_dataset(empty_place / "mine", train=24, test=4, size=Size(32, 32), progress=False)
    monkeypatch.setenv("JAALNET_DATA", str(empty_place / "mine"))
    assert subject.find_data(None, MINIATURE).root == empty_place / "mine"
    monkeypatch.setenv("JAALNET_DATA", str(empty_place / "gone"))
    with pytest.raises(DataError, match="gone"):
        subject.find_data(None, MINIATURE)
    monkeypatch.delenv("JAALNET_DATA")
    (empty_place / "mine").rename(empty_place / "data")
    assert len(subject.find_data(None, MINIATURE).test) == 4
    assert not (empty_place / "data" / "synthetic").exists()


def test_other_pictures_seeds_or_amounts_are_other_runs(empty_place: Path) -> None:
    write_dataset(empty_place / "a", train=24, test=2, size=Size(32, 32), progress=False)
    write_dataset(empty_place / "b", train=24, test=2, size=Size(32, 32), seed=1, progress=False)
    one, other = (open_data(empty_place / name, Size(32, 32), progress=False) for name in "ab")

    def name(data, seed: int = 0, profile: Profile = MINIATURE, device: str = "cpu") -> str:
        settings = ReproduceSettings(seed=seed, device=device)
        return subject.run_name(data, profile, subject.training_settings(settings, profile))

    assert name(one) == name(one, device="auto")
    longer = dataclasses.replace(MINIATURE, epochs=3)
    assert len({name(one), name(other), name(one, seed=1), name(one, profile=longer)}) == 4
    assert name(one).startswith("a-fast-")


@pytest.mark.parametrize("missing", ["best.safetensors", "last.safetensors", "log.csv"])
def test_a_run_without_all_its_files_is_not_finished(tmp_path: Path, missing: str) -> None:
    for file in ("best.safetensors", "last.safetensors"):
        (tmp_path / file).touch()
    (tmp_path / "log.csv").write_text("epoch,seconds\n1,2.0\n2,4.0\n")
    assert subject.is_finished(tmp_path, 2)
    assert not subject.is_finished(tmp_path, 3)
    (tmp_path / missing).unlink()
    assert not subject.is_finished(tmp_path, 2)
