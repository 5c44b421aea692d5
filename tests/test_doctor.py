"""Every check of the doctor, well and with its fault."""

from __future__ import annotations

import builtins
import importlib
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import psutil
import pytest
import torch
import torchvision

from jaalnet_core import doctor
from jaalnet_core.cli import main
from jaalnet_core.doctor import Check

ISBI = "ISBI2016_ISIC_Part1_"
NAMES = ["python", "torch", "gpu", "opencv", "jupyterlab", "widgets", "data", "disk", "memory"]


def picture(path: Path, channels: int = 3) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((40, 40, channels), 255, dtype=np.uint8))


def forbid_import(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Make `import name` fail as if the package were not installed."""
    for module in [m for m in sys.modules if m == name or m.startswith(name + ".")]:
        monkeypatch.delitem(sys.modules, module)
    real_import, real_module = builtins.__import__, importlib.import_module

    def refuse(function):
        def wrapped(wanted, *rest, **named):
            if wanted == name or wanted.startswith(name + "."):
                raise ModuleNotFoundError(f"No module named {name!r}")
            return function(wanted, *rest, **named)

        return wrapped

    monkeypatch.setattr(builtins, "__import__", refuse(real_import))
    monkeypatch.setattr(importlib, "import_module", refuse(real_module))


def test_python() -> None:
    assert doctor.check_python().status == "OK"
    old = doctor.check_python((3, 10, 14))
    assert (old.status, old.found) == ("FAIL", "3.10.14")
    assert "3.12" in old.mend


def test_torch_runs_an_operator_of_torchvision() -> None:
    check = doctor.check_torch()
    assert check.status == "OK"
    assert torch.__version__ in check.found
    assert torchvision.__version__ in check.found


def test_torch_and_torchvision_that_do_not_belong_together(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_):
        raise RuntimeError("operator torchvision::nms does not exist\nsecond line")

    monkeypatch.setattr("torchvision.ops.nms", broken)
    check = doctor.check_torch()
    assert check.status == "FAIL"
    assert "operator torchvision::nms does not exist" in check.found
    assert "second line" not in check.found
    assert "one step" in check.mend


def test_torchvision_that_computes_nonsense(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torchvision.ops.nms", lambda *_: torch.tensor([1]))
    assert doctor.check_torch().status == "FAIL"


def test_torchvision_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    forbid_import(monkeypatch, "torchvision")
    assert doctor.check_torch().status == "FAIL"


def test_no_gpu_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    check = doctor.check_gpu()
    assert check.status == "OK"
    assert check.found.startswith("none")


@pytest.fixture
def pretended_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that reports a GPU of 16 GB and computes on it with the CPU."""
    ones = torch.ones
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Pretended")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(total_memory=16e9))
    monkeypatch.setattr(torch, "ones", lambda *size, device: ones(*size))


@pytest.mark.usefixtures("pretended_gpu")
def test_a_gpu_that_computes() -> None:
    assert doctor.check_gpu() == Check("gpu", "OK", "Pretended, 16 GB")


@pytest.mark.usefixtures("pretended_gpu")
def test_a_gpu_that_fails_or_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "ones", lambda *size, device: torch.zeros(*size))
    assert doctor.check_gpu().status == "FAIL"

    def out_of_date(*_, **__):
        raise RuntimeError("no kernel image is available for execution on the device")

    monkeypatch.setattr(torch, "ones", out_of_date)
    check = doctor.check_gpu()
    assert check.status == "FAIL"
    assert "no kernel image" in check.found
    assert "driver" in check.mend


def test_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.check_opencv() == Check("opencv", "OK", cv2.__version__)
    monkeypatch.setattr(cv2, "imdecode", lambda *_: np.zeros((8, 8, 3), dtype=np.uint8))
    assert doctor.check_opencv().status == "FAIL"
    forbid_import(monkeypatch, "cv2")
    missing = doctor.check_opencv()
    assert missing.status == "FAIL"
    assert "libgl1" in missing.mend


def test_jupyterlab(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.check_jupyterlab().status == "OK"
    monkeypatch.setattr(doctor, "_version", lambda name: "missing" if name == "jupyterlab" else "1")
    check = doctor.check_jupyterlab()
    assert (check.status, check.found) == ("WARN", "jupyterlab missing")
    assert "[course]" in check.mend


def test_widgets(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.check_widgets().status == "OK"
    monkeypatch.setattr("jupyterlab_widgets.__version__", "1.1.1")
    assert "blank" in doctor.check_widgets().found
    forbid_import(monkeypatch, "ipywidgets")
    missing = doctor.check_widgets()
    assert missing.status == "WARN"
    assert "[course]" in missing.mend


def test_data_found_where_the_variable_points(tmp_path: Path) -> None:
    for split in ("Training", "Test"):
        picture(tmp_path / f"{ISBI}{split}_Data" / f"ISIC_{split}.jpg")
        picture(tmp_path / f"{ISBI}{split}_GroundTruth" / f"ISIC_{split}_Segmentation.png", 1)
    check = doctor.check_data(tmp_path / "elsewhere", {"JAALNET_DATA": str(tmp_path)})
    assert check == Check("data", "OK", f"{tmp_path}: 1 training and 1 test pictures")


def test_data_in_the_data_folder_without_a_test_set(tmp_path: Path) -> None:
    picture(tmp_path / "data" / "train" / "images" / "a.jpg")
    picture(tmp_path / "data" / "train" / "masks" / "a.png", 1)
    check = doctor.check_data(tmp_path, {})
    assert check.status == "WARN"
    assert "1 training and 0 test" in check.found
    assert "jaalnet data check" in check.mend


def test_no_data_means_synthetic_pictures(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    check = doctor.check_data(tmp_path, {})
    assert check.status == "WARN"
    assert "synthetic" in check.found
    assert "jaalnet data download" in check.mend
    assert doctor.check_data(tmp_path, {"JAALNET_DATA": "synthetic"}).status == "OK"


def test_a_wrong_variable_is_a_failure(tmp_path: Path) -> None:
    check = doctor.check_data(tmp_path, {"JAALNET_DATA": str(tmp_path / "nowhere")})
    assert check.status == "FAIL"
    assert "nowhere" in check.found
    assert "JAALNET_DATA" in check.mend


@pytest.mark.parametrize(("free_gb", "status"), [(0.5, "FAIL"), (3, "WARN"), (80, "OK")])
def test_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free_gb: float, status: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free_gb * 1e9))
    check = doctor.check_disk(tmp_path)
    assert check.status == status
    assert bool(check.mend) == (status != "OK")


@pytest.mark.parametrize(("free_gb", "status"), [(1, "FAIL"), (4, "WARN"), (16, "OK")])
def test_memory(monkeypatch: pytest.MonkeyPatch, free_gb: float, status: str) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=free_gb * 1e9))
    check = doctor.check_memory()
    assert check.status == status
    assert bool(check.mend) == (status != "OK")


def test_a_check_that_breaks_is_a_failure_of_its_own_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken():
        raise KeyError("surprise")

    monkeypatch.setattr(doctor, "check_memory", broken)
    checks = {check.name: check for check in doctor.examine()}
    assert list(checks) == NAMES
    assert checks["memory"].status == "FAIL"
    assert "KeyError: 'surprise'" in checks["memory"].found
    assert checks["python"].status == "OK"


@pytest.mark.parametrize(
    ("checks", "status", "last"),
    [
        ([Check("a", "OK", "fine")], 0, "all is well"),
        ([Check("a", "OK", "fine"), Check("b", "WARN", "little", "more")], 0, "0 failed, 1 to look at"),
        ([Check("a", "FAIL", "none", "get one"), Check("b", "OK", "fine")], 1, "1 failed, 0 to look at"),
    ],
)
def test_command(monkeypatch: pytest.MonkeyPatch, capsys, checks, status, last) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: checks)
    assert main(["doctor"]) == status
    lines = capsys.readouterr().out.splitlines()
    assert lines[:-1] == [str(check) for check in checks]
    assert lines[-1] == last


def test_a_line_shows_the_mend_only_where_there_is_one() -> None:
    assert str(Check("disk", "OK", "80 GB")) == "OK    disk        80 GB"
    assert str(Check("disk", "FAIL", "0 GB", "free some")) == "FAIL  disk        0 GB  ->  free some"
