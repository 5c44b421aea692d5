"""What a machine can do at best: numbers multiplied, and numbers moved, in a second."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from jaalnet_core.benchmark import wait_for

CPU = torch.device("cpu")
_SIDES = {"cpu": 2048, "cuda": 8192}  # of the matrix product: large enough for all units to be busy
_NUMBERS = 2**26  # of the copy


def arithmetic_rate(device: torch.device = CPU, dtype: torch.dtype = torch.float32) -> float:
    """FLOP a second of a large matrix product, the best of a few."""
    side = _SIDES.get(device.type, 2048)
    matrix = torch.rand(side, side, device=device, dtype=dtype)
    return 2 * side**3 / min(seconds_of(lambda: matrix @ matrix, device) for _ in range(4))


def memory_rate() -> float:
    """Bytes a second, read and written together, of a copy far larger than the CPU's caches, the best of a few."""
    source = torch.rand(_NUMBERS)
    target = torch.empty_like(source)
    return 2 * source.nbytes / min(seconds_of(lambda: target.copy_(source)) for _ in range(4))


def seconds_of(work: Callable[[], object], device: torch.device = CPU) -> float:
    """Seconds that `work` takes; a GPU is waited for."""
    wait_for(device)
    started = time.perf_counter()
    work()
    wait_for(device)
    return time.perf_counter() - started
