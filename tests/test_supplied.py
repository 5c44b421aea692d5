"""What comes with the package is found in the current folder, in a checkout, and in a wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from jaalnet_core import supplied as module
from jaalnet_core.errors import JaalnetError
from jaalnet_core.supplied import IN_WHEEL, supplied, supplies

ROOT = Path(__file__).resolve().parent.parent


def test_in_a_checkout_they_lie_beside_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert supplies() == ROOT
    assert supplied("notebooks/README.md") == ROOT / "notebooks/README.md"


def test_the_current_folder_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/README.md").write_text("mine")
    monkeypatch.chdir(tmp_path)
    assert supplied("notebooks/README.md").read_text() == "mine"


def test_in_a_wheel_they_lie_inside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / IN_WHEEL / "notebooks").mkdir(parents=True)
    monkeypatch.setattr(module, "_PACKAGE", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert supplied("notebooks") == tmp_path / IN_WHEEL / "notebooks"


def test_what_is_nowhere_names_both_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        JaalnetError, match=f"reports/none: found neither here .*{tmp_path.name}.* nor with the package"
    ):
        supplied("reports/none")
