"""Records that somebody edited: the file and the field are named, and no traceback reaches a user."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from jaalnet_core.ablation.record import read_run_file
from jaalnet_core.cards import card_files
from jaalnet_core.errors import JaalnetError, SettingsError
from jaalnet_core.report import read_run
from jaalnet_core.training.folder import _require_same
from jaalnet_core.training.settings import TrainSettings
from jaalnet_core.trials import read_trial

PUBLISHED = Path(__file__).resolve().parents[1] / "reports" / "published"
TRIAL = PUBLISHED / "trials" / "02-strong-augmentation"


@pytest.mark.parametrize(
    ("field", "value"), [("against", "one"), ("changes", 3), ("predicted", {"validation_dice": "much", "because": "x"})]
)
def test_a_trial(tmp_path, field, value):
    home = Path(shutil.copytree(TRIAL, tmp_path / TRIAL.name))
    values = json.loads((home / "trial.json").read_text()) | {field: value}
    (home / "trial.json").write_text(json.dumps(values))
    named = "validation_dice" if field == "predicted" else field
    with pytest.raises(JaalnetError, match=rf"trial\.json: .*{named} is .*, expected"):
        read_trial(home)


def test_an_ablation_s_run(tmp_path):
    values = json.loads((PUBLISHED / "ablation-tiny-64" / "course-seed0.json").read_text())
    path = tmp_path / "course-seed0.json"
    path.write_text(json.dumps(values | {"seconds": "long"}))
    with pytest.raises(JaalnetError, match=r"course-seed0\.json: .*seconds is 'long', expected float"):
        read_run_file(path)
    values["evaluations"]["validation"]["images"][0]["tp"] = "many"
    path.write_text(json.dumps(values))
    with pytest.raises(JaalnetError, match=r"images: expected whole numbers of pixels"):
        read_run_file(path)


@pytest.mark.parametrize(
    ("name", "values"), [("data.json", {"train": "many"}), ("environment.json", {"command": 3}), ("settings.json", {})]
)
def test_a_run_s_folder(tmp_path, name, values):
    (tmp_path / "settings.json").write_text(json.dumps(TrainSettings().to_json()))
    (tmp_path / name).write_text(json.dumps(values))
    with pytest.raises(JaalnetError, match=rf"{name}: .*({'|'.join(values) or 'size'})"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    "changes", [{"diagnoses": 1}, {"failures": {"summary": 3}}, {"evaluations": {"test": {}}}, {"baselines": "none"}]
)
def test_the_scores_behind_a_card(tmp_path, changes):
    shipped = PUBLISHED.parents[1] / "checkpoints" / "shipped" / "small-synthetic"
    for name in ("settings.json", "log.csv", "da_net.safetensors"):
        (tmp_path / name).symlink_to(shipped / name)
    values = json.loads((shipped / "metrics.json").read_text()) | changes
    (tmp_path / "metrics.json").write_text(json.dumps(values))
    with pytest.raises(JaalnetError, match=r"metrics\.json: cannot be read "):
        card_files(tmp_path)


@pytest.mark.parametrize("text", [None, "", "[]", "[" * 100_000])
def test_a_resume_says_which_file_is_damaged(tmp_path, text):
    if text is not None:
        (tmp_path / "settings.json").write_text(text)
    with pytest.raises(SettingsError, match=r"settings\.json: cannot be read .* use --out"):
        _require_same(tmp_path, TrainSettings(resume=True), {})
