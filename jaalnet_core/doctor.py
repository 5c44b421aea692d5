"""Is this machine ready? Small checks, each a function that returns one frozen `Check` with the mend."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from jaalnet_core.errors import DataError

OLDEST_PYTHON = (3, 11)
DISK_LEAST_GB, DISK_GOOD_GB = (
    1.0,
    5.0,
)  # a run's checkpoints and caches; beside them ISBI2016 with its archives
MEMORY_LEAST_GB, MEMORY_GOOD_GB = 2.0, 6.0  # torch alone; training at batch 16 with the photographs as arrays
REINSTALL = "make install (or: pip install -e '.[course,classroom,test]')"


@dataclass(frozen=True)
class Check:
    """What one check found.

    Attributes:
        name: the thing looked at, such as `torch`.
        status: OK; WARN, it works with less; FAIL, it does not work.
        found: what is there, in a few words.
        mend: what to do about it; empty when all is well.
    """

    name: str
    status: Literal["OK", "WARN", "FAIL"]
    found: str
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.status:<4}  {self.name:<11} {self.found}" + (f"  ->  {self.mend}" if self.mend else "")


def examine() -> list[Check]:
    """Every check, in the order in which a fault explains the next; one that breaks is itself a FAIL."""
    here = Path.cwd()
    checks: Sequence[tuple[str, Callable[[], Check]]] = (
        ("python", check_python),
        ("torch", check_torch),
        ("gpu", check_gpu),
        ("opencv", check_opencv),
        ("jupyterlab", check_jupyterlab),
        ("widgets", check_widgets),
        ("data", lambda: check_data(here)),
        ("disk", lambda: check_disk(here)),
        ("memory", check_memory),
    )
    return [_guarded(name, check) for name, check in checks]


def check_python(version: Sequence[int] = sys.version_info) -> Check:
    """Python 3.11 or newer."""
    found = ".".join(str(part) for part in version[:3])
    if tuple(version[:2]) < OLDEST_PYTHON:
        return Check("python", "FAIL", found, "install Python 3.12, then make clean install")
    return Check("python", "OK", f"{found} ({sys.prefix})")


def check_torch() -> Check:
    """Torch and torchvision import, and a compiled operator of torchvision runs on torch's tensors."""
    try:
        import torch
        import torchvision
        from torchvision.ops import nms

        boxes = torch.tensor([[0.0, 0.0, 10.0, 10.0], [0.0, 0.0, 10.0, 9.0], [20.0, 20.0, 30.0, 30.0]])
        kept = nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.5).tolist()
    except Exception as error:
        # two builds that do not belong together fail in many ways: missing operators, symbols, attributes
        versions = f"torch {_version('torch')} with torchvision {_version('torchvision')}"
        found = f"{versions} do not work together: {_first_line(error)}"
        return Check("torch", "FAIL", found, f"install both in one step: {REINSTALL}")
    if kept != [0, 2]:
        return Check("torch", "FAIL", f"torchvision's nms kept {kept}, expected [0, 2]", REINSTALL)
    return Check("torch", "OK", f"torch {torch.__version__}, torchvision {torchvision.__version__}")


def check_gpu() -> Check:
    """A CUDA GPU that really computes; a machine without one is fine."""
    import torch

    if not torch.cuda.is_available():
        return Check("gpu", "OK", f"none; {torch.get_num_threads()} CPU threads (the fast profile is meant for this)")
    try:
        value = (torch.ones(8, 8, device="cuda") @ torch.ones(8, 8, device="cuda")).sum().item()
    except RuntimeError as error:
        mend = "update the driver, or hide the GPU with CUDA_VISIBLE_DEVICES="
        return Check("gpu", "FAIL", f"a product on it failed: {_first_line(error)}", mend)
    if value != 512:
        return Check("gpu", "FAIL", f"a product on it gave {value}, expected 512", "test its memory")
    memory = torch.cuda.get_device_properties(0).total_memory / 1e9
    return Check("gpu", "OK", f"{torch.cuda.get_device_name(0)}, {memory:.0f} GB")


def check_opencv() -> Check:
    """OpenCV imports, and one picture survives coding, decoding and area reduction."""
    try:
        import cv2
        import numpy as np

        coded = cv2.imencode(".png", np.full((8, 8, 3), 200, dtype=np.uint8))[1]
        small = cv2.resize(cv2.imdecode(coded, cv2.IMREAD_COLOR), (4, 4), interpolation=cv2.INTER_AREA)
    except Exception as error:
        mend = f"{REINSTALL}; a missing libGL or libgthread on Debian: apt install libgl1 libglib2.0-0"
        return Check("opencv", "FAIL", _first_line(error), mend)
    if small.shape != (4, 4, 3) or not (small == 200).all():
        return Check("opencv", "FAIL", "a grey picture came back changed", REINSTALL)
    return Check("opencv", "OK", cv2.__version__)


def check_jupyterlab() -> Check:
    """JupyterLab and a Python kernel are installed; without them everything but the notebooks works."""
    missing = [name for name in ("jupyterlab", "ipykernel") if _version(name) == "missing"]
    if missing:
        mend = "pip install -e '.[course]' (or: make install)"
        return Check("jupyterlab", "WARN", f"{', '.join(missing)} missing", mend)
    return Check("jupyterlab", "OK", f"{_version('jupyterlab')}, ipykernel {_version('ipykernel')}")


def check_widgets() -> Check:
    """The kernel's half of the widgets and the browser's half (jupyterlab_widgets) speak one protocol."""
    try:
        kernel = importlib.import_module("ipywidgets")
        browser = importlib.import_module("jupyterlab_widgets")
    except ImportError as error:
        mend = "pip install -e '.[course]' (or: make install)"
        return Check("widgets", "WARN", _first_line(error), mend)
    found = f"ipywidgets {kernel.__version__}, jupyterlab_widgets {browser.__version__}"
    pair = int(kernel.__version__.split(".")[0]), int(browser.__version__.split(".")[0])
    if pair != (8, 3):
        return Check("widgets", "WARN", f"{found}: blank widgets are likely, 8 goes with 3", REINSTALL)
    return Check("widgets", "OK", found)


def check_data(folder: Path, environment: Mapping[str, str] = os.environ) -> Check:
    """What a command without `--data` takes: $JAALNET_DATA, else `folder/data`, else synthetic pictures."""
    from jaalnet_core.data.layout import NoPicturesError, find_layout  # late: it needs what is checked above

    named = environment.get("JAALNET_DATA", "")
    if named == "synthetic":
        return Check("data", "OK", "the synthetic set, as JAALNET_DATA asks")
    place = Path(named).expanduser() if named else folder / "data"
    try:
        layout = find_layout(place)
    except DataError as error:
        if named:
            return Check("data", "FAIL", f"JAALNET_DATA: {_first_line(error)}", "correct or unset JAALNET_DATA")
        if not isinstance(error, NoPicturesError):
            return Check("data", "FAIL", _first_line(error), f"jaalnet data check {place}")
        mend = "jaalnet data download, or JAALNET_DATA=FOLDER"
        return Check("data", "WARN", f"no pictures in {place}: synthetic ones will be made", mend)
    found = f"{place}: {len(layout.train)} training and {len(layout.test)} test pictures"
    if not layout.train or not layout.test:
        return Check("data", "WARN", found, f"jaalnet data check {place}")
    return Check("data", "OK", found)


def check_disk(folder: Path) -> Check:
    """Free disk where runs and data go."""
    free = shutil.disk_usage(folder).free / 1e9
    found = f"{free:.0f} GB free in {folder}"
    if free < DISK_LEAST_GB:
        return Check("disk", "FAIL", found, f"free at least {DISK_LEAST_GB:.0f} GB: checkpoints will not fit")
    if free < DISK_GOOD_GB:
        return Check("disk", "WARN", found, f"ISBI2016 wants {DISK_GOOD_GB:.0f} GB while it is unpacked")
    return Check("disk", "OK", found)


def check_memory() -> Check:
    """Memory that a new process could have."""
    import psutil

    free = psutil.virtual_memory().available / 1e9
    found = f"{free:.1f} GB available"
    if free < MEMORY_LEAST_GB:
        return Check("memory", "FAIL", found, "close programs; training needs 2 GB at the very least")
    if free < MEMORY_GOOD_GB:
        return Check("memory", "WARN", found, "train with --batch-size 4 or --preset tiny")
    return Check("memory", "OK", found)


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except Exception as error:  # the doctor's own line must come out whatever the machine does
        return Check(name, "FAIL", f"{type(error).__name__}: {_first_line(error)}", REINSTALL)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
