"""JSON that somebody edited: settings, records of runs and trials, scores. What does not fit is named."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from apart import BROKEN, tally_apart
from fault_study import Study, Tally, needs_linux

from jaalnet_core.ablation.record import read_run_file
from jaalnet_core.cards import card_files
from jaalnet_core.data.checksums import ChecksumFile
from jaalnet_core.errors import JaalnetError
from jaalnet_core.report import read_run
from jaalnet_core.robustness.study import read_study
from jaalnet_core.trials import read_trial

ROOT = Path(__file__).resolve().parents[2]
ODD_VALUES = (None, True, -1, 0, 10**400, 2.5, float("nan"), "", "eight", "x" * 5000, [], [[]], ["a"], {}, {"a": 1})
CHECKSUMS = {"a.zip": {"sha256": "0" * 64, "size": 9, "url": "http://a", "date": "2026-01-31", "files": 2}}
CHECKSUMS["a.zip"]["unpacked_size"] = 12
Read = Callable[[Path], Any]


def readers() -> Iterator[tuple[Path | None, str, Read]]:
    """A folder to copy, the file in it to spoil, and who reads it. The files are those that the project ships."""
    published, shipped = ROOT / "reports" / "published", ROOT / "checkpoints" / "shipped" / "small-synthetic"
    trial = published / "trials" / "02-strong-augmentation"
    yield shipped, "settings.json", lambda path: read_run(path.parent)
    yield shipped, "metrics.json", lambda path: card_files(path.parent)
    yield trial, "settings.json", lambda path: read_run(path.parent)
    yield trial, "trial.json", lambda path: read_trial(path.parent)
    yield published / "ablation-tiny-64", "course-seed0.json", read_run_file
    yield published / "robustness", min(f.name for f in (published / "robustness").glob("*.json")), read_study
    yield None, "data.json", lambda path: read_run(path.parent)
    yield None, "environment.json", lambda path: read_run(path.parent)
    yield None, "checksums.json", ChecksumFile


OWN = {
    "data.json": {"name": "ISBI2016", "sha256": "0" * 64, "train": 9, "notes": ["a note"]},
    "environment.json": {"python": "3.11", "command": "jaalnet train", "git_revision": "abc", "cpu_cores": 2},
    "checksums.json": CHECKSUMS,
}


def spoilt(value: Any, rng: random.Random) -> tuple[Any, str]:
    """The same with one field changed, gone or added, somewhere near the top; and that field's name."""
    parent = value
    while True:
        keys = list(parent) if isinstance(parent, dict) else range(len(parent))
        key = rng.choice(list(keys))
        if not isinstance(parent[key], dict | list) or not parent[key] or rng.random() < 0.5:
            break
        parent = parent[key]
    match rng.randrange(4):
        case 0 if isinstance(parent, dict):
            parent["colour"], key = "red", "colour"
        case 1:
            del parent[key]
        case _:
            parent[key] = rng.choice(ODD_VALUES)
    return value, str(key)


def name_it(times: int, folder: Path, wrap: Callable[[Read], Read] = lambda read: read) -> Tally:
    kinds = list(readers())

    def one(number: int) -> str:
        rng = random.Random(number)
        source, name, read = kinds[number % len(kinds)]
        home = Path(tempfile.mkdtemp(dir=folder)) / (source.name if source else "run")
        try:
            home.mkdir()
            if source:
                path = home / name
                text = (source / name).read_text(encoding="utf-8")
                for other in source.iterdir():
                    if other.is_file() and other.name != name and other.suffix in (".json", ".csv", ".safetensors"):
                        (home / other.name).symlink_to(other)
            else:
                path, text = home / name, json.dumps(OWN[name])
                (home / "settings.json").symlink_to(kinds[0][0] / "settings.json")
            field = ""
            if rng.random() < 0.1:
                text = rng.choice([text[: rng.randrange(len(text))], "", "[]", "null", "3", "\0", "[" * 100_000])
            else:
                value, field = spoilt(json.loads(text), rng)
                text = json.dumps(value)
            path.write_text(text, encoding="utf-8")
            try:
                wrap(read)(path)
            except JaalnetError as error:
                if str(path) not in str(error) and str(home) not in str(error):
                    return f"{BROKEN}{name}, seed {number}: the file is not named: {error}"
                return "a clear error that names the field" if field and field in str(error) else "a clear error"
            return "read: what was changed is free, or fits"
        finally:
            shutil.rmtree(home.parent, ignore_errors=True)

    return tally_apart([lambda n=n: one(n) for n in range(times)], megabytes=1500, seconds=60)


STUDIES = [
    Study(
        "Archives and weights",
        "a JSON file that was edited or cut: a run's settings, data and environment, a trial, an ablation's run, "
        "scores, checksums",
        "a clear error that names the file, or what stands there is read; no traceback",
        short=45,
        long=1000,
        run=name_it,
        lacking=needs_linux,
    )
]
