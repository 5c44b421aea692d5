"""Weights from elsewhere: no code runs, and what is loaded is what was saved, or nothing."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from itertools import islice, product
from pathlib import Path
from typing import Any

import torch
from apart import BROKEN, tally_apart
from fault_study import Study, Tally, needs_linux
from safetensors.torch import load_file
from weight_mutants import Trap, changed, coats, forged_header, odd_tensors, places, write_odd

from jaalnet_core.training.checkpoint import load_newest
from jaalnet_core.weights import load_da_net, load_lf_net, load_segmenter, read_training_checkpoint

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from weight_files import an_lf_net, checkpoint_of, write_checkpoint, write_safetensors

MEGABYTES, SECONDS = 1000, 60.0
Load = Callable[[Path], Any]
KNOWN = {"width": 8, "dilations": [1, 2], "canny_low": 20.0, "canny_high": 100.0}
ODD_VALUES = (None, True, -1, 0, 3, 2.5, 10**30, "", "8", [], [1], [10**9], {}, float("nan"), "x" * 10_000)


def newest(path: Path) -> Any:
    """As a resume reads it: by the name that a run gives its checkpoint."""
    path = path.rename(path.with_name("last.pt"))
    return load_newest(path.parent)


LOADERS: tuple[Load, ...] = (load_lf_net, load_segmenter, load_da_net, read_training_checkpoint, newest)


def never_run(times: int, folder: Path, loaders: tuple[Load, ...] = LOADERS) -> Tally:
    """A pickle in a checkpoint's place, in every coat, protocol, place and way."""
    state = checkpoint_of(an_lf_net(), None)
    cases = list(product(coats(), range(6), range(6), Trap.WAYS, loaders))
    random.Random(3).shuffle(cases)

    def one(number: int, case: Any) -> str:
        (suffix, coat), protocol, place, way, load = case
        proof, inside = folder / f"proof-{number}", folder / f"{number}"
        inside.mkdir()
        path = inside / f"trap{suffix}"
        path.write_bytes(coat(list(places(state, Trap(proof, way)))[place], protocol))
        try:
            load(path)
            return f"{BROKEN}loaded: {case}"
        finally:
            ran = proof.exists()
            for file in inside.iterdir():
                file.unlink()
            if ran:
                return f"{BROKEN}code ran: {case}"  # noqa: B012 - worse than any error

    tries = [lambda n=n, case=case: one(n, case) for n, case in enumerate(islice(cases, times))]
    return tally_apart(tries, megabytes=MEGABYTES, seconds=SECONDS)


def same_or_nothing(times: int, folder: Path, load: Load = load_lf_net) -> Tally:
    """Sound weights, as safetensors and as a checkpoint, changed at random."""
    sources = {path.suffix: path for path in (write_safetensors(folder), write_checkpoint(folder))}
    known, original = load_file(sources[".safetensors"]), load_lf_net(sources[".safetensors"])
    raw = {suffix: path.read_bytes() for suffix, path in sources.items()}

    def equal(loaded: Any) -> bool:
        mine, theirs = original.network.state_dict(), loaded.network.state_dict()
        return (
            loaded.network.settings == original.network.settings
            and loaded.size == original.size
            and mine.keys() == theirs.keys()
            and all(torch.equal(mine[name], theirs[name]) for name in mine)
        )

    def one(number: int) -> str:
        rng, suffix = random.Random(number), (".safetensors", ".pt")[number % 2]
        path = folder / f"mutant-{number}{suffix}"
        content = forged_header(raw[suffix], rng) if number % 6 == 0 else changed(raw[suffix], rng)
        path.write_bytes(content)
        try:
            if equal(load(path)):
                return "loaded, the same network"
            return f"{BROKEN}another network was loaded ({suffix}, seed {number})"
        finally:
            path.unlink()

    def misfit(number: int) -> str:
        """Tensors or settings that fit no network; written soundly, so that no checksum finds them."""
        rng, path = random.Random(number), folder / f"misfit-{number}.safetensors"
        header = {"format": "jaalnet", "network": "lf_net", "settings": json.dumps(KNOWN), "size": "64x48"}
        header["metadata"], tensors = "{}", known
        if rng.random() < 0.5:
            tensors = odd_tensors(known, rng)
        else:
            field = rng.choice([*KNOWN, "contour_attention", "dense", "separable", "cbam", "colour"])
            header["settings"] = json.dumps(KNOWN | {field: rng.choice(ODD_VALUES)})
        write_odd(path, tensors, header)
        try:
            loaded = load(path)
            if equal(loaded):
                return "loaded, the same network"
            return "loaded, other edges as asked for" if _only_edges(loaded) else f"{BROKEN}loaded: {header}"
        finally:
            path.unlink()

    def _only_edges(loaded: Any) -> bool:
        """Whether nothing but Canny's thresholds differ: sound settings, of a network that somebody may have."""
        mine, theirs = vars(original.network.settings).copy(), vars(loaded.network.settings).copy()
        return all(mine[name] == theirs[name] for name in mine if not name.startswith("canny"))

    tries = [lambda n=n: (misfit if n % 5 == 0 else one)(n) for n in range(times)]
    return tally_apart(tries, megabytes=MEGABYTES, seconds=SECONDS)


STUDIES = [
    Study(
        "Archives and weights",
        "a pickle that would run code in a checkpoint's place: raw, torch's two formats, TorchScript, named or shaped "
        "like safetensors, in settings, weights or metadata, protocols 0 to 5",
        "it never runs; a clear error",
        short=24,
        long=400,
        run=never_run,
        lacking=needs_linux,
    ),
    Study(
        "Archives and weights",
        "weights and checkpoints changed at random, with forged headers, with tensors or settings that do not fit",
        "a clear error, or the very network that was saved; under 1 GB and 60 s",
        short=60,
        long=3000,
        run=same_or_nothing,
        lacking=needs_linux,
    ),
]
