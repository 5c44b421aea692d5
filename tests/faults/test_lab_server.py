"""JupyterLab lets nobody in without its token; a server that does is seen."""

from __future__ import annotations

import fault_study
import lab_server
import pytest

from jaalnet_core.cli.lab import lab_command


@pytest.mark.parametrize("study", lab_server.STUDIES, ids=lambda study: study.fault)
def test_the_promise_holds(study, tmp_path):
    fault_study.check(study, tmp_path)


def test_a_server_without_a_token_and_open_to_all_is_seen(tmp_path, monkeypatch):
    def open_door(settings):
        words = [word.replace("--ip=localhost", "--ip=0.0.0.0") for word in lab_command(settings)]
        return [*words, "--IdentityProvider.token="]

    monkeypatch.setattr(lab_server, "lab_command", open_door)
    tally = lab_server.knock(2, tmp_path)
    assert any("without a token: answered 200" in line for line in tally.broken)
    assert any("listens at" in line for line in tally.broken)
