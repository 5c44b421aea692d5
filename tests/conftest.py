"""What all tests share: the real pictures, the long tests, one draw of luck, and threads that make sums repeatable."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# a busy machine is no failure, and a failure found once is found by everybody
os.environ.setdefault("OMP_NUM_THREADS", "1")  # for the processes that tests start; see THREADS
settings.register_profile("jaalnet", deadline=None, derandomize=True)
settings.load_profile("jaalnet")

REPOSITORY = Path(__file__).resolve().parent.parent
NEIGHBOUR = REPOSITORY.parent / "shared" / "isbi2016-256"  # where a development machine keeps the real pictures
OFFICIAL = "ISBI2016_ISIC_Part1_Test_Data"
THREADS = 1  # sums split over another number of threads round differently; xdist uses the other cores


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("jaalnet")
    group.addoption("--long", action="store_true", help="also run the tests marked long (minutes)")
    group.addoption("--browser", action="store_true", help="also run the tests that drive JupyterLab in Chromium")
    group.addoption("--real-data", metavar="DIR", help="the real ISBI2016 pictures (default: $JAALNET_DATA)")
    group.addoption("--seed", type=int, default=0, help="what every test draws from that names no seed (default: 0)")
    group.addoption(
        "--require-real-data",
        action="store_true",
        help="a test of the real pictures that cannot find them fails instead of being skipped",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for mark in ("long", "browser"):
        left_out = [] if config.getoption(f"--{mark}") else [item for item in items if mark in item.keywords]
        if left_out:
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if mark not in item.keywords]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """With --require-real-data, whatever skips a `real_data` test (fixture, test or import) is a failure."""
    report = yield
    required = item.config.getoption("--require-real-data") and "real_data" in item.keywords
    if required and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: a test of the real data was skipped ({call.excinfo.value})"
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Every test draws the same, whatever ran before it in its process; a hook comes before fixtures of any scope."""
    seed = item.config.getoption("--seed")
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item):
    """Coverage does not watch a test marked `untraced`, nor the fixtures it is the first to ask for."""
    if item.get_closest_marker("untraced") is None:
        return (yield)
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)


@pytest.fixture(autouse=True)
def _steady_threads() -> None:
    if "torch" in sys.modules:  # importing torch takes seconds; tests without it need not pay
        sys.modules["torch"].set_num_threads(THREADS)


@pytest.fixture(scope="session")
def real_data(pytestconfig: pytest.Config) -> Path:
    """The folder of the real ISBI2016 pictures, or a skip that says why.

    It is --real-data, else $JAALNET_DATA, else ../shared/isbi2016-256 beside the checkout.
    """
    named = pytestconfig.getoption("--real-data") or os.environ.get("JAALNET_DATA")
    if named == "synthetic":  # a legal value of JAALNET_DATA, yet no real pictures
        named = None
    folder = Path(named) if named else NEIGHBOUR
    if not (folder / OFFICIAL).is_dir():  # one's own pictures may be named too; these tests know ISBI2016's
        found = f"no {OFFICIAL} in {folder}" if named else "no folder was named"
        pytest.skip(f"real data: {found}; name ISBI2016's folder with --real-data or JAALNET_DATA")
    return folder.resolve()
