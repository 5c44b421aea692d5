"""A wheel, installed away from the clone, is a whole product: typed, with weights and lessons."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import jaalnet_core
from jaalnet_core.course.lessons import find_lessons

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("jaalnet_core", "notebooks", "checkpoints/shipped", "reports/published")
FILES = ("pyproject.toml", "setup.py", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content, as an installer puts it there; the wheel is built from a copy."""
    copy = tmp_path_factory.mktemp("clone")
    for part in PARTS:
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for file in FILES:
        shutil.copy(ROOT / file, copy / file)
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    made = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-c", build, made], cwd=copy, check=True, capture_output=True)
    (wheel,) = made.glob("*.whl")
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    shutil.rmtree(copy)
    return site


def run(site: Path, folder: Path, *words: str) -> str:
    """What Python prints with the wheel's package, in a folder that is no clone."""
    environment = {**os.environ, "PYTHONPATH": str(site), "JAALNET_DATA": "synthetic"}
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_command_starts_a_workspace_with_all_lessons(site: Path, tmp_path: Path) -> None:
    out = run(site, tmp_path, "-m", "jaalnet_core", "start", "mine")
    assert "jaalnet lab" in out
    assert len(find_lessons(tmp_path / "mine/notebooks")) == len(find_lessons(ROOT / "notebooks"))
    for lesson in find_lessons(ROOT / "notebooks"):
        given = json.loads((tmp_path / "mine/notebooks" / lesson.path.name).read_text())
        assert all(not cell.get("outputs") for cell in given["cells"])


def test_doctor_finds_nothing_wrong(site: Path, tmp_path: Path) -> None:
    out = run(site, tmp_path, "-m", "jaalnet_core", "doctor")
    assert "FAIL" not in out


def test_weights_come_by_name_and_are_the_clones(site: Path, tmp_path: Path) -> None:
    code = """
import jaalnet_core, torch
from jaalnet_core import from_pretrained
from jaalnet_core.course import supplied, trained
assert jaalnet_core.__file__.startswith({site!r}), jaalnet_core.__file__
assert str(supplied("reports/published/protocol.md")).startswith({site!r})
assert trained().name == "small-synthetic"
torch.manual_seed(0)
print(from_pretrained("small")(torch.rand(1, 3, 64, 64)).sum().item())
"""
    inside = run(site, tmp_path, "-c", code.format(site=str(site)))
    outside = run(ROOT, tmp_path, "-c", code.format(site=str(ROOT)))
    assert inside == outside


def test_a_picture_is_outlined_without_a_clone(site: Path, tmp_path: Path) -> None:
    run(site, tmp_path, "-m", "jaalnet_core", "data", "synthesize", "--out", "set", "--train", "2", "--test", "2")
    weights = site / "jaalnet_core/_supplied/checkpoints/shipped/small-synthetic/lf_net.safetensors"
    pictures = tmp_path / "set/test/images"
    run(
        site,
        tmp_path,
        "-m",
        "jaalnet_core",
        "predict",
        "--checkpoint",
        str(weights),
        str(pictures),
        "--out",
        "outlined",
    )
    assert (tmp_path / "outlined/predictions.csv").is_file()


def test_the_package_says_that_it_is_typed_and_its_command(site: Path) -> None:
    assert (site / "jaalnet_core/py.typed").is_file()
    assert (site / "jaalnet_core/__init__.pyi").is_file()
    (points,) = site.glob("*.dist-info/entry_points.txt")
    assert "jaalnet = jaalnet_core.cli:main" in points.read_text()


def test_the_stub_names_what_the_package_gives() -> None:
    stub = ast.parse((ROOT / "jaalnet_core/__init__.pyi").read_text())
    named = {alias.name for node in ast.walk(stub) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert named == set(jaalnet_core.__all__) - {"__version__"}
    for name in named:
        assert getattr(jaalnet_core, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = jaalnet_core.nonsense


def test_help_needs_no_torch() -> None:
    code = "import sys, jaalnet_core.cli; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
