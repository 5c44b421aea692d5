"""Checkpoints and weights cut short or with flipped bits: the one before is taken, or a clear error says so."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import torch
from fault_study import Study, Tally, needs_linux
from training_process import difference, said, to_the_end, whole_run

from jaalnet_core.errors import CheckpointError
from jaalnet_core.training.checkpoint import load_newest
from jaalnet_core.weights import load_lf_net, read_training_checkpoint

Damage = Callable[[bytes, Random], bytes]


def cut(content: bytes, random: Random) -> bytes:
    """Only its beginning, of a random length."""
    return content[: random.randrange(len(content))]


def flip(content: bytes, random: Random) -> bytes:
    """One to eight bits turned over, anywhere; every other time near the end, where a zip file has its directory."""
    spoiled = bytearray(content)
    reach = len(spoiled) if random.random() < 0.5 else min(3000, len(spoiled))
    for _ in range(random.randint(1, 8)):
        spoiled[-1 - random.randrange(reach)] ^= 1 << random.randrange(8)
    return bytes(spoiled)


def same(one: Any, other: Any) -> bool:
    """Equal bit for bit, all the way down."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


def newest_spoiled(times: int, folder: Path, damage: Damage) -> Tally:
    """`last.pt` is damaged, and with it every name that is a hard link to it."""
    tally = Tally()
    run = whole_run(folder / "run")
    for path in run.glob("*.pt"):  # the fewest that a run can have: the newest by two names, and the one before
        if path.name not in ("last.pt", "epoch-0003.pt", "previous.pt"):
            path.unlink()
    last, content = run / "last.pt", (run / "last.pt").read_bytes()
    newest, before = read_training_checkpoint(last), read_training_checkpoint(run / "previous.pt")
    for number in range(times):
        last.write_bytes(damage(content, Random(number)))  # in place: all its names have it
        path, state, notes = load_newest(run)
        if path == last and same(state, newest):
            tally.kept("the damage hit nothing that is read")
        elif path.name == "previous.pt" and same(state, before) and str(last) in notes[0]:
            tally.kept("the one before was taken, and the damaged one named")
        else:
            tally.broke(f"try {number}: {path.name} was taken, with other content; notes {notes}")
    return tally


def newest_cut(times: int, folder: Path) -> Tally:
    return newest_spoiled(times, folder, cut)


def newest_flipped(times: int, folder: Path) -> Tally:
    return newest_spoiled(times, folder, flip)


def all_spoiled(times: int, folder: Path) -> Tally:
    """Every checkpoint of a run is damaged."""
    tally = Tally()
    run = whole_run(folder / "run")
    kept = {path: path.read_bytes() for path in run.glob("*.pt")}
    for number in range(times):
        random = Random(number)
        for path, content in kept.items():
            path.unlink()
            path.write_bytes(cut(content, random))
        try:
            tally.broke(f"try {number}: {load_newest(run)[0]} was taken")
        except CheckpointError as error:
            named = str(error).startswith(f"{run}: ") and all(str(path) in str(error) for path in kept)
            (tally.kept if named else tally.broke)("an error names the folder and every file" if named else str(error))
    return tally


def weights_spoiled(times: int, folder: Path, damage: Damage = flip) -> Tally:
    """`best.safetensors` is damaged."""
    tally = Tally()
    path = whole_run(folder / "run") / "best.safetensors"
    content, expected = path.read_bytes(), load_lf_net(path)
    for number in range(times):
        path.write_bytes(damage(content, Random(number)))
        try:
            found = load_lf_net(path)
        except CheckpointError as error:
            named = str(error).startswith(f"{path}: ")
            (tally.kept if named else tally.broke)("an error names the file" if named else str(error))
            continue
        if same(found.network.state_dict(), expected.network.state_dict()) and found.metadata == expected.metadata:
            tally.kept("the damage hit nothing that is read")
        else:
            tally.broke(f"try {number}: other weights, or said otherwise about them, and no error")
    return tally


def weights_cut(times: int, folder: Path) -> Tally:
    return weights_spoiled(times, folder, cut)


def gone_on(times: int, folder: Path) -> Tally:
    """A run whose newest checkpoint is damaged goes on with --resume."""
    tally = Tally()
    whole = whole_run(folder / "whole")
    for number in range(times):
        run, random = folder / f"run-{number}", Random(number)
        subprocess.run(["cp", "-a", whole, run], check=True)  # hard links stay hard links
        content = (run / "last.pt").read_bytes()
        (run / "last.pt").write_bytes(random.choice((cut, flip))(content, random))
        code = to_the_end(run)
        fault = f"ended with {code}: {said(run)}" if code else difference(run, whole)
        tally.kept("went on; same weights and log") if fault is None else tally.broke(f"try {number}: {fault}")
        shutil.rmtree(run)
    return tally


_BEFORE = "the checkpoint before it is taken, and the damaged file is named; never other weights"
STUDIES = [
    Study(
        "Disk", "the newest checkpoint, with all its hard links, cut at a random length", _BEFORE, 6, 150, newest_cut
    ),
    Study("Disk", "1 to 8 bits of the newest checkpoint flipped, anywhere", _BEFORE, 10, 250, newest_flipped),
    Study("Disk", "every checkpoint of a run cut", "a clear error names the folder and each file", 3, 40, all_spoiled),
    Study(
        "Disk",
        "1 to 8 bits of a file of weights flipped, anywhere",
        "an error names the file, or the weights are the same",
        20,
        500,
        weights_spoiled,
    ),
    Study("Disk", "a file of weights cut at a random length", "an error names the file", 6, 150, weights_cut),
    Study(
        "Disk",
        "--resume of a run whose newest checkpoint is damaged",
        "the same weights, optimisers and log in the end, bit for bit",
        1,
        8,
        gone_on,
        needs_linux,
    ),
]
