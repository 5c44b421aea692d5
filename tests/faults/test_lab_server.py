"""JupyterLab lets nobody in without its token; a server that does is seen."""

from __future__ import annotations

import lab_server
from promise import promises_hold

from jaalnet_core.cli.lab import lab_command

test_the_promise_holds = promises_hold(lab_server.STUDIES)


def test_a_server_without_a_token_and_open_to_all_is_seen(tmp_path, monkeypatch):
    def open_door(settings):
        words = [word.replace("--ip=localhost", "--ip=0.0.0.0") for word in lab_command(settings)]
        return [*words, "--IdentityProvider.token="]

    monkeypatch.setattr(lab_server, "lab_command", open_door)
    tally = lab_server.knock(2, tmp_path)
    assert any("without a token: answered 200" in line for line in tally.broken)
    assert any("listens at" in line for line in tally.broken)
