"""How long threads of one operation wait for each other: set before torch is there, and left alone where it was set."""

import multiprocessing
import os
import subprocess
import sys
import time

import pytest

from jaalnet_core.benchmark_settings import BenchmarkSettings
from jaalnet_core.errors import SettingsError
from jaalnet_core.size import Size
from jaalnet_core.speed import beside
from jaalnet_core.speed.beside import COMPANIES, WAITS, measure_beside

TINY = BenchmarkSettings(of="beside", preset="tiny", size=Size(32, 32), batch_size=2, rounds=2, device="cpu")
NAMES = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")


@pytest.mark.parametrize(
    ("set_before", "found"), [({}, "3000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, "None")]
)
def test_threads_wait_shortly_unless_the_user_says_otherwise(set_before, found):
    environment = {name: value for name, value in os.environ.items() if name not in NAMES} | set_before
    code = "import os, sys, jaalnet_core; print('torch' in sys.modules, os.environ.get('GOMP_SPINCOUNT'))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", found]


def test_a_step_is_measured_beside_another(monkeypatch):
    monkeypatch.setattr(beside, "COMPANIES", COMPANIES[-1:])  # each start of a program takes seconds
    monkeypatch.delitem(WAITS, "long")
    figures = measure_beside(TINY)
    (row,) = figures["rows"]
    assert row["beside"] == "a second training"
    low, high = row["seconds_range"]["short"]
    assert 0 < low <= row["short"] <= high
    assert (figures["preset"], figures["size"], figures["rounds"]) == ("tiny", [32, 32], 2)


def test_the_measured_program_waits_as_its_row_says(monkeypatch):
    monkeypatch.setattr(beside, "COMPANIES", COMPANIES[:1])
    monkeypatch.setattr(beside, "step_seconds", spins_there)
    (row,) = measure_beside(TINY)["rows"]
    assert {wait: row[wait] for wait in WAITS} == {wait: float(spins) for wait, spins in WAITS.items()}
    assert row["long"] > row["short"]


def test_company_that_ended_is_an_error(monkeypatch):
    monkeypatch.setattr(beside, "COMPANIES", ("a program that ends",))
    monkeypatch.setattr(beside, "_keep_company", none_kept)
    monkeypatch.setattr(beside, "in_fresh_process", when_it_is_gone)
    with pytest.raises(SettingsError, match=r"a program that ends: ended \(exit 0\) before the step"):
        measure_beside(TINY)


def spins_there(_settings):
    """In place of seconds: the setting that OpenMP was started with."""
    return [float(os.environ["GOMP_SPINCOUNT"])]


def when_it_is_gone(*_arguments, **_words):
    """The measured step, which takes as long as the other program."""
    while multiprocessing.active_children():
        time.sleep(0.05)
    return [1.0]


def none_kept(company, settings, ready):
    """The other program, ending at once."""
    ready.set()
