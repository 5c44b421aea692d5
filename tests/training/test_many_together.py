"""One run in several processes: the same losses and weights, one writer, and an end that all of them come to."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest
from together import PATIENCE, Turn, largest_difference, quietly, together, uneven_discs

from jaalnet_core.run_log import read_epochs
from jaalnet_core.training import TrainSettings
from jaalnet_core.training.checkpoint import load_newest
from jaalnet_core.training.lock import only_run_in

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="PyTorch's gloo and signals between processes")
# of weights and memories of sizes about 1, in float64, after 4 steps of Adam at 1e-3: up to 1e-11 was seen
TOLERANCE = 1e-10


@pytest.fixture
def uneven(quick: TrainSettings) -> TrainSettings:
    """Two epochs of two steps: four pictures, then one."""
    return dataclasses.replace(quick, epochs=2)


def elsewhere(settings: TrainSettings, name: str, **changes) -> TrainSettings:
    return dataclasses.replace(settings, out=settings.out.with_name(name), **changes)


def assert_same_run(one: TrainSettings, other: TrainSettings) -> None:
    """The same losses, scores and weights, to rounding."""
    lines, others = (read_epochs(settings.out / "log.csv") for settings in (one, other))
    assert [line["epoch"] for line in lines] == [1, 2]
    for line, its_other in zip(lines, others, strict=True):
        values = {name: value for name, value in line.items() if name != "seconds"}
        assert values == pytest.approx({name: its_other[name] for name in values}, rel=1e-6, nan_ok=True)
    assert largest_difference(one.out, other.out) < TOLERANCE


def test_two_processes_learn_what_one_does(uneven):
    alone, two = uneven, elsewhere(uneven, "two")
    quietly(alone)
    statuses, said = together(2, two)
    assert (statuses, said) == ([0, 0], ["", ""])
    assert_same_run(alone, two)
    names = {path.name for path in alone.out.iterdir()}
    assert {path.name for path in two.out.iterdir()} == names
    written = json.loads((two.out / "settings.json").read_text(encoding="utf-8"))
    assert (written["devices"], written["nodes"], written["batch_size"]) == (2, 1, 4)


@pytest.mark.long
@pytest.mark.parametrize(
    ("count", "changes"),
    [
        (4, {}),
        (2, {"recipe": "published"}),
        (4, {"recipe": "published"}),
        (2, {"workers": 1}),
        (2, {"augment_on": "device"}),
    ],
)
def test_four_processes_and_the_published_recipe(uneven, count, changes):
    alone = dataclasses.replace(uneven, **changes | {"workers": 0})
    many = elsewhere(uneven, "many", **changes)
    quietly(alone)
    assert together(count, many)[0] == [0] * count
    assert_same_run(alone, many)


@pytest.mark.long
def test_a_stop_that_one_process_hears_stops_all_and_others_may_go_on(uneven):
    """Two processes, stopped in mid-epoch; four; then one alone: the weights of a run that was never stopped."""
    alone, many = uneven, elsewhere(uneven, "many")
    quietly(alone)
    assert together(2, many, Turn("stop", step=1, rank=1)) == ([0, 0], ["", ""])
    assert not (many.out / "best.pt").exists()  # no epoch had ended
    resumed = dataclasses.replace(many, resume=True)
    assert together(4, resumed, Turn("stop", step=3, rank=2)) == ([0] * 4, [""] * 4)
    quietly(resumed)
    assert_same_run(alone, many)


@pytest.mark.long
@pytest.mark.parametrize("rank", [0, 2])
def test_where_one_process_is_killed_the_others_end_and_the_checkpoint_is_good(uneven, rank):
    alone, many = uneven, elsewhere(uneven, "many")
    quietly(alone)
    statuses, said = together(3, many, Turn("kill", step=3, rank=rank))
    ends = [many.out.with_name(f"many-said-{other}").stat().st_mtime for other in {0, 1, 2} - {rank}]
    assert max(ends) - (many.out / "log.csv").stat().st_mtime < 60  # from the end of step 2 on; a second when idle
    assert statuses.pop(rank) == -signal.SIGKILL
    assert statuses == [1, 1]
    said.pop(rank)
    for words in said:
        assert re.search(r"TrainingError: process \d of 3: another process of this run ended.*--resume", words)
    path, state, passed_over = load_newest(many.out)
    assert (path.name, state["training"]["progress"]["step"], passed_over) == ("last.pt", 2, [])
    assert together(2, dataclasses.replace(many, resume=True))[0] == [0, 0]
    assert_same_run(alone, many)


@pytest.mark.long
def test_a_loss_that_is_nan_in_one_process_stops_all_and_is_not_saved(uneven):
    statuses, said = together(2, uneven, Turn("spoil", step=3, rank=1))
    assert statuses == [1, 1]
    assert all("No longer finite in step 3" in words and "region" in words for words in said)
    assert load_newest(uneven.out)[1]["training"]["progress"]["step"] == 2


@pytest.mark.long
def test_what_stops_the_first_process_is_told_to_the_others(uneven):
    with only_run_in(uneven.out):
        statuses, said = together(2, uneven)
    assert statuses == [1, 1]
    assert said[0].startswith("SettingsError: --out: another run trains in")
    assert re.match(r"TrainingError: process 2 of 2: ends, for the first .*another run trains in", said[1])


@pytest.fixture
def as_files(tmp_path: Path) -> Path:
    """`uneven_discs` and more, as a data folder."""
    folder = tmp_path / "data" / "train"
    folder.mkdir(parents=True)
    arrays = uneven_discs().train
    for copy in range(3):
        for id, image, mask in zip(arrays.ids, arrays.images, arrays.masks, strict=True):
            cv2.imwrite(str(folder / f"{id}_{copy}.png"), image[..., ::-1] - copy)
            cv2.imwrite(str(folder / f"{id}_{copy}_mask.png"), mask * 255)
    return folder.parent


def command(start: list[str], data: Path, out: Path, *options: str) -> list[str]:
    tiny = ["--preset", "tiny", "--size", "32", "--batch-size", "4", "--device", "cpu", "--checkpoint-every", "1"]
    return [*start, "-m", "jaalnet_core", "train", "--data", str(data), "--out", str(out), *tiny, *options]


TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]
SLURM = {
    "SLURM_JOB_ID": "4711",
    "SLURM_JOB_NAME": "jaalnet",
    "SLURM_NODELIST": "127.0.0.1",
    "SLURM_NNODES": "1",
    "SLURM_NODEID": "0",
    "SLURM_NTASKS": "2",
    "SLURM_NTASKS_PER_NODE": "2",
}


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


@pytest.mark.long
def test_the_same_command_in_every_way_to_start_it(as_files, tmp_path):
    """Alone, by --devices, by torchrun, by torchrun on two nodes, and as Slurm's srun starts it: one log."""
    python, two = [sys.executable], ["--devices", "2"]
    to_node = [*TORCHRUN, "--nnodes", "2", "--master-addr", "127.0.0.1", "--master-port", free_port(), "--node-rank"]
    starts: dict[str, list[tuple[list[str], list[str], dict[str, str]]]] = {
        "alone": [(python, [], {})],
        "devices": [(python, two, {})],
        "torchrun": [([*TORCHRUN, "--standalone", "--nproc-per-node", "2"], [], {})],
        "nodes": [([*to_node, rank], [], {}) for rank in "01"],
        "srun": [(python, two, SLURM | {"SLURM_PROCID": rank, "SLURM_LOCALID": rank}) for rank in "01"],
    }
    logs = {}
    for name, members in starts.items():
        running = [
            subprocess.Popen(
                command(start, as_files, tmp_path / name, "--epochs", "1", *options), env=os.environ | more
            )
            for start, options, more in members
        ]
        assert [process.wait(PATIENCE) for process in running] == [0] * len(running), name
        (logs[name],) = read_epochs(tmp_path / name / "log.csv")
        del logs[name]["seconds"]
    for name, line in logs.items():
        assert line == pytest.approx(logs["alone"], rel=1e-3, abs=1e-3), name  # float32: rounding, taken up by Adam
    node_count = json.loads((tmp_path / "nodes" / "settings.json").read_text(encoding="utf-8"))["nodes"]
    assert node_count == 2


def ends_within(seconds: float, group: int) -> bool:
    """Whether every process of a group has gone by then."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.long
def test_ctrl_c_saves_a_run_of_several_processes(as_files, tmp_path):
    out = tmp_path / "run"
    start = command([sys.executable], as_files, out, "--epochs", "1000", "--devices", "2")
    process = subprocess.Popen(start, start_new_session=True, stdout=subprocess.PIPE, text=True)
    until = time.monotonic() + PATIENCE
    while not (out / "best.pt").exists() and time.monotonic() < until:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 130, said
    assert re.search(r"Stopped after step \d+ of 4000, saved\. Go on", said)
    assert ends_within(30, process.pid)  # no other process is left, a moment later
    newest = load_newest(out)
    assert newest is not None
    assert newest[2] == []
