"""Ctrl-C for real: a process is told to stop, saves, says how to go on, and goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from jaalnet_core.data.pictures import read_picture
from jaalnet_core.run_log import read_epochs
from jaalnet_core.training.interrupt import StopRequest

REPOSITORY = Path(__file__).resolve().parents[2]


def test_first_signal_asks_second_insists():
    before = signal.getsignal(signal.SIGINT)
    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_the_main_thread_it_is_a_button():
    stop = StopRequest()

    def enter() -> None:
        with stop:
            stop.request()

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert stop.requested


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to another process on Windows")
def test_ctrl_c_saves_and_resume_finishes(tmp_path, real_or_drawn):
    run = tmp_path / "run"
    command = [sys.executable, "-m", "jaalnet_core", "train", "--data", str(real_or_drawn), "--preset", "tiny"]
    command += ["--size", "32", "--epochs", "30", "--batch_size", "4", "--out", str(run), "--device", "cpu"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=REPOSITORY, start_new_session=True
    )
    deadline = time.monotonic() + 240
    while not (run / "last.safetensors").exists() and process.poll() is None:
        assert time.monotonic() < deadline, "no epoch was finished"
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 130, output
    assert "--resume" in output
    assert "Traceback" not in output
    assert (run / "last.pt").exists()
    assert len(read_epochs(run / "log.csv")) < 30
    done = subprocess.run([*command, "--resume"], capture_output=True, text=True, cwd=REPOSITORY, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Going on from" in done.stdout
    assert [row["epoch"] for row in read_epochs(run / "log.csv")] == list(range(1, 31))


@pytest.fixture
def real_or_drawn(tmp_path, discs):
    """The discs as files, in data/{train,test}/{images,masks}."""
    import cv2

    folder = tmp_path / "data"
    for split, arrays in (("train", discs.train), ("test", discs.test)):
        for kind in ("images", "masks"):
            (folder / split / kind).mkdir(parents=True)
        for name, image, mask in zip(arrays.ids, arrays.images, arrays.masks, strict=True):
            cv2.imwrite(str(folder / split / "images" / f"{name}.png"), np.ascontiguousarray(image[..., ::-1]))
            cv2.imwrite(str(folder / split / "masks" / f"{name}.png"), mask * 255)
    assert np.array_equal(
        read_picture(folder / "train" / "images" / f"{discs.train.ids[0]}.png"), discs.train.images[0]
    )
    return folder
