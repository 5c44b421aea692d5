"""JupyterLab lets nobody in without its token; a server that does is seen."""

from __future__ import annotations

import fault_study
import lab_server
import pytest


@pytest.mark.parametrize("study", lab_server.STUDIES, ids=lambda study: study.fault)
def test_the_promise_holds(study, tmp_path):
    fault_study.check(study, tmp_path)


def test_a_server_without_a_token_and_open_to_all_is_seen(tmp_path):
    tally = lab_server.knock(2, tmp_path, more=["--IdentityProvider.token=", "--ServerApp.ip=0.0.0.0"])
    assert any("without a token: answered 200" in line for line in tally.broken)
    assert any("listens at" in line for line in tally.broken)
