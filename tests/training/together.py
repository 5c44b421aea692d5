"""Runs of several processes on this machine, started as `torchrun` starts them; for tests."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from unittest.mock import patch

import torch
from dark_discs import dark_discs

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.source import LesionData
from jaalnet_core.errors import JaalnetError
from jaalnet_core.training import TrainSettings, train
from jaalnet_core.training import launch as launch_module
from jaalnet_core.training.fabric import Fabric
from jaalnet_core.training.interrupt import StopRequest
from jaalnet_core.training.run import Run
from jaalnet_core.training.step import AdversarialStep
from jaalnet_core.weights import read_training_checkpoint

PICTURES = 5  # in batches of 4: the last batch holds one, so all processes but the first have none of it
PATIENCE = 300.0  # seconds, for what takes ten on an idle machine


def uneven_discs() -> LesionData:
    """Few pictures, of which neither the batches nor the validation can be divided evenly."""
    none = dark_discs(1).take([])
    return LesionData("discs", Path("discs"), dark_discs(PICTURES), dark_discs(3, seed=1), none, (), ())


@contextlib.contextmanager
def in_double() -> Iterator[None]:
    """Train in float64: what is left between two ways to add the same numbers is a billion times smaller.

    Adam divides a gradient by its size, so in float32 a bias whose gradient is all rounding moves by a whole learning
    rate this way or that, in one process as in several.
    """
    usual_float, usual_tensors = torch.Tensor.float, LesionArrays.tensors

    def keep_double(values: torch.Tensor) -> torch.Tensor:
        return values if values.dtype == torch.float64 else usual_float(values)

    def double_tensors(arrays: LesionArrays, *bounds: int) -> tuple[torch.Tensor, torch.Tensor]:
        images, masks = usual_tensors(arrays, *bounds)
        return images.double(), masks.double()

    # Fabric hands a network's output on in float32
    precision = type(Fabric(accelerator="cpu", devices=1, precision="64-true")._precision)

    with (
        patch.object(precision, "convert_output", lambda self, output: output),
        patch.object(launch_module, "_precision", lambda settings: "64-true"),
        patch.object(torch.Tensor, "float", keep_double),
        patch.object(LesionArrays, "tensors", double_tensors),
    ):
        yield


class Turn:
    """What happens after one step in one process.

    Args:
        step: counted from 1. rank: of the process.
        act: `stop` (asks to stop), `kill` (SIGKILL to itself) or `spoil` (its region loss is NaN).
    """

    def __init__(self, act: str, step: int, rank: int) -> None:
        self.act, self.step, self.rank = act, step, rank
        self.stop = StopRequest()

    def on_step(self, run: Run, total: int) -> None:
        if run.progress.step != self.step or run.processes.rank != self.rank:
            return
        if self.act == "stop":
            self.stop.request()
        elif self.act == "kill":
            os.kill(os.getpid(), signal.SIGKILL)

    @contextlib.contextmanager
    def spoiling(self, rank: int) -> Iterator[None]:
        """While entered, the loss of the step is NaN in the one process."""
        usual, steps = AdversarialStep.__call__, []

        def call(step: AdversarialStep, *batch: torch.Tensor) -> dict[str, torch.Tensor]:
            steps.append(1)
            losses = usual(step, *batch)
            bad = self.act == "spoil" and rank == self.rank and len(steps) == self.step
            return losses | {"region": torch.tensor(float("nan"))} if bad else losses

        with patch.object(AdversarialStep, "__call__", call):
            yield


def quietly(settings: TrainSettings, turn: Turn | None = None, rank: int = 0) -> None:
    """Train on `uneven_discs` in float64 without a word."""
    turn = turn or Turn("none", 0, 0)
    torch.set_num_threads(1)
    with in_double(), turn.spoiling(rank):
        train(
            settings,
            data=uneven_discs(),
            progress=False,
            say=lambda text: None,
            on_step=turn.on_step,
            stop=turn.stop,
        )


def together(count: int, settings: TrainSettings, turn: Turn | None = None) -> tuple[list[int], list[str]]:
    """Train in `count` processes; their exit statuses (99: none within `PATIENCE`), and what errors they ended with."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["jaalnet_core.training.loop", "torch.utils.tensorboard"])
    said = [settings.out.with_name(f"{settings.out.name}-said-{rank}") for rank in range(count)]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes: list[BaseProcess] = [
        context.Process(target=_member, args=(rank, count, port, settings, turn, said[rank])) for rank in range(count)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE)
    statuses = [99 if process.exitcode is None else process.exitcode for process in processes]
    for process in processes:
        process.kill()
        process.join()
    return statuses, [path.read_text(encoding="utf-8") if path.exists() else "" for path in said]


def _member(rank: int, count: int, port: int, settings: TrainSettings, turn: Turn | None, said: Path) -> None:
    os.environ |= {
        "TORCHELASTIC_RUN_ID": "test",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": str(count),
        "LOCAL_WORLD_SIZE": str(count),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "GROUP_RANK": "0",
    }
    torch.manual_seed(rank)  # the networks must not depend on where a process's random numbers stand
    try:
        quietly(settings, turn, rank)
    except JaalnetError as error:
        said.write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
        raise SystemExit(1) from error


def largest_difference(one: Path, other: Path) -> float:
    """The largest between two runs' last checkpoints, over every weight, average and optimiser's memory."""
    first, second = (read_training_checkpoint(folder / "last.pt") for folder in (one, other))
    pairs = [(first[name]["weights"], second[name]["weights"]) for name in ("lf_net", "da_net")]
    pairs.append((first["training"]["lf_net"], second["training"]["lf_net"]))
    for name in ("lf_optimizer", "da_optimizer"):
        memories = [state["training"][name]["state"] for state in (first, second)]
        assert memories[0].keys() == memories[1].keys()
        pairs += [(memories[0][key], memories[1][key]) for key in memories[0]]
    return max((a[key] - b[key]).abs().max().item() for a, b in pairs for key in a)
