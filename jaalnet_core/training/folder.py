"""A run's folder: what it is called, what is written there first, and whether a resume fits it."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import torch
import torchvision

from jaalnet_core import __version__
from jaalnet_core.data.source import LesionData
from jaalnet_core.errors import SettingsError
from jaalnet_core.files import write_json
from jaalnet_core.training.settings import RECIPES, TrainSettings
from jaalnet_core.training.writing import writing

RUNS = Path("checkpoints")
# what may differ between the starts of one run: it changes where and how fast, not what
FREE_ON_RESUME = {"data", "out", "resume", "checkpoint_every", "keep_checkpoints", "epochs"}
FREE_ON_RESUME |= {"workers", "devices", "nodes", "compile"}


def run_folder(settings: TrainSettings, data_name: str) -> Path:
    """`--out`, else `checkpoints/<data>-<preset>-<recipe>-seed<seed>`; a U-Net or a part left out is named too."""
    if settings.out is not None:
        return Path(settings.out)
    words = [data_name.lower(), *([] if settings.network == "lf-net" else [settings.network]), settings.preset]
    words += [settings.recipe, *(f"without-{part}" for part in settings.without), f"seed{settings.seed}"]
    return RUNS / "-".join(words)


def open_folder(folder: Path, settings: TrainSettings, data: LesionData) -> None:
    """Make the folder, refuse one that is taken, and write `settings.json`, `data.json` and `environment.json`.

    Raises:
        SettingsError: the folder holds a run and `--resume` was not given, or holds one of other settings or data.
        CheckpointError: the folder cannot be written.
    """
    identity = {"name": data.name, "sha256": fingerprint(data), "train": len(data.train)}
    if _holds_run(folder):
        if not settings.resume:
            raise SettingsError(
                f"--out: {folder} already holds a run. Go on with it by --resume, or name another folder by --out."
            )
        _require_same(folder, settings, identity)
    folder.mkdir(parents=True, exist_ok=True)
    with writing(folder, "what the run is"):
        write_json(folder / "settings.json", settings.to_json())
        write_json(folder / "data.json", identity | {"notes": list(data.notes)})
        write_json(folder / "environment.json", environment())


def fingerprint(data: LesionData) -> str:
    """SHA-256 over the training and validation pictures, masks and ids: two equal runs saw the same."""
    digest = hashlib.sha256()
    for arrays in (data.train, data.validation):
        digest.update("\n".join(arrays.ids).encode())
        digest.update(arrays.images.tobytes())
        digest.update(arrays.masks.tobytes())
    return digest.hexdigest()


def environment() -> dict[str, Any]:
    """Versions and machine, so that a number can be traced."""
    return {
        "jaalnet_core": __version__,
        "git_revision": _git_revision(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "platform": platform.platform(),
        "cpu_cores": psutil.cpu_count(logical=True),
        "threads": torch.get_num_threads(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "command": " ".join(["jaalnet", *sys.argv[1:]]) if "jaalnet" in sys.argv[0] else None,
    }


def _holds_run(folder: Path) -> bool:
    return any(folder.glob("*.pt"))


def _require_same(folder: Path, settings: TrainSettings, identity: dict[str, Any]) -> None:
    found, wanted = _read(folder / "settings.json"), settings.to_json()
    # an older run does not name what was no setting then: it had what is left out now
    before = TrainSettings(recipe=found["recipe"] if found.get("recipe") in RECIPES else settings.recipe)
    found = before.resolved().to_json() | found
    differing = [k for k in wanted if k not in FREE_ON_RESUME and found[k] != wanted[k]]
    if differing:
        changes = ", ".join(f"{name} was {found[name]!r}, now {wanted[name]!r}" for name in differing)
        raise SettingsError(
            f"--resume: the run in {folder} has other settings: {changes}. Repeat its own, or use --out."
        )
    earlier = _read(folder / "data.json")
    if earlier.get("sha256") != identity["sha256"]:
        raise SettingsError(
            f"--resume: the run in {folder} was trained on other pictures ({earlier.get('name')}, "
            f"{earlier.get('train')} to train on) than these ({identity['name']}, {identity['train']}). Point "
            "--data at its own, or use --out."
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict):
            raise ValueError(f"found {type(values).__name__}, expected named values")
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(
            f"{path}: cannot be read ({error}), so nobody can tell whether these settings are its run's. Put back the "
            "file that training wrote, or use --out."
        ) from error
    return values


def _git_revision() -> str | None:
    here = Path(__file__).resolve().parent
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=here,
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None if answer.returncode == 0 else None
