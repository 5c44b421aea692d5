"""A folder of pictures outlined by several threads: all at once, nothing else than one by one, and memory flat."""

from __future__ import annotations

import subprocess
import sys
import threading

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from jaalnet_core.data.parallel import do_in_threads
from jaalnet_core.errors import SettingsError
from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.prediction import predict_pictures
from jaalnet_core.prediction_files import read_table
from jaalnet_core.size import Size
from jaalnet_core.weights import LoadedNetwork, save_weights


class Together(nn.Module):
    """Answers only when `parties` threads ask at the same time; notes how many ever did, and its own mode."""

    def __init__(self, parties):
        super().__init__()
        self.barrier = threading.Barrier(parties, timeout=20)
        self.inside, self.most, self.modes = 0, 0, set()
        self.lock = threading.Lock()

    def forward(self, images):
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.modes.add((self.training, torch.get_num_threads()))
        self.barrier.wait()
        with self.lock:
            self.inside -= 1
        return 40 * (0.5 - images.mean(dim=1, keepdim=True))


def pictures(folder, count, side=40, seed=0, kind="png"):
    """Pictures of mixed sizes: blotches, some dark."""
    folder.mkdir()
    generator = np.random.default_rng(seed)
    for number in range(count):
        coarse = generator.integers(0, 256, (4, 4, 3), np.uint8)
        picture = cv2.resize(coarse, (side + 7 * (number % 5), side + 3 * (number % 7)), interpolation=cv2.INTER_LINEAR)
        cv2.imwrite(str(folder / f"{number:04}.{kind}"), picture)
    return folder


def test_so_many_pictures_are_in_work_at_once_in_evaluation_mode(tmp_path):
    network = Together(parties=3)
    loaded = LoadedNetwork(network, Size(32, 32), {}, tmp_path / "x.safetensors")
    before = torch.get_num_threads()
    rows = predict_pictures(
        loaded, [pictures(tmp_path / "in", 6)], tmp_path / "out", workers=3, device="cpu", progress=False
    )
    assert [row.status for row in rows] == ["ok"] * 6
    assert network.most == 3
    assert network.modes == {(False, 1)}  # not training, and each on one core
    assert network.training
    assert torch.get_num_threads() == before


def test_threads_write_the_same_files_in_the_same_order(tmp_path):
    torch.manual_seed(0)
    weights = save_weights(build_lf_net("tiny"), tmp_path / "tiny.safetensors", Size(32, 32))
    folder = pictures(tmp_path / "in", 7)
    (folder / "0003.png").write_bytes(b"broken")
    written = []
    for workers in (1, 4):
        out = tmp_path / f"out{workers}"
        rows = predict_pictures(weights, [folder], out, workers=workers, device="cpu", progress=False)
        assert [row.file for row in rows] == [str(folder / f"{number:04}.png") for number in range(7)]
        assert [row.status for row in rows] == ["ok"] * 3 + ["error"] + ["ok"] * 3
        assert [(row.file, row.mask, row.status) for row in read_table(out)] == [
            (row.file, row.mask, row.status) for row in rows
        ]
        written.append({path.name: path.read_bytes() for path in out.iterdir() if path.suffix != ".csv"})
    assert written[0] == written[1]
    assert len(written[0]) == 12


def test_nothing_is_begun_after_a_failure_and_what_is_in_hand_is_finished():
    begun, finished = [], []
    second = threading.Event()

    def work(item):
        begun.append(item)
        if item == 0:
            second.wait(20)
            raise RuntimeError("first")
        second.set()
        if item == 1:
            threading.Event().wait(0.2)
        finished.append(item)

    with pytest.raises(RuntimeError, match="first"):
        do_in_threads(work, range(50), workers=2)
    assert begun == [0, 1]
    assert finished == [1]


def test_no_item_is_read_ahead():
    taken, done = [], []

    def items():
        for item in range(20):
            taken.append(item)
            assert len(taken) - len(done) <= 3
            yield item

    do_in_threads(lambda item: None, items(), workers=3, done=lambda: done.append(None))
    assert len(done) == 20


def test_a_number_of_workers_below_one_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="--workers"):
        predict_pictures("x.safetensors", [tmp_path], tmp_path / "out", workers=0)


MEMORY = """
import sys
import psutil, torch
from pathlib import Path
from jaalnet_core.prediction import predict_pictures
torch.set_num_threads(1)
weights, small, large, out = sys.argv[1:]
me = psutil.Process()
predict_pictures(weights, [Path(small)], Path(out), workers=2, device="cpu", progress=False)
before = me.memory_info().rss
predict_pictures(weights, [Path(large)], Path(out), workers=2, device="cpu", progress=False)
print((me.memory_info().rss - before) / 2**20)
"""


@pytest.mark.parametrize("count", [20, pytest.param(400, marks=pytest.mark.long)])
def test_memory_stays_flat(tmp_path, count):
    """After a folder has warmed the process up, one of more and equally large pictures takes nothing more."""
    torch.manual_seed(0)
    weights = save_weights(build_lf_net("tiny"), tmp_path / "tiny.safetensors", Size(32, 32))
    side = 900  # 2.6 MB a picture as bytes: keeping them would show
    small, large = (
        pictures(tmp_path / name, number, side, kind="bmp") for name, number in (("few", 6), ("many", count))
    )
    command = [sys.executable, "-c", MEMORY, weights, small, large, tmp_path / "out"]
    answer = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True)
    assert float(answer.stdout.split()[-1]) < 25, answer.stdout
