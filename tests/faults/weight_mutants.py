"""Pickles that would run code, in every coat a checkpoint has; and sound weights changed at random."""

from __future__ import annotations

import io
import pickle
import random
import subprocess
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from archive_makers import changed
from safetensors.torch import save_file


class Trap:
    """Unpickling this makes the file `proof`: by the way of a function that takes plain arguments."""

    WAYS = ("touch", "system", "exec", "eval", "popen", "open", "partial", "state")

    def __init__(self, proof: Path, way: str) -> None:
        self.proof, self.way = str(proof), way

    def __reduce__(self) -> tuple[Any, ...]:
        import functools
        import os

        line = f"open({self.proof!r}, 'w').close()"
        match self.way:
            case "touch":
                return Path.touch, (Path(self.proof),)
            case "system":
                return os.system, (f"touch {self.proof}",)
            case "exec":
                return exec, (line,)
            case "eval":
                return eval, (line,)
            case "popen":
                return subprocess.Popen, (["touch", self.proof],)
            case "open":
                return open, (self.proof, "w")
            case "partial":
                return functools.partial(exec, line), ()
        return Path.touch, (Path(self.proof),), {"state": 1}


def coats() -> Iterator[tuple[str, Callable[[Any, int], bytes]]]:
    """How a file may hold a pickle: its ending, and (what, protocol) to its bytes."""
    for suffix in (".pt", ".safetensors"):
        yield suffix, lambda what, protocol: pickle.dumps(what, protocol)
        yield suffix, lambda what, protocol: _saved(what, protocol, True)
        yield suffix, lambda what, protocol: _saved(what, protocol, False)
        yield suffix, lambda what, protocol: _zip(what, protocol, "archive/data.pkl")
        yield suffix, lambda what, protocol: _zip(what, protocol, "archive/constants.pkl", "archive/data.pkl")
        yield suffix, _behind_a_header


def _saved(what: Any, protocol: int, new: bool) -> bytes:
    buffer = io.BytesIO()
    torch.save(what, buffer, pickle_protocol=protocol, _use_new_zipfile_serialization=new)
    return buffer.getvalue()


def _zip(what: Any, protocol: int, *names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in (*names, "archive/code/__torch__.py"):
            archive.writestr(name, pickle.dumps(what, protocol))
        archive.writestr("archive/version", b"3\n")
    return buffer.getvalue()


def _behind_a_header(what: Any, protocol: int) -> bytes:
    """As safetensors have it: a length, a header, and the pickle where the tensors would be."""
    body = pickle.dumps(what, protocol)
    header = b'{"a":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}' % (len(body), len(body))
    return len(header).to_bytes(8, "little") + header + body


def places(state: dict[str, Any], trap: Trap) -> Iterator[Any]:
    """The trap alone, and in every part of a training checkpoint."""
    network = state["lf_net"]
    yield trap
    yield state | {"metadata": {"epoch": trap}}
    yield state | {"lf_net": network | {"settings": network["settings"] | {"width": trap}}}
    yield state | {"lf_net": network | {"weights": network["weights"] | {"head.bias": trap}}}
    yield state | {"format": trap}
    yield [trap, state]


def odd_tensors(known: dict[str, torch.Tensor], rng: random.Random) -> dict[str, torch.Tensor]:
    """The tensors with one that does not fit: another shape, dtype, name, one too many, too few, not finite."""
    name = rng.choice(sorted(known))
    tensor, others = known[name], {key: value for key, value in known.items() if key != name}
    match rng.randrange(8):
        case 0:
            return others
        case 1:
            return known | {rng.choice(["tail", "", "head.bias.", "ſtem", "x" * 500, "__class__"]): torch.zeros(2)}
        case 2:
            return others | {name + "_": tensor}
        case 3:
            return known | {name: tensor.reshape(-1)[: rng.randrange(tensor.numel() or 1)].clone()}
        case 4:
            return known | {name: tensor[None].clone()}
        case 5:
            dtypes = [torch.int8, torch.int32, torch.bool, torch.float8_e5m2, torch.complex64]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return known | {name: tensor.to(rng.choice(dtypes))}
        case 6:
            return known | {name: torch.zeros(rng.choice([(0,), (0, 3), (1,) * 9, (1000, 1000)]))}
    floating = rng.choice([key for key, value in sorted(known.items()) if value.is_floating_point()])
    bad = known[floating].clone()
    bad.view(-1)[rng.randrange(bad.numel())] = rng.choice([float("nan"), float("inf"), float("-inf")])
    return known | {floating: bad}


def forged_header(raw: bytes, rng: random.Random) -> bytes:
    """A safetensors file whose header, or its length, says something else of the same bytes."""
    length = int.from_bytes(raw[:8], "little")
    header, body = raw[8 : 8 + length], raw[8 + length :]
    match rng.randrange(4):
        case 0:
            absurd = rng.choice([0, 1, 7, length - 1, length + 1, 1 << 30, (1 << 63) - 1, (1 << 64) - 1])
            return absurd.to_bytes(8, "little") + raw[8:]
        case 1:
            header = header.replace(b'"data_offsets":[', b'"data_offsets":[%d' % rng.randrange(9), rng.randint(1, 5))
        case 2:
            header = header.replace(rng.choice([b"F32", b"I64"]), rng.choice([b"F16", b"F64", b"I32", b"Z9"]), 1)
        case 3:
            header = changed(header, rng)
    return len(header).to_bytes(8, "little") + header + body


def write_odd(path: Path, tensors: dict[str, torch.Tensor], header: dict[str, str]) -> Path:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, metadata=header)
    return path
