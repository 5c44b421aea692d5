"""One run in a folder at a time."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest
from filelock import FileLock

from jaalnet_core.errors import CheckpointError, SettingsError
from jaalnet_core.files import write_json
from jaalnet_core.training import lock as lock_module
from jaalnet_core.training.lock import LOCK, OWNER, only_run_in


def test_the_second_is_told_who_the_first_is(tmp_path):
    me = rf"{tmp_path}.*process {os.getpid()} on {socket.gethostname()}, since 20.*--out"
    with only_run_in(tmp_path):
        owner = json.loads((tmp_path / OWNER).read_text())
        assert owner["process"] == os.getpid()
        with pytest.raises(SettingsError, match=me), only_run_in(tmp_path):
            pass
        assert (tmp_path / OWNER).exists(), "the second took nothing away"
    with only_run_in(tmp_path, say=pytest.fail):
        pass
    assert [path.name for path in tmp_path.iterdir()] in ([LOCK], [])  # Windows removes it


def test_the_lock_of_a_process_that_was_killed_is_taken_over(tmp_path):
    code = (
        "import os, sys, signal; from pathlib import Path; from jaalnet_core.training.lock import only_run_in\n"
        "with only_run_in(Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    assert killed.wait() == -9
    said = []
    with only_run_in(tmp_path, say=said.append):
        assert json.loads((tmp_path / OWNER).read_text())["process"] == os.getpid()
    assert len(said) == 1
    assert f"process {killed.pid} on " in said[0]
    assert "taken over" in said[0]


def test_a_killed_runs_loaders_are_waited_for_and_no_longer(tmp_path, monkeypatch):
    monkeypatch.setattr(lock_module, "_PATIENCE", 0.3)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    write_json(tmp_path / OWNER, {"process": gone.pid, "host": socket.gethostname(), "since": "2020"})
    with (
        FileLock(tmp_path / LOCK),
        pytest.raises(SettingsError, match=f"process {gone.pid}"),
        only_run_in(tmp_path),
    ):
        pass


@pytest.mark.parametrize("content", ["", "{", "[]", '{"process": "x"}'])
def test_an_owner_that_cannot_be_read_is_no_owner(tmp_path, monkeypatch, content):
    monkeypatch.setattr(lock_module, "_PATIENCE", 0.0)
    (tmp_path / OWNER).write_text(content)
    with FileLock(tmp_path / LOCK), pytest.raises(SettingsError, match="did not say its name"), only_run_in(tmp_path):
        pass
    with only_run_in(tmp_path, say=pytest.fail):
        pass


def test_a_file_system_without_locks_is_named(tmp_path, monkeypatch):
    def refuse(self, **options):
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr(lock_module.FileLock, "acquire", refuse)
    said = []
    with only_run_in(tmp_path, say=said.append):
        pass
    assert "without locks" in said[0]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(CheckpointError, match=r"file.run: .*could not be written"),
        only_run_in(tmp_path / "file" / "run"),
    ):
        pass
