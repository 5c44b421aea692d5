"""One picture through LF-Net on one core: as it is, channels last, with norms folded, compiled, in ONNX Runtime."""

from __future__ import annotations

import copy
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from jaalnet_core.benchmark import machine
from jaalnet_core.benchmark_settings import BenchmarkSettings
from jaalnet_core.export import INPUT, OUTPUT, export_onnx
from jaalnet_core.flops import forward_gflop
from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.weights import LoadedNetwork

WARM_UP = 3
REPETITIONS = 8  # pictures a round and runtime


def measure_inference(settings: BenchmarkSettings) -> dict[str, Any]:
    """Milliseconds a picture of each way to compute the same logits, in turns, on one core.

    Returns:
        `ways`, name to `milliseconds` (median), `milliseconds_range` (fastest and slowest), `ready_seconds` (compiling
        or exporting, once) and `largest_difference` (of probabilities, from `eager`); None for a way that this machine
        lacks a package or a compiler for. Beside them the settings and the machine.
    """
    torch.manual_seed(0)
    with _one_thread(), torch.no_grad():
        network = _with_statistics(build_lf_net(settings.preset).eval(), settings)
        picture = torch.rand(1, 3, *settings.size)
        ways = {name: _ready(make, network, settings) for name, make in _WAYS.items()}
        milliseconds = _in_turns(ways, picture, settings.rounds)
        expected = ways["eager"][0](picture)
        rows = {
            name: None
            if ready is None
            else {
                "milliseconds": statistics.median(milliseconds[name]),
                "milliseconds_range": [min(milliseconds[name]), max(milliseconds[name])],
                "ready_seconds": ready[1],
                "largest_difference": float((ready[0](picture).sigmoid() - expected.sigmoid()).abs().max()),
            }
            for name, ready in ways.items()
        }
        about = {"preset": settings.preset, "size": list(settings.size), "rounds": settings.rounds, **machine()}
        return {"of": "inference", "ways": rows, "gflop": forward_gflop(network, settings.size), **about}


def fold_norms(network: nn.Module) -> nn.Module:
    """A copy in which every batch normalisation that follows a convolution has become part of its weights.

    For a trained network in evaluation mode: there a batch normalisation multiplies each channel and adds to it, and so
    may the convolution itself. The outputs agree but for rounding; the copy cannot be trained.

    A pair is a convolution and the norm of as many channels defined right after it in the same module, which is how
    `blocks` writes them.
    """
    folded = copy.deepcopy(network).eval()
    for module in list(folded.modules()):
        children = list(module.named_children())
        for (name, conv), (norm_name, norm) in pairwise(children):
            if isinstance(conv, (nn.Conv2d, nn.ConvTranspose2d)) and isinstance(norm, nn.BatchNorm2d):
                transposed = isinstance(conv, nn.ConvTranspose2d)
                setattr(module, name, fuse_conv_bn_eval(conv, norm, transpose=transposed))
                setattr(module, norm_name, nn.Identity())
    return folded


Way = Callable[[Tensor], Tensor]


def _eager(network: nn.Module, _settings: BenchmarkSettings) -> Way:
    return network


def _channels_last(network: nn.Module, _settings: BenchmarkSettings) -> Way:
    last = copy.deepcopy(network).to(memory_format=torch.channels_last)
    return lambda picture: last(picture.contiguous(memory_format=torch.channels_last))


def _folded(network: nn.Module, settings: BenchmarkSettings) -> Way:
    return _channels_last(fold_norms(network), settings)


def _compiled(network: nn.Module, settings: BenchmarkSettings) -> Way:
    compiled = torch.compile(copy.deepcopy(network).to(memory_format=torch.channels_last))
    picture = torch.rand(1, 3, *settings.size)
    compiled(picture.contiguous(memory_format=torch.channels_last))  # here it is really compiled
    return lambda picture: compiled(picture.contiguous(memory_format=torch.channels_last))


def _onnx(network: nn.Module, settings: BenchmarkSettings) -> Way:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        export_onnx(LoadedNetwork(network, settings.size, {}, path), path)
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])

    def run(picture: Tensor) -> Tensor:
        return torch.from_numpy(session.run([OUTPUT], {INPUT: picture.numpy()})[0]).logit()

    return run


_WAYS: dict[str, Callable[[nn.Module, BenchmarkSettings], Way]] = {
    "eager": _eager,
    "channels last": _channels_last,
    "channels last, norms folded": _folded,
    "compiled": _compiled,
    "ONNX Runtime": _onnx,
}


def _with_statistics(network: nn.Module, settings: BenchmarkSettings) -> nn.Module:
    """Norms that have seen pictures, so that folding them in is no trivial thing."""
    network.train()(torch.rand(2, 3, *settings.size))
    return network.eval()


def _ready(make: Callable[..., Way], network: nn.Module, settings: BenchmarkSettings) -> tuple[Way, float] | None:
    started = time.perf_counter()
    try:
        way = make(network, settings)
    except Exception as error:  # no C++ compiler, no onnxruntime: each has errors of its own kind
        print(f"{make.__name__.strip('_')}: not measured ({str(error).strip().splitlines()[0][:120]})")
        return None
    return way, time.perf_counter() - started


def _in_turns(ways: dict[str, tuple[Way, float] | None], picture: Tensor, rounds: int) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, ready in ways.items():
            for _ in range(0 if ready is None else REPETITIONS if turn else WARM_UP):
                started = time.perf_counter()
                ready[0](picture)
                if turn:
                    taken[name].append(1000 * (time.perf_counter() - started))
    return taken


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
