"""Runs commands of `jaalnet` one after the other in one process, which may first give up its rights.

    python command_process.py COMMANDS.json OUT.json [UID]

COMMANDS holds lists of words. OUT gets, for each, its exit status, what it printed, the fault that came through (a user
would see a traceback), and the most memory used so far, in bytes.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import traceback

from peak_memory import peak_memory


def main(commands: str, out: str, user: str | None = None) -> None:
    from jaalnet_core.cli import main as jaalnet

    with open(commands, encoding="utf-8", errors="surrogateescape") as file:
        wanted = json.load(file)
    results = open(out, "w", encoding="utf-8")  # noqa: SIM115  opened while it may be
    if user is not None:
        from jaalnet_core import prediction  # noqa: F401  modules may not be within reach without rights
        from jaalnet_core.data import archive, check, importing  # noqa: F401
        from jaalnet_core.figures import outlines  # noqa: F401

        os.setgid(int(user))
        os.setuid(int(user))
    for words in wanted:
        printed, fault, status = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), None, None
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            try:
                status = jaalnet([os.fsdecode(os.fsencode(word)) for word in words])
            except BaseException:
                fault = traceback.format_exc()[-800:]
        printed.flush()
        text = printed.buffer.getvalue().decode("utf-8", "backslashreplace")
        results.write(json.dumps({"status": status, "printed": text, "fault": fault, "peak": peak_memory()}) + "\n")
        results.flush()
    results.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
