"""One odd file: its bytes, and what reading it must give; and the judgement of what was read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from fault_study import Tally

READ_PICTURE = "jaalnet_core.data.pictures:read_picture"
READ_MASK = "jaalnet_core.data.pictures:read_mask"
SECONDS = 30  # for one file; a whole one takes milliseconds
MEMORY = 2 * 1024**3
_BATCH = 400  # files a process


@dataclass(frozen=True)
class OddFile:
    """A file to read.

    Attributes:
        kind: what is odd about it.
        suffix: of its name.
        content: its bytes.
        outcome: whether it must be `read`, must be `refused`, or may be either.
        expected: what must come of it where it is read, `(H, W, 3)` or `(H, W)` uint8; None: any picture.
        tolerance: mean difference that is allowed (of 255; a JPEG's losses).
    """

    kind: str
    suffix: str
    content: bytes
    outcome: Literal["read", "refused", "either"]
    expected: np.ndarray | None = None
    tolerance: float = 0.0


def read_all(
    files: Iterator[OddFile], folder: Path, *, reader: str = READ_PICTURE, seconds: int = SECONDS, channels: int = 3
) -> Tally:
    """Read every file in other processes under the limits, and judge each."""
    tally = Tally()
    batch: list[OddFile] = []
    for number, file in enumerate(files):
        batch.append(file)
        if len(batch) == _BATCH:
            _read_batch(tally, batch, folder / f"from-{number}", reader, seconds, channels)
            batch = []
    if batch:
        _read_batch(tally, batch, folder / "last", reader, seconds, channels)
    return tally


def _read_batch(tally: Tally, batch: list[OddFile], folder: Path, reader: str, seconds: int, channels: int) -> None:
    folder.mkdir(parents=True)
    names = {f"{number:05}{file.suffix}": file for number, file in enumerate(batch)}
    for name, file in names.items():
        (folder / name).write_bytes(file.content)
    out = folder.with_suffix(".npz")
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("odd_reader.py")), str(folder), str(out), reader, str(seconds)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode:
        begun = next((line["begun"] for line in reversed(lines) if "begun" in line), "before the first")
        kind = names[begun].kind if begun in names else "none"
        tally.broke(f"{kind} ({begun}): the reader ended with {done.returncode}: {done.stderr[-300:]}")
        return
    peak = next(line["peak"] for line in lines if "peak" in line)
    if peak > MEMORY:
        tally.broke(f"{folder.name}: {peak / 1024**2:.0f} MB")
    with np.load(out) as arrays:
        for line in lines:
            if "name" in line:
                judge(tally, names[line["name"]], line["name"], line["error"], arrays, channels)
    for name in names:
        (folder / name).unlink()


def judge(tally: Tally, file: OddFile, name: str, error: str | None, arrays: object, channels: int) -> None:
    """One file's outcome, kept or broken."""
    if error is not None:
        if not error.startswith("PictureError: ") or name not in error:
            tally.broke(f"{file.kind} ({name}): {error}, which is no error for people that names the file")
        elif file.outcome == "read":
            tally.broke(f"{file.kind} ({name}): refused: {error}")
        else:
            tally.kept("a clear error that names the file")
        return
    read = arrays[name]
    if file.outcome == "refused":
        tally.broke(f"{file.kind} ({name}): read as {read.shape}, expected a refusal")
    elif read.dtype != np.uint8 or read.ndim != (3 if channels == 3 else 2):
        tally.broke(f"{file.kind} ({name}): {read.dtype} of shape {read.shape}")
    elif file.expected is None:
        tally.kept("read; nothing says what was meant")
    elif read.shape != file.expected.shape:
        tally.broke(f"{file.kind} ({name}): {read.shape}, expected {file.expected.shape}")
    elif (away := float(np.abs(read.astype(int) - file.expected).mean())) > file.tolerance:
        tally.broke(f"{file.kind} ({name}): {away:.3f} away on the mean")
    else:
        tally.kept("the right pixels")
