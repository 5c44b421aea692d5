"""The most memory that this process has had, by what Linux keeps of it."""

from __future__ import annotations

from pathlib import Path


def peak_memory() -> int:
    """Bytes in memory at most so far. (`getrusage` would begin with the peak of the process that started this one.)"""
    lines = Path("/proc/self/status").read_bytes().splitlines()  # as bytes: a process without rights loads no codec
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(b"VmHWM:"))
