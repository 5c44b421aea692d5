"""Reads every file of a folder in a process of its own, under limits of time and memory, and writes down what came.

    python odd_reader.py FOLDER OUT.npz MODULE:FUNCTION

Prints one line of JSON a file ({"name", "error"}), flushed before the next is read, then {"peak"} in bytes. A file that
takes longer than the limit ends the process by SIGALRM: the line that is missing names it.
"""

from __future__ import annotations

import importlib
import json
import resource
import signal
import sys
import warnings
from pathlib import Path

import numpy as np
from peak_memory import peak_memory

MEMORY = 2 * 1024**3  # bytes of address space, everything included


def main(folder: str, out: str, function: str, seconds: str) -> None:
    module, _, name = function.partition(":")
    reader = getattr(importlib.import_module(module), name)
    from jaalnet_core.errors import PictureError

    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    arrays = {}
    for path in sorted(Path(folder).iterdir()):
        print(json.dumps({"begun": path.name}), flush=True)
        signal.alarm(int(seconds))
        error = None
        try:
            arrays[path.name] = reader(path)
        except PictureError as refusal:
            error = f"PictureError: {refusal}"
        except Exception as fault:
            error = f"{type(fault).__name__}: {fault}"
        signal.alarm(0)
        print(json.dumps({"name": path.name, "error": error}), flush=True)
    print(json.dumps({"peak": peak_memory()}), flush=True)
    np.savez(out, **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
