"""What a run costs on many processes, on paper: a model of six measured figures, and the command that measures them.

    python -m jaalnet_core.training.cost --out reports/published/cluster-cost.json

takes a step alone and a step of two processes on this machine, and writes the figures and, into docs/cluster.md, the
tables made of them. A step of `W` processes with `b` pictures each takes

    W = 1:  b * image
    W > 1:  b * shared + collectives * latency + 2 (W - 1) / W * bytes / bandwidth

that is, everybody's own arithmetic, which is more beside others (batch statistics are taken apart and put together, and
the neighbours on a machine share its memory), the waiting for each of the step's small messages, and a ring all-reduce
of the gradients. Nothing overlaps in it; PyTorch hides a part of the last term behind the backward pass.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import platform
import socket
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from multiprocessing.queues import Queue
from pathlib import Path

import torch
from torch import distributed, nn

from jaalnet_core.choices import Preset
from jaalnet_core.derived_files import Derived, DerivedText
from jaalnet_core.errors import DataError, TrainingError
from jaalnet_core.files import write_json
from jaalnet_core.size import Size
from jaalnet_core.training.launch import start_processes, where_it_runs
from jaalnet_core.training.run import Run, build_run
from jaalnet_core.training.settings import TrainSettings
from jaalnet_core.training.without_waiting import random_batch, step_without_waiting

PAGE, FIGURES = Path("docs") / "cluster.md", Path("reports") / "published" / "cluster-cost.json"
BEGIN, END = "<!-- cluster cost -->", "<!-- /cluster cost -->"
PICTURES, PROCESSES = (859, 10_000, 1_000_000), (1, 2, 8, 64)
_BUCKET = 25 * 2**20  # bytes of gradients that PyTorch sends at once
_PATIENCE = 900.0  # seconds for one measurement


@dataclass(frozen=True)
class CostSettings:
    """What to measure, and where to write it."""

    preset: Preset = "small"
    """Width of both networks."""
    side: int = 128
    """Of the pictures, in pixels."""
    pictures: int = 16
    """Pictures a step and process."""
    rounds: int = 15
    """Timed steps, after two that warm up."""
    out: Path = FIGURES
    """The JSON file."""


@dataclass(frozen=True)
class Cost:
    """The measured figures of the model, and what it is compared with.

    Attributes:
        image: seconds of one process's step, a picture.
        shared: the same of a process that shares its batch statistics, beside another at work, without the waiting.
        collectives: small messages of a step that all processes wait for.
        latency: seconds of one of them, between two processes.
        gradients: bytes that are averaged in a step, of both networks.
        bandwidth: bytes of a large message that two processes reduce in a second.
        pair: measured seconds of a step of two processes with `pictures` each.
        pictures: of a step, in each process.
        picture_bytes: of one picture with its mask, in the memory of each process.
        about: machine, versions and command.
    """

    image: float
    shared: float
    collectives: int
    latency: float
    gradients: int
    bandwidth: float
    pair: float
    pictures: int
    picture_bytes: int
    about: dict[str, str | int | float]

    def step(self, processes: int, pictures: int | None = None) -> float:
        """Seconds of a step in which each process has so many pictures (None: as measured)."""
        pictures = self.pictures if pictures is None else pictures
        if processes == 1:
            return pictures * self.image
        ring = 2 * (processes - 1) / processes * self.gradients / self.bandwidth
        return pictures * self.shared + self.collectives * self.latency + ring

    def epoch(self, processes: int, pictures: int) -> float:
        """Seconds of an epoch over so many pictures, validation and saving left out."""
        return math.ceil(pictures / (processes * self.pictures)) * self.step(processes)


def measure(settings: CostSettings) -> Cost:
    """Take the figures on this machine: one process alone, then two that train together.

    Raises:
        TrainingError: a process did not come to its end.
    """
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan
    (alone,) = _in_processes(1, settings)
    pair = max(_in_processes(2, settings), key=lambda figures: figures["step"])
    return Cost(
        image=alone["step"] / settings.pictures,
        shared=pair["company"] / settings.pictures,
        collectives=int(alone["collectives"]),
        latency=pair["latency"],
        gradients=int(alone["gradients"]),
        bandwidth=alone["gradients"] / pair["reduce"],
        pair=pair["step"],
        pictures=settings.pictures,
        picture_bytes=settings.side**2 * 4,  # red, green, blue and the mask, a byte each
        about={
            "command": f"python -m jaalnet_core.training.cost --preset {settings.preset} --side {settings.side}",
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, 1 thread a process",
            "torch": torch.__version__,
            "backend": "gloo, both processes on this machine",
            "rounds": settings.rounds,
            "load": round(busy, 1),
        },
    )


def collectives(run: Run) -> int:
    """How often the processes of a run wait for each other in one step, the large gradients' buckets included."""
    passes = {"lf_net": 1, "da_net": (3 if run.settings.second_fake else 2) + 1}  # forward passes of a step
    count = 3  # the outline's share, the losses, the wish to stop
    for name, network in (("lf_net", run.step.lf_net), ("da_net", run.step.da_net)):
        if network is not None:
            norms = sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())
            count += 2 * passes[name] * norms + math.ceil(_gradient_bytes(network) / _BUCKET)
    return count


def _gradient_bytes(network: nn.Module | None) -> int:
    return 0 if network is None else sum(4 * weight.numel() for weight in network.parameters())


def _in_processes(count: int, settings: CostSettings) -> list[dict[str, float]]:
    context = multiprocessing.get_context("spawn")
    answers: Queue[dict[str, float]] = context.Queue()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    members = [
        context.Process(target=_member, args=(rank, count, port, settings, answers), daemon=True)
        for rank in range(count)
    ]
    for member in members:
        member.start()
    try:
        return [answers.get(timeout=_PATIENCE) for _ in members]
    except Exception as error:
        raise TrainingError(f"A measurement with {count} processes did not end within {_PATIENCE:.0f} s.") from error
    finally:
        for member in members:
            member.join(10)
            member.kill()


def _member(rank: int, count: int, port: int, settings: CostSettings, answers: Queue[dict[str, float]]) -> None:
    torch.set_num_threads(1)
    if count > 1:  # as torchrun would
        there = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count}
        there |= {"RANK": rank, "LOCAL_RANK": rank, "GROUP_RANK": 0, "TORCHELASTIC_RUN_ID": "cost"}
        os.environ |= {name: str(value) for name, value in there.items()}
    batch = settings.pictures * count
    size = Size(settings.side, settings.side)
    wanted = TrainSettings(preset=settings.preset, size=size, batch_size=batch, device="cpu").resolved()
    run = build_run(wanted, start_processes(where_it_runs(wanted)))
    run.processes.take_up(batch)
    images, masks = random_batch(settings.pictures, size)
    gradients = _gradient_bytes(run.step.lf_net) + _gradient_bytes(run.step.da_net)
    found = {"collectives": collectives(run), "gradients": gradients}
    found["step"] = _median([lambda: run.step(images, masks)] * (settings.rounds + 2))
    if count > 1:
        distributed.barrier()
        found["company"] = _median([step_without_waiting(wanted, settings.pictures)] * (settings.rounds + 2))
        distributed.barrier()
        small, large = torch.zeros(2, 64, dtype=torch.float64), torch.zeros(gradients // 4)
        found["latency"] = _median([lambda: distributed.all_reduce(small)] * 200)
        found["reduce"] = _median([lambda: distributed.all_reduce(large)] * (settings.rounds + 2))
        distributed.barrier()
    answers.put(found)


def _median(calls: Sequence) -> float:
    """Of their seconds, without the first two."""
    seconds = []
    for call in calls:
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[2:])


def read_cost(path: Path) -> Cost:
    """What `measure` found and `main` wrote.

    Raises:
        DataError: the file is missing or damaged.
    """
    try:
        return Cost(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise DataError(
            f"{path}: cannot be read ({error}), expected what python -m jaalnet_core.training.cost writes."
        ) from error


def page(root: Path) -> DerivedText:
    """docs/cluster.md with the tables that the figures bear out.

    Raises:
        DataError: the figures are missing or damaged, or the page has no place for the tables.
    """
    text = (root / PAGE).read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise DataError(f"{root / PAGE}: found no single pair of {BEGIN} and {END}, expected the place for the tables.")
    before, rest = text.split(BEGIN)
    return DerivedText(root / PAGE, f"{before}{BEGIN}\n{tables(read_cost(root / FIGURES))}\n{END}{rest.split(END)[1]}")


def cost_files(root: Path) -> list[Derived]:
    """The page with its tables; nothing in a project without it.

    Raises:
        DataError: as for `page`.
    """
    return [page(root)] if (root / PAGE).is_file() else []


def tables(cost: Cost) -> str:
    """The measured figures, the model against a measurement, and what the model says, as Markdown."""
    heads = [f"{pictures:,} pictures" for pictures in PICTURES]
    lines = [
        f"Measured by `{cost.about['command']}` ({cost.about['machine']}, torch {cost.about['torch']}, "
        f"{cost.about['backend']}; medians of {cost.about['rounds']} steps; load "
        f"before: {cost.about['load']}):",
        "",
        "| figure | value |",
        "| --- | --- |",
        f"| a picture's part of a step, one process | {1000 * cost.image:.0f} ms |",
        f"| the same in two at work, with shared batch statistics, before any waiting | {1000 * cost.shared:.0f} ms |",
        f"| small messages of a step | {cost.collectives} |",
        f"| one of them | {1000 * cost.latency:.2f} ms |",
        f"| gradients of both networks | {cost.gradients / 1e6:.1f} MB |",
        f"| reduced in a second | {cost.bandwidth / 1e6:.0f} MB |",
        f"| a step of two processes, {cost.pictures} pictures each: measured | {cost.pair:.2f} s |",
        f"| the same by the model | {cost.step(2):.2f} s |",
        f"| a picture and its mask in memory | {cost.picture_bytes / 1000:.1f} kB |",
        "",
        f"An epoch by the model, {cost.pictures} pictures a process and step:",
        "",
        "| processes | " + " | ".join(heads) + " | efficiency |",
        "| --- |" + " --- |" * (len(heads) + 1),
    ]
    for count in PROCESSES:
        cells = " | ".join(_duration(cost.epoch(count, pictures)) for pictures in PICTURES)
        lines.append(f"| {count} | {cells} | {100 * cost.step(1) / cost.step(count):.0f} % |")
    memory = " | ".join(f"{pictures * cost.picture_bytes / 1e9:.2g} GB" for pictures in PICTURES)
    return "\n".join([*lines, f"| memory of each process | {memory} | |"])


def _duration(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def main() -> None:
    """Measure, write the figures, and put the tables into docs/cluster.md where it is there."""
    import tyro

    settings = tyro.cli(CostSettings, description=__doc__)
    cost = measure(settings)
    write_json(settings.out, asdict(cost))
    print(tables(cost))
    if settings.out == FIGURES:
        for file in cost_files(Path()):
            file.write()


if __name__ == "__main__":
    main()
