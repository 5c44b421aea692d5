"""The rules of tests/conftest.py, tried out on small test suites of their own."""

from __future__ import annotations

import random
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

pytest_plugins = ["pytester"]


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    shutil.copy(Path(__file__).parent / "conftest.py", pytester.path / "conftest.py")
    (pytester.path / "ISBI2016_ISIC_Part1_Test_Data").mkdir()
    monkeypatch.setenv("JAALNET_DATA", str(pytester.path / "nowhere"))
    markers = ("real_data: needs pictures", "long: slow", "browser: Chromium", "untraced: slow when traced")
    pytester.makeini("\n    ".join(["[pytest]\nmarkers =", *markers]))
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.real_data
        def test_pictures(real_data):
            assert real_data.is_dir()

        @pytest.mark.long
        def test_slow():
            pass

        @pytest.mark.browser
        def test_click():
            pass

        @pytest.mark.skip(reason="another reason")
        def test_unrelated_skip():
            pass

        def test_quick():
            pass
        """
    )
    return pytester


def run(suite: pytest.Pytester, *options: str) -> pytest.RunResult:
    return suite.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:xdist", *options)


def test_long_tests_wait_and_missing_pictures_skip(suite: pytest.Pytester) -> None:
    result = run(suite, "-rs")
    result.assert_outcomes(passed=1, skipped=2, deselected=2)
    result.stdout.fnmatch_lines(["*real data: no ISBI2016_ISIC_Part1_Test_Data in *nowhere*"])


def test_long_option_runs_them(suite: pytest.Pytester) -> None:
    run(suite, "--long").assert_outcomes(passed=2, skipped=2, deselected=1)
    run(suite, "--browser").assert_outcomes(passed=2, skipped=2, deselected=1)


def test_required_real_data_turns_only_their_skip_into_a_failure(suite: pytest.Pytester) -> None:
    result = run(suite, "--require-real-data")
    result.assert_outcomes(passed=1, errors=1, skipped=1, deselected=2)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_required_real_data_is_content_when_the_pictures_are_there(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAALNET_DATA", str(suite.path))
    run(suite, "--require-real-data").assert_outcomes(passed=2, skipped=1, deselected=2)


def test_option_goes_before_the_environment(suite: pytest.Pytester) -> None:
    run(suite, "--real-data", str(suite.path)).assert_outcomes(passed=2, skipped=1, deselected=2)


def test_synthetic_is_no_real_data(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAALNET_DATA", "synthetic")
    result = run(suite, "-rs")
    result.assert_outcomes(passed=1, skipped=2, deselected=2)
    result.stdout.fnmatch_lines(["*real data: no folder was named*"])


def test_every_test_draws_the_same_whatever_ran_before(pytester: pytest.Pytester) -> None:
    shutil.copy(Path(__file__).parent / "conftest.py", pytester.path / "conftest.py")
    pytester.makepyfile(
        """
        import random
        import sys

        import numpy as np
        import pytest
        import torch

        @pytest.fixture(scope="module")
        def draws():
            return draw()

        def draw():
            return random.random(), np.random.rand(), float(torch.rand(1))

        def test_by_its_fixture(draws):
            sys.stderr.write(f"{draws}|")

        def test_alone():
            sys.stderr.write(f"{draw()}|")
        """
    )

    def drawn(*options: str) -> list[str]:
        return "".join(run(pytester, "-s", *options).errlines).split("|")[:-1]

    def expected(seed: int) -> str:
        pixels = torch.rand(1, generator=torch.Generator().manual_seed(seed))
        return str((random.Random(seed).random(), np.random.RandomState(seed).rand(), float(pixels)))

    assert drawn() == [expected(0)] * 2
    assert drawn("-k", "alone") == [expected(0)]
    assert drawn("--seed", "3", "-k", "alone") == drawn("--seed", "3", "-k", "fixture") == [expected(3)]


def test_an_untraced_test_is_not_watched_and_the_next_is(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        test_traced="""
        import sys
        import pytest

        def test_before():
            assert sys.gettrace() is not None

        @pytest.fixture
        def first():
            assert sys.gettrace() is None

        @pytest.mark.untraced
        def test_marked(first):
            assert sys.gettrace() is None

        def test_after():
            assert sys.gettrace() is not None
        """
    )
    before = sys.gettrace()
    sys.settrace(lambda frame, event, argument: None)
    try:
        result = run(suite, "test_traced.py")
    finally:
        sys.settrace(before)
    result.assert_outcomes(passed=3)
