"""Folders with odd things in them: the good pictures are done, the others named; and the studies can fail."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from commands import Ran, run_commands
from odd_folders import STUDIES, odd_contents, odd_entries, odd_names
from promise import on_linux, promises_hold

from jaalnet_core.prediction_files import PictureResult, write_table

test_the_promise_holds = promises_hold(STUDIES)


@pytest.mark.parametrize("study", [odd_contents, odd_names, odd_entries])
def test_a_command_that_fails_is_found_out(study, tmp_path: Path) -> None:
    def failing(commands, folder, *, user=None):
        return Ran([], "predict: Traceback")

    if study is odd_entries and (lacking := STUDIES[2].lacking()):
        pytest.skip(lacking)
    assert study(2, tmp_path, failing).broken == ["predict: Traceback"]


def pretending(commands, folder: Path, *, user=None) -> Ran:
    """Commands that call every picture good, and copy and outline none."""
    for words in commands:
        if words[0] == "predict":
            place = Path(words[words.index("--out") + 1]).parent
            images = sorted((place / "set" / "test" / "images").iterdir())
            write_table(place / "out", [PictureResult(str(path), mask=f"{path.stem}_mask.png") for path in images])
            check = {"problems": [{"files": [path.name], "kind": "missing mask"} for path in images]}
            (place / "check.json").write_text(json.dumps(check))
            shutil.copytree(place / "set", place / "brought")
    return Ran([], None)


def test_commands_that_only_pretend_are_found_out(tmp_path: Path) -> None:
    broken = " ".join(odd_contents(8, tmp_path / "contents", pretending).broken)
    assert "outlined" in broken
    assert "no mask was written" in broken
    assert len(odd_names(3, tmp_path / "names", pretending).broken) == 3


@on_linux
def test_a_traceback_or_a_wrong_status_of_a_command_is_found_out(tmp_path: Path, monkeypatch) -> None:
    assert "status 2" in run_commands([["data", "nonsense"]], tmp_path).broken
    monkeypatch.setattr("commands.MEMORY", 1000)
    assert "MB" in run_commands([["data", "nonsense"]], tmp_path).broken
    monkeypatch.setattr("commands.SECONDS", 0.01)
    assert "no end within" in run_commands([], tmp_path).broken
