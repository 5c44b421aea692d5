"""Many processes on one file, and processes that die in the middle of their work."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import psutil
import torch
from fault_study import Study, Tally
from small_run import SIDE, as_data, drawn_lesions, fresh_processes, quietly, small_settings, weights_digest

from jaalnet_core.cli import main
from jaalnet_core.errors import TrainingError
from jaalnet_core.lf_net import LFNet, build_lf_net
from jaalnet_core.run_log import read_epochs
from jaalnet_core.size import Size
from jaalnet_core.training import TrainSettings
from jaalnet_core.training.run import Run
from jaalnet_core.weights import load_lf_net, save_weights

AREA = "Memory and processes"
GONE_WITHIN = 60.0  # seconds: a worker that is just starting first imports PyTorch, on a busy machine slowly
PATIENCE = 600.0  # seconds for what takes two on an idle machine


def not_posix() -> str | None:
    return None if os.name == "posix" else "needs signals between processes, as Linux and macOS have them"


def predictions_at_once(times: int, folder: Path, checkpoint: Callable[[int], str] = lambda number: "one") -> Tally:
    """`jaalnet predict` in so many processes that wait for each other, all on one checkpoint.

    Args:
        checkpoint: which of the weights `one` and `other` a process takes; a test lets one take the other.
    """
    for seed, name in enumerate(("one", "other")):
        torch.manual_seed(seed)
        save_weights(build_lf_net("tiny"), folder / f"{name}.safetensors", Size(SIDE, SIDE))
    pictures = folder / "pictures"
    pictures.mkdir()
    for name, image in zip("abc", drawn_lesions(3, seed=5, side=48).images, strict=True):
        cv2.imwrite(str(pictures / f"{name}.png"), image)
    context, tally = fresh_processes(), Tally()
    start = context.Barrier(times)
    processes = []
    for number in range(times):
        weights, out = folder / f"{checkpoint(number)}.safetensors", folder / f"out{number}"
        processes.append(context.Process(target=_predict, args=(start, pictures, weights, out)))
        processes[-1].start()
    for process in processes:
        process.join(PATIENCE)
    results = [_results(folder / f"out{number}") for number in range(times)]
    for number, (process, result) in enumerate(zip(processes, results, strict=True)):
        if process.exitcode == 0 and len(result) == 6 and result == results[0]:
            tally.kept("the same masks and overlays, byte for byte")
        else:
            tally.broke(f"process {number}: exit status {process.exitcode}, {len(result)} files")
    return tally


def _predict(start, pictures: Path, weights: Path, out: Path) -> None:
    torch.set_num_threads(1)
    start.wait(PATIENCE)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        status = main(["predict", str(pictures), "--checkpoint", str(weights), "--out", str(out), "--device", "cpu"])
    sys.exit(status)


def _results(out: Path) -> dict[str, str]:
    """Masks and overlays by name; the table holds each run's seconds and paths."""
    files = [*out.glob("*.png"), *out.glob("*.jpg")]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def written_in_place(network: LFNet, path: Path) -> None:
    """What `save_weights` does not do: write over a file that others read."""
    spare = path.with_suffix(".spare")
    save_weights(network, spare, Size(SIDE, SIDE))
    content = spare.read_bytes()
    with path.open("r+b" if path.exists() else "wb") as file:
        for start in range(0, len(content), 1 << 14):
            file.write(content[start : start + (1 << 14)])
            file.flush()
            time.sleep(0.0005)


def read_while_saved(
    times: int,
    folder: Path,
    write: Callable[[LFNet, Path], object] = lambda network, path: save_weights(network, path, Size(SIDE, SIDE)),
) -> Tally:
    """Weights read again and again while they are saved again and again, old and new in turns.

    Args:
        write: saves a network to a path; a test gives one that writes in place.
    """
    networks = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        networks.append(build_lf_net("tiny"))
    known = {_digest(network): f"network {number}" for number, network in enumerate(networks)}
    path, stop = folder / "best.safetensors", threading.Event()
    write(networks[0], path)

    def save_on() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            write(networks[turn % 2], path)

    writer, tally = threading.Thread(target=save_on), Tally()
    writer.start()
    try:
        for number in range(times):
            try:
                whole = _digest(load_lf_net(path).network) in known
                found = "a mixture of two networks"
            except Exception as error:
                whole, found = False, f"{type(error).__name__}: {error}"
            if whole:
                tally.kept("the old weights or the new ones, whole")
            else:
                tally.broke(f"reading {number}: {found}")
    finally:
        stop.set()
        writer.join()
    return tally


def _digest(network: LFNet) -> str:
    values = b"".join(value.numpy().tobytes() for value in network.state_dict().values())
    return hashlib.sha256(values).hexdigest()


def killed_workers(times: int, folder: Path) -> Tally:
    """One of two data-loader workers is killed at a random moment of a random step; then the run is resumed."""
    data, random, tally = as_data(drawn_lesions(8)), np.random.default_rng(80), Tally()
    whole = small_settings(folder / "whole")  # two epochs of four steps
    quietly(whole, data)
    wanted = weights_digest(whole.out / "last.pt")
    for number in range(times):
        settings = dataclasses.replace(whole, out=folder / f"{number}", workers=2)
        moment = int(random.integers(1, 9)), float(random.uniform(0, 0.1))
        with patch.object(Run, "set_learning_rates", _killing_a_worker(*moment, int(random.integers(2)))):
            outcome, broken = _outcome_of_death(settings, data)
        quietly(dataclasses.replace(settings, resume=True, workers=0), data)
        if broken is None and weights_digest(settings.out / "last.pt") != wanted:
            broken = "other weights after the resume"
        if broken is None and [row["epoch"] for row in read_epochs(settings.out / "log.csv")] != [1, 2]:
            broken = "a log with other epochs"
        if broken is None and any(_is_worker(child) for child in psutil.Process().children()):
            broken = "a worker is still there"
        if broken is None:
            tally.kept(outcome)
        else:
            tally.broke(f"killed {moment[1]:.3f} s into step {moment[0]}: {broken}")
    return tally


def _outcome_of_death(settings: TrainSettings, data) -> tuple[str, str | None]:
    try:
        quietly(settings, data)
        return "the batches were made already; finished, same weights", None
    except TrainingError as error:
        named = "--workers 0" in str(error) and ("--resume" in str(error) or "No checkpoint" in str(error))
        return "clear error; resumed to the same weights", None if named else f"found no mend in: {error}"
    except Exception as error:
        return "", f"{type(error).__name__}: {error}"


def _killing_a_worker(step: int, delay: float, which: int):
    """In place of `Run.set_learning_rates`: the same, and in that step a worker is about to die."""
    usual = Run.set_learning_rates

    def kill(workers: list[psutil.Process]) -> None:
        time.sleep(delay)
        with contextlib.suppress(psutil.NoSuchProcess):
            workers[which % len(workers)].kill()

    def set_learning_rates(run: Run, total_steps: int) -> float:
        if run.progress.step + 1 == step:
            workers = [child for child in psutil.Process().children() if _is_worker(child)]
            if workers:
                threading.Thread(target=kill, args=(workers,)).start()
        return usual(run, total_steps)

    return set_learning_rates


def _is_worker(process: psutil.Process) -> bool:
    """A fork of this process, not the server that `fresh_processes` keeps."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.cmdline() == psutil.Process().cmdline()
    return False


def train_in_a_group(settings: TrainSettings, start: str = "fork") -> None:
    """A training that leads a group of processes, as one started from a terminal does.

    Args:
        start: how workers start: `fork`, as on Linux until Python 3.13, or `forkserver`, as since; there it takes
            seconds, and Ctrl-C may come within them.
    """
    os.setsid()
    multiprocessing.set_start_method(start, force=True)
    torch.set_num_threads(1)
    sys.exit(0 if quietly(settings, as_data(drawn_lesions(8))).finished else 130)


def stopped_with_workers(
    times: int, folder: Path, work: Callable[..., None] = train_in_a_group, first: int = 0
) -> Tally:
    """Ctrl-C to all processes of a training, SIGTERM to all, or SIGKILL to the run alone, at a random moment.

    Args:
        work: what trains; a test gives one that leaves a process behind.
        first: number of the first try; 0, 1 and 2 are the three signals, every fourth from 2 on a forkserver's.
    """
    context, random, tally = fresh_processes(), np.random.default_rng(81), Tally()
    for number in range(first, first + times):
        settings = small_settings(folder / f"{number}", epochs=1000, workers=2)
        process = context.Process(target=work, args=(settings, "forkserver" if number % 4 == 2 else "fork"))
        process.start()
        started = _wait(lambda out=settings.out: (out / "last.pt").is_file(), PATIENCE)
        time.sleep(float(random.uniform(0, 0.5)))
        started &= _wait(lambda pid=process.pid: len(_group(pid)) >= 3, PATIENCE)  # itself and its workers
        kind = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)[number % 3]
        (os.kill if kind == signal.SIGKILL else os.killpg)(process.pid, kind)
        process.join(PATIENCE)
        ended = _wait(lambda pid=process.pid: not _group(pid), GONE_WITHIN)
        left = _group(process.pid)
        for orphan in left:
            orphan.kill()
        if started and ended and process.exitcode == (-signal.SIGKILL if kind == signal.SIGKILL else 130):
            tally.kept(f"{kind.name}: {'ended' if kind == signal.SIGKILL else 'saved and ended'}, no process left")
        else:
            tally.broke(f"{kind.name}: started {started}, {len(left)} left, exit status {process.exitcode}")
    return tally


def _wait(holds: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def _group(leader: int) -> list[psutil.Process]:
    """The living processes of a group."""
    found = []
    for process in psutil.process_iter(["status"]):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(process.pid) == leader and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


STUDIES = [
    Study(
        AREA,
        "Prediction processes all at once on one checkpoint",
        "every one succeeds with the same results, byte for byte",
        4,
        30,
        predictions_at_once,
        not_posix,
    ),
    Study(
        AREA,
        "Weights read while a run saves them",
        "a reader finds the old file or the new one, never half of one",
        40,
        2000,
        read_while_saved,
    ),
    Study(
        AREA,
        "A data-loader worker killed in mid-epoch",
        "a clear error names the mend; the resumed run ends in the same weights and log",
        2,
        60,
        killed_workers,
        not_posix,
    ),
    Study(
        AREA,
        "Ctrl-C, SIGTERM or SIGKILL to a training with two workers",
        "no process is left; the first two save the run",
        3,
        30,
        stopped_with_workers,
        not_posix,
    ),
]
