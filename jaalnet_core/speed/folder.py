"""A folder of photographs of mixed sizes outlined: one after another, and by all cores; is memory flat?"""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import torch

from jaalnet_core.benchmark import machine
from jaalnet_core.benchmark_settings import BenchmarkSettings
from jaalnet_core.data.parallel import MOST_WORKERS, cores
from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.peak_memory import MEGABYTE
from jaalnet_core.prediction import predict_pictures
from jaalnet_core.weights import LoadedNetwork

SIDES = ((576, 768), (767, 1022), (1000, 1504), (1936, 2592))  # ISBI2016's are mostly of these sizes (height, width)
COPIES = 4  # of each size; the folder repeats them
SHARE_ONE_BY_ONE = 5  # every fifth picture is enough to know the speed of one after another


def measure_folder(settings: BenchmarkSettings) -> dict[str, Any]:
    """Pictures a second of `predict_pictures`, one at a time and as many at a time as there are cores.

    Returns:
        `one_at_a_time` and `all_cores`: `pictures`, `seconds`, `pictures_per_second`, `workers`; `ratio`;
        `peak_mb_halves`: most memory above the start in the first and in the second half of the pictures, by all cores;
        beside them the settings and the machine.
    """
    torch.manual_seed(0)
    loaded = LoadedNetwork(build_lf_net(settings.preset).eval(), settings.size, {}, Path("random"))
    results: dict[str, Any] = {"of": "folder"}
    workers = {"one_at_a_time": 1, "all_cores": min(MOST_WORKERS, cores())}
    with tempfile.TemporaryDirectory() as name:
        photographs = write_photographs(Path(name) / "in", settings.pictures)
        for way, count in workers.items():
            chosen = photographs if way == "all_cores" else photographs[: len(photographs) // SHARE_ONE_BY_ONE or 1]
            watch = _Watch(Path(name) / way)
            started = time.perf_counter()
            with watch:
                predict_pictures(loaded, chosen, Path(name) / way, workers=count, device="cpu")
            seconds = time.perf_counter() - started
            speed = len(chosen) / seconds
            row = {"pictures": len(chosen), "seconds": seconds, "pictures_per_second": speed, "workers": count}
            results |= {way: row, "peak_mb_halves": watch.halves(len(chosen))}
    results["ratio"] = results["all_cores"]["pictures_per_second"] / results["one_at_a_time"]["pictures_per_second"]
    return results | {"preset": settings.preset, "size": list(settings.size), "sides": list(SIDES), **machine()}


def write_photographs(folder: Path, count: int) -> list[Path]:
    """`count` JPEGs of mixed sizes: blotches with grain, as heavy to decode as photographs of skin."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    files: list[bytes] = []
    for height, width in SIDES * COPIES:
        coarse = generator.integers(40, 230, (5, 6, 3), np.uint8)
        smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.int16)
        grain = generator.integers(-9, 10, (height, width, 1), np.int16)
        files.append(cv2.imencode(".jpg", np.clip(smooth + grain, 0, 255).astype(np.uint8))[1].tobytes())
    paths = [folder / f"{number:05}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(files[number % len(files)])
    return paths


class _Watch:
    """Notes, while the block runs, the memory of this process and how many masks lie in `out`."""

    def __init__(self, out: Path) -> None:
        self.out, self.seen = out, []
        self._done, self._thread = threading.Event(), threading.Thread(target=self._look)

    def __enter__(self) -> None:
        self.start = psutil.Process().memory_info().rss
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        process = psutil.Process()
        while not self._done.wait(0.05):
            masks = sum(1 for _ in self.out.glob("*_mask.png"))
            self.seen.append((masks, (process.memory_info().rss - self.start) / MEGABYTE))

    def halves(self, pictures: int) -> list[float | None]:
        """Most memory, MB, while the first half was done, and while the second was."""
        first = [memory for masks, memory in self.seen if masks < pictures / 2]
        second = [memory for masks, memory in self.seen if masks >= pictures / 2]
        return [max(half, default=None) for half in (first, second)]
