"""Photographs as they come: every kind of file, damaged ones, impostors, and the largest that are allowed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from damaged_files import cut_short, impostor, with_bytes_changed
from fault_study import Study, Tally, needs_linux
from large_pictures import LARGE_KINDS, write_large
from odd_files import MEMORY, OddFile, read_all
from whole_pictures import KINDS, whole_picture

from jaalnet_core.data.pictures import MAX_MEGAPIXELS

AREA = "Pictures"
_LONG_SIDE = 9_990  # just below the limit of 100 megapixels
_SHORT_SIDE = 2_000
_BYTES_A_PIXEL = 20  # 2 GB at 100 megapixels


def corpus(make: Callable[[np.random.Generator, int], OddFile], times: int, seed: int) -> Iterator[OddFile]:
    """So many files, each from a seed of its own, so that one can be made again alone."""
    return (make(np.random.default_rng([seed, number]), number) for number in range(times))


def a_whole_one(rng: np.random.Generator, number: int) -> OddFile:
    kinds = sorted(KINDS)
    return whole_picture(rng, kinds[number % len(kinds)])


def a_cut_one(rng: np.random.Generator, number: int) -> OddFile:
    return cut_short(a_whole_one(rng, number), rng)


def a_changed_one(rng: np.random.Generator, number: int) -> OddFile:
    return with_bytes_changed(a_whole_one(rng, number), rng)


def an_impostor(rng: np.random.Generator, number: int) -> OddFile:
    return impostor(rng)


def read_large(times: int, folder: Path) -> Tally:
    """The largest allowed pictures of every kind, each read in a process of its own: right, and within memory."""
    tally = Tally()
    script = Path(__file__).with_name("large_pictures.py")
    for number in range(times):
        kind = sorted(LARGE_KINDS)[number % len(LARGE_KINDS)]
        side = _LONG_SIDE if times >= len(LARGE_KINDS) else _SHORT_SIDE
        path = write_large(kind, side, folder)
        done = subprocess.run(
            [sys.executable, str(script), str(path)],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        path.unlink()
        if done.returncode:
            tally.broke(f"{kind}, {side}x{side}: {done.stderr[-300:]}")
            continue
        found = json.loads(done.stdout)
        most = min(MEMORY, found["before"] + side * side * _BYTES_A_PIXEL)
        if found["peak"] > most:
            tally.broke(f"{kind}, {side}x{side}: {found['peak'] / 1e6:.0f} MB, at most {most / 1e6:.0f} were promised")
        elif found["away"] > 6:
            tally.broke(f"{kind}, {side}x{side}: {found['away']} away on the mean")
        else:
            tally.kept("read within the memory")
    return tally


STUDIES = [
    Study(
        AREA,
        f"a photograph of one of {len(KINDS)} kinds and modes, 1x1 to 3000 pixels long",
        "the pixels that a viewer shows, as built or as OpenCV decodes them",
        2 * len(KINDS),
        1_500,
        lambda times, folder: read_all(corpus(a_whole_one, times, 1), folder),
        needs_linux,
    ),
    Study(
        AREA,
        "a photograph cut short at a random length",
        "a clear error that names the file, or the right pixels",
        60,
        1_200,
        lambda times, folder: read_all(corpus(a_cut_one, times, 2), folder),
        needs_linux,
    ),
    Study(
        AREA,
        "a photograph with bytes changed at random",
        "a clear error that names the file, or a picture; a PNG, which carries checksums, is right or refused",
        60,
        1_500,
        lambda times, folder: read_all(corpus(a_changed_one, times, 3), folder),
        needs_linux,
    ),
    Study(
        AREA,
        "something else under a picture's name, a header that claims 20,000x20,000 or more, a bomb",
        f"refused by name, above {MAX_MEGAPIXELS:g} megapixels before decoding; under 2 GB and 30 seconds",
        40,
        500,
        lambda times, folder: read_all(corpus(an_impostor, times, 4), folder),
        needs_linux,
    ),
    Study(
        AREA,
        "a picture just below 100 megapixels",
        "read in under 2 GB of memory",
        2,
        len(LARGE_KINDS),
        read_large,
        needs_linux,
    ),
]
