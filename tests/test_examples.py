"""The Python in README and docs runs as it stands there, in a folder with a photograph."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from jaalnet_core.data.synthetic import make_arrays
from jaalnet_core.size import Size

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "docs/in_your_own_code.md")
OPTIONAL = ("monai",)  # not among our requirements: tried where it is installed


def blocks() -> list:
    """Every Python block, by its document and the heading above it."""
    found = []
    for name in DOCUMENTS:
        heading = ""
        for part in re.findall(
            r"^#+ [^\n]*$|^```python\n.*?^```$", (ROOT / name).read_text(), re.MULTILINE | re.DOTALL
        ):
            if part.startswith("#"):
                heading = part.lstrip("# ")
            else:
                found.append(
                    pytest.param(part.removeprefix("```python\n").removesuffix("```"), id=f"{name}: {heading}")
                )
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`mole.jpg` and `pictures/`, synthetic."""
    lesions = make_arrays(2, Size(160, 200), progress=False)
    (tmp_path / "pictures").mkdir()
    for name, picture in zip(("mole.jpg", "pictures/second.jpg"), lesions.images, strict=True):
        assert cv2.imwrite(str(tmp_path / name), picture[:, :, ::-1])
    return tmp_path


@pytest.mark.parametrize("code", blocks())
def test_an_example_runs(code: str, folder: Path) -> None:
    for name in OPTIONAL:
        if f"from {name}" in code:
            pytest.importorskip(name)
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_readme_shows_an_outline_in_five_lines() -> None:
    (code,) = [block.values[0] for block in blocks() if block.id.startswith("README.md")]
    lines = [line for line in code.splitlines() if line.strip()]
    assert len(lines) <= 5
    assert "from_pretrained" in code
    assert "outline_lesion" in code
