"""The command line: commands, sizes, errors as one line, and what `test` and `lab` start."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

import jaalnet_core.cli as cli
from jaalnet_core.cli import lab
from jaalnet_core.cli import test as proof
from jaalnet_core.errors import DataError, JaalnetError
from jaalnet_core.size import Size


@dataclass(frozen=True)
class PretendedSettings:
    """Settings of a command that exists only here."""

    size: Size = Size(128, 128)
    """Picture size."""
    batch_size: int = 16
    """Pictures a step."""


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`jaalnet audit` replaced by a command that hands its settings back in `seen`."""
    module = ModuleType("jaalnet_core.cli.audit", "What the pretended command is for.")
    module.Settings = PretendedSettings
    module.seen = []
    module.run = lambda settings: module.seen.append(settings) or 0
    monkeypatch.setitem(sys.modules, "jaalnet_core.cli.audit", module)
    return module


@pytest.mark.parametrize("words", [[], ["-h"], ["--help"]])
def test_the_overview_names_every_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: jaalnet COMMAND")
    assert all(f"  {name} " in out for name in cli.COMMANDS)


def test_the_overview_of_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["data"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: jaalnet data COMMAND")
    assert all(f"  {name} " in out for name in cli.DATA_COMMANDS)


@pytest.mark.parametrize(("words", "named"), [(["trane"], "'trane'"), (["data", "chekc"], "'chekc'")])
def test_an_unknown_command_is_wrong_usage(words: list[str], named: str, capsys) -> None:
    assert cli.main(words) == 2
    captured = capsys.readouterr()
    assert f"no command {named}" in captured.err
    assert "COMMAND --help" in captured.err
    assert captured.out == ""


def test_options_reach_the_command(pretended: ModuleType) -> None:
    assert cli.main(["audit", "--size", "192x160", "--batch_size", "4"]) == 0
    assert pretended.seen == [PretendedSettings(Size(height=160, width=192), 4)]


@pytest.mark.parametrize("words", [["--size", "huge"], ["--size", "8"], ["--batch-size", "x"], ["--sise", "64"]])
def test_a_wrong_option_is_wrong_usage(pretended: ModuleType, words: list[str], capsys) -> None:
    assert cli.main(["audit", *words]) == 2
    assert words[0].lstrip("-") in capsys.readouterr().err
    assert pretended.seen == []


def test_help_shows_the_description_and_the_fields(pretended: ModuleType, capsys) -> None:
    assert cli.main(["audit", "--help"]) == 0
    out = capsys.readouterr().out
    assert "What the pretended command is for." in out
    assert "Pictures a step." in out


def test_an_error_for_people_is_one_line(pretended: ModuleType, capsys) -> None:
    def fail(settings):
        raise DataError("data: nothing there; jaalnet data download")

    pretended.run = fail
    assert cli.main(["audit"]) == 1
    assert capsys.readouterr().err == "jaalnet audit: data: nothing there; jaalnet data download\n"


def test_an_interruption_is_no_traceback(pretended: ModuleType, capsys) -> None:
    def interrupt(settings):
        raise KeyboardInterrupt

    pretended.run = interrupt
    assert cli.main(["audit"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_a_fault_of_ours_stays_a_traceback(pretended: ModuleType) -> None:
    def fail(settings):
        raise ZeroDivisionError

    pretended.run = fail
    with pytest.raises(ZeroDivisionError):
        cli.main(["audit"])


def test_python_dash_m_is_the_same_command_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jaalnet_core", "nothing"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no command 'nothing'" in done.stderr


ALL_COMMANDS = [name for name in cli.COMMANDS if name != "data"] + [f"data {name}" for name in cli.DATA_COMMANDS]


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*command.split(), "--help"]) == 0
    assert f"usage: jaalnet {command}" in capsys.readouterr().out


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_every_option_is_explained(command: str) -> None:
    module = importlib.import_module("jaalnet_core.cli." + command.replace(" ", "_").replace("-", "_"))
    assert dataclasses.is_dataclass(module.Settings)
    body = ast.parse(textwrap.dedent(inspect.getsource(module.Settings))).body[0].body
    for field, explanation in zip(body, [*body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign):
            explained = isinstance(explanation, ast.Expr) and isinstance(explanation.value.value, str)
            assert explained, f"jaalnet {command}: no text under the field {field.target.id}"


class TestProof:
    """`jaalnet test`."""

    def test_it_lints_runs_every_test_with_coverage_and_every_lesson(self, tmp_path: Path) -> None:
        steps = proof.steps(proof.Settings(), {}, tmp_path)
        assert [step.name for step in steps] == ["rules", "format", "tests", "lessons"]
        assert "--cov" in steps[2].command
        assert not any("real-data" in word for word in steps[2].command)
        assert {"--nbval-lax", "notebooks", f"--junitxml={steps[3].junit}"} <= set(steps[3].command)

    def test_each_part_alone(self, tmp_path: Path) -> None:
        assert [step.name for step in proof.steps(proof.Settings(lint=True), {}, tmp_path)] == ["rules", "format"]
        assert [step.name for step in proof.steps(proof.Settings(lessons=True), {}, tmp_path)] == ["lessons"]
        (step,) = proof.steps(proof.Settings(long=True), {}, tmp_path)
        assert step.command[-3:] == ("--long", "-m", "long")
        (step,) = proof.steps(proof.Settings(browser=True), {}, tmp_path)
        assert step.command[-4:] == ("--browser", "-m", "browser", "tests")

    def test_real_pictures_go_to_the_tests_that_want_them_and_to_nothing_else(self, tmp_path: Path) -> None:
        machine = {"JAALNET_DATA": str(tmp_path), "JAALNET_PROFILE": "full", "PATH": "p"}
        command = proof.steps(proof.Settings(require_real_data=True), machine, tmp_path)[2].command
        assert f"--real-data={tmp_path}" in command
        assert "--require-real-data" in command
        forced = proof.forced_environment(machine)
        assert forced["JAALNET_DATA"] == "synthetic"
        assert forced["JAALNET_PROFILE"] == "fast"
        assert forced["PATH"] == "p"

    def test_every_step_runs_and_one_failure_fails_all(self, monkeypatch, capsys) -> None:
        def step(name: str, status: int) -> proof.Step:
            code = f"import os, sys; print(os.environ['JAALNET_PROFILE']); sys.exit({status})"
            return proof.Step(name, (sys.executable, "-c", code), 7)

        steps = [step("first", 0), step("second", 3), step("third", 0)]
        monkeypatch.setattr(proof, "steps", lambda settings, environment, scratch: steps)
        assert proof.run(proof.Settings()) == 1
        out = capsys.readouterr().out
        assert "first   ok: took" in out
        assert "second  FAILED, exit 3: took" in out
        assert "third   ok: took" in out
        assert out.count("planned 7 s") == 3
        assert "browser not run: `make test-browser`" in out
        steps.pop(1)
        assert proof.run(proof.Settings()) == 0

    @pytest.mark.parametrize(
        ("written", "fault"),
        [
            ({"00_a": 3.0}, None),
            ({"00_a": 180.0}, None),
            ({"00_a": 181.0}, "00_a: took 181 s, may take 180 s"),
            ({}, "00_a: no cell was run"),
            (None, "no lesson was run"),
        ],
    )
    def test_lessons_that_did_not_run_or_took_too_long_fail(
        self, written, fault, tmp_path: Path, monkeypatch, capsys
    ) -> None:
        (tmp_path / "notebooks").mkdir()
        (tmp_path / "notebooks" / "00_a.ipynb").touch()
        junit = tmp_path / "times.xml"
        if written is not None:
            cases = "".join(f'<testcase classname="notebooks.{n}.ipynb" time="{t}"/>' for n, t in written.items())
            junit.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
        step = proof.Step("lessons", (sys.executable, "-c", ""), 60, junit)
        monkeypatch.setattr(proof, "steps", lambda *_: [step])
        monkeypatch.setattr(proof, "find_checkout", lambda root: tmp_path)
        assert proof.run(proof.Settings()) == int(fault is not None)
        out = capsys.readouterr().out
        assert ("lessons FAILED" in out) == (fault is not None)
        assert fault is None or f"--   {fault}" in out

    def test_the_checkout_is_this_one(self) -> None:
        assert proof.find_checkout(None) == Path(__file__).resolve().parent.parent

    def test_a_package_without_its_tests_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(JaalnetError, match=r"no tests/conftest\.py.*--root"):
            proof.find_checkout(tmp_path)


class TestLab:
    """`jaalnet lab`."""

    def test_it_opens_the_first_lesson_on_this_machine_only(self, tmp_path: Path) -> None:
        for name in ("01_data.ipynb", "00_start.ipynb"):
            (tmp_path / name).touch()
        command = lab.lab_command(lab.Settings(notebooks=tmp_path, port=9000))
        assert "--ip=localhost" in command
        assert "--port=9000" in command
        assert "--ServerApp.default_url=/lab/tree/00_start.ipynb" in command
        assert not any("token" in word or "password" in word for word in command)  # Jupyter's own random token

    def test_without_a_lesson_it_opens_the_folder(self, tmp_path: Path) -> None:
        command = lab.lab_command(lab.Settings(notebooks=tmp_path, browser=False))
        assert "--ServerApp.default_url=/lab" in command
        assert f"--ServerApp.root_dir={tmp_path.resolve()}" in command
        assert command[-1] == "--no-browser"

    @pytest.mark.parametrize(("user", "allowed"), [(0, True), (1000, False)])
    def test_in_a_container_it_starts_as_root_too(self, tmp_path: Path, monkeypatch, user: int, allowed: bool) -> None:
        monkeypatch.setattr("os.geteuid", lambda: user, raising=False)
        assert ("--allow-root" in lab.lab_command(lab.Settings(notebooks=tmp_path))) is allowed

    @pytest.mark.parametrize("made", [None, "file"])
    def test_a_wrong_folder_is_named(self, tmp_path: Path, made: str | None) -> None:
        place = tmp_path / "lessons"
        if made:
            place.touch()
        with pytest.raises(JaalnetError, match=f"--notebooks .*lessons: found {'a file' if made else 'nothing'}"):
            lab.lab_command(lab.Settings(notebooks=place))

    def test_its_exit_status_is_jupyters(self, tmp_path: Path, monkeypatch) -> None:
        monkeypatch.setattr(lab, "lab_command", lambda settings: [sys.executable, "-c", "raise SystemExit(5)"])
        assert lab.run(lab.Settings(notebooks=tmp_path)) == 5

    def test_ctrl_c_is_the_way_out(self, tmp_path: Path, monkeypatch) -> None:
        def interrupted(*_, **__):
            raise KeyboardInterrupt

        monkeypatch.setattr(lab.subprocess, "run", interrupted)
        assert lab.run(lab.Settings(notebooks=tmp_path)) == 0

    def test_without_jupyterlab_the_mend_is_named(self, tmp_path: Path, monkeypatch) -> None:
        monkeypatch.setattr(lab.importlib.util, "find_spec", lambda name: None)
        with pytest.raises(JaalnetError, match=r"\[course\]"):
            lab.run(lab.Settings(notebooks=tmp_path))


@pytest.mark.parametrize(
    "name", [*(name for name in cli.COMMANDS if name != "data"), *(f"data_{name}" for name in cli.DATA_COMMANDS)]
)
def test_a_command_explains_itself_without_waiting_for_torch(name: str) -> None:
    script = f"import sys, jaalnet_core.cli.{name}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_file_that_the_system_refuses_is_named_without_a_traceback(pretended: ModuleType, capsys) -> None:
    def refused(settings: object) -> int:
        raise PermissionError(13, "Permission denied", "/closed/a.png")

    pretended.run = refused
    assert cli.main(["audit"]) == 1
    assert "/closed/a.png: Permission denied: check path" in capsys.readouterr().err
