"""Two processes at one folder: two trainings, a training after one that was killed, two imports."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from random import Random

import numpy as np
from fault_study import Study, Tally, needs_linux
from PIL import Image
from small_run import fresh_processes
from training_process import REFUSED, Prepare, difference, error_file, said, start, to_the_end, whole_run

from jaalnet_core.data.importing import import_pictures
from jaalnet_core.errors import DataError
from jaalnet_core.training.lock import OWNER


def two_trainings(times: int, folder: Path, prepare: Prepare = bool) -> Tally:
    """Started within a few milliseconds of each other."""
    tally = Tally()
    whole = whole_run(folder / "whole")
    for number in range(times):
        run = folder / f"run-{number}"
        first = start(run, prepare)
        time.sleep(Random(number).uniform(0, 0.05))
        second = start(run, prepare)
        for process in (first, second):
            process.join()
        codes, words = sorted((first.exitcode, second.exitcode)), said(run)
        winner = first if first.exitcode == 0 else second
        named = all(word in words for word in (str(run), f"process {winner.pid} on {socket.gethostname()}"))
        fault = difference(run, whole)
        if codes == [0, REFUSED] and named and fault is None:
            tally.kept("one trained; the other stopped and named it")
        elif codes == [0, 0] and fault is None:
            tally.kept("one came when the other had finished")
        else:
            tally.broke(f"try {number}: exit codes {codes}, said {words!r}, {fault}")
    return tally


def with_loaders() -> None:
    """In a child: two processes prepare its pictures; killed, it leaves them behind for some seconds."""
    import dataclasses

    import training_process

    real = training_process.run_settings
    training_process.run_settings = lambda folder: dataclasses.replace(real(folder), workers=2)


def after_a_killed_one(times: int, folder: Path, prepare: Prepare = with_loaders) -> Tally:
    """The first is killed while it holds the folder; the second starts at once."""
    tally = Tally()
    whole = whole_run(folder / "whole")
    for number in range(times):
        run = folder / f"run-{number}"
        first = start(run, prepare)
        while not (run / OWNER).exists() and first.is_alive():
            time.sleep(0.01)
        time.sleep(Random(number).uniform(0, 1))
        os.kill(first.pid, signal.SIGKILL)
        code = to_the_end(run)
        first.join()
        fault = f"ended with {code}: {said(run)}" if code else difference(run, whole)
        tally.kept("taken over; same weights and log") if fault is None else tally.broke(f"try {number}: {fault}")
    return tally


def two_imports(times: int, folder: Path, prepare: Prepare = bool) -> Tally:
    """Two sets of pictures of the same names and other content, imported into one folder at the same moment."""
    tally = Tally()
    context = fresh_processes()
    sources = [_pictures(folder / name, value) for name, value in (("dark", 20), ("light", 230))]
    for number in range(times):
        out, go = folder / f"data-{number}", context.Barrier(len(sources), timeout=120)
        importers = [context.Process(target=_import, args=(source, out, go, prepare)) for source in sources]
        for process in importers:
            process.start()
        for process in importers:
            process.join()
        found = {path.name: path.read_bytes() for path in out.rglob("*.png")}
        codes = [process.exitcode for process in importers]
        winner = codes.index(0) if 0 in codes else 0
        whole = found == {path.name: path.read_bytes() for path in sources[winner].glob("*.png")}
        left = [path.name for path in out.iterdir() if path.name.startswith(".")]
        if sorted(codes) == [0, REFUSED] and whole and not left:
            tally.kept("one set is there whole; the other was refused")
        else:
            tally.broke(f"try {number}: exit codes {codes}, {len(found)} pictures, one whole set: {whole}, left {left}")
    return tally


def _pictures(folder: Path, value: int) -> Path:
    folder.mkdir()
    for number in range(5):
        Image.fromarray(np.full((8, 8, 3), value + number, np.uint8)).save(folder / f"mole_{number}.png")
    return folder


def _import(source: Path, out: Path, go, prepare: Prepare) -> None:
    prepare()
    go.wait()
    try:
        import_pictures([source], out, split="train", progress=False)
    except DataError as error:
        error_file(out).write_text(str(error), encoding="utf-8")
        raise SystemExit(REFUSED) from None


AREA = "Two at once"
STUDIES = [
    Study(
        AREA,
        "two trainings started into one folder",
        "one trains as if alone; the other's error names folder, process and host",
        1,
        12,
        two_trainings,
        needs_linux,
    ),
    Study(
        AREA,
        "a training started into the folder of one just killed, whose loader processes still live",
        "it takes the lock over and goes on to the same weights and log",
        1,
        6,
        after_a_killed_one,
        needs_linux,
    ),
    Study(
        AREA,
        "two imports of other pictures by the same names into one data folder",
        "one set is there whole, the other import says so; no mixture, nothing overwritten",
        3,
        40,
        two_imports,
        needs_linux,
    ),
]
