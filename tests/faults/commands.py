"""Commands of `jaalnet` run in a process of their own, and what no command may do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odd_files import MEMORY

SECONDS = 1200  # for all commands of a study


def save_weights(folder: Path) -> Path:
    """A tiny network to outline with."""
    import torch

    from jaalnet_core import weights
    from jaalnet_core.lf_net import build_lf_net
    from jaalnet_core.size import Size

    torch.manual_seed(0)
    return weights.save_weights(build_lf_net("tiny"), folder / "tiny.safetensors", Size(32, 32))


@dataclass(frozen=True)
class Ran:
    """What the commands on a folder did; `broken` says what no command may do."""

    results: list[dict[str, Any]]
    broken: str | None


def run_commands(commands: Sequence[Sequence[str]], folder: Path, *, user: str | None = None) -> Ran:
    """Run commands one after the other in a process of their own, under a limit of time and memory."""
    wanted, out = folder / "commands.json", folder / "results.jsonl"
    wanted.write_text(json.dumps(commands), encoding="utf-8")
    words = [sys.executable, str(Path(__file__).with_name("command_process.py")), str(wanted), str(out)]
    try:
        done = subprocess.run(
            [*words, *([user] if user else [])],
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
            env=os.environ | {"OMP_NUM_THREADS": "1", "HOME": str(folder)},
        )
    except subprocess.TimeoutExpired:
        return Ran([], f"no end within {SECONDS} s")
    results = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    broken = None if done.returncode == 0 else f"the process ended with {done.returncode}: {done.stderr[-400:]}"
    for words, result in zip(commands, results, strict=False):
        if result["fault"]:
            broken = f"{' '.join(words[:2])}: {result['fault']}"
        elif result["peak"] > MEMORY:
            broken = f"{' '.join(words[:2])}: {result['peak'] / 1024**2:.0f} MB"
        elif result["status"] not in (0, 1):
            broken = f"{' '.join(words[:2])}: status {result['status']}: {result['printed'][-300:]}"
    return Ran(results, broken)
