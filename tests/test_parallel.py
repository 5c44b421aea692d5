"""jaalnet_core.data.parallel: a few threads, one order."""

import threading
import time

import pytest

from jaalnet_core.data.parallel import MOST_WORKERS, map_in_threads


def test_results_keep_the_order_of_the_items():
    def slow_first(number: int) -> int:
        time.sleep(0.05 if number == 0 else 0)
        return number * 2

    assert map_in_threads(slow_first, range(20), description="", progress=False) == list(range(0, 40, 2))


def test_no_items_are_no_work():
    assert map_in_threads(lambda item: 1 / 0, [], description="", progress=False) == []


def test_an_exception_stops_the_rest():
    begun = []

    def work(number: int) -> None:
        begun.append(number)
        if number == 0:
            raise ValueError("first")
        time.sleep(0.01)

    with pytest.raises(ValueError, match="first"):
        map_in_threads(work, range(2000), description="", progress=False)
    assert len(begun) < 200


def test_it_uses_threads_but_not_too_many(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    seen = set()
    map_in_threads(
        lambda _: (seen.add(threading.get_ident()), time.sleep(0.002)), range(100), description="", progress=False
    )
    assert 1 < len(seen) <= MOST_WORKERS


def test_the_bar_waits_for_slow_work(capsys, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    map_in_threads(lambda item: item, range(3), description="quick")
    assert "quick" not in capsys.readouterr().err
    map_in_threads(lambda item: time.sleep(0.4), range(4), description="slow")
    assert "slow" in capsys.readouterr().err
