"""Arithmetic, bytes and time of each part of LF-Net, forward and backward, beside the two floors of this machine.

No machine can be faster than its arithmetic units multiply, nor than its memory delivers the numbers. Both rates are
measured here, by one large matrix product and by one large copy. Every operation's arithmetic is counted by torch's
formulas, and its bytes as what it reads and writes, each number once; operations that only look at the same numbers
another way count nothing. What fits into the caches may beat the memory floor.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from jaalnet_core.benchmark import machine
from jaalnet_core.benchmark_settings import BenchmarkSettings
from jaalnet_core.flops import flop_counter
from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.speed.rates import arithmetic_rate, memory_rate, seconds_of

BETWEEN = "between the parts"  # joins, pooling, the loss


@dataclass
class Cost:
    """Sums over operations: how many, FLOP, bytes read and written, seconds."""

    operations: int = 0
    flop: float = 0.0
    bytes: float = 0.0
    seconds: float = 0.0


def measure_layers(settings: BenchmarkSettings) -> dict[str, Any]:
    """Costs of LF-Net's parts over a forward and a backward pass of a batch, a picture.

    Returns:
        `parts`, in the order of their first use: `part`, `gflop`, `megabytes`, `milliseconds` (each a picture; median
        over the rounds), `arithmetic_floor` and `memory_floor` (milliseconds); `total` alike, and `unwatched`: its
        milliseconds when nothing is timed within; `rates`: `gflop_per_second`, `gigabytes_per_second`.
    """
    torch.manual_seed(0)
    rates = {"gflop_per_second": arithmetic_rate() / 1e9, "gigabytes_per_second": memory_rate() / 1e9}
    network = build_lf_net(settings.preset).to(memory_format=torch.channels_last)
    images = torch.rand(settings.batch_size, 3, *settings.size).contiguous(memory_format=torch.channels_last)

    def work() -> None:
        network.zero_grad()
        network(images).square().mean().backward()

    rounds = [part_costs(network, work) for _ in range(settings.rounds + 1)][1:]  # the first warms up
    seconds = {part: statistics.median(costs[part].seconds for costs in rounds) for part in rounds[0]}
    parts = [
        {"part": part, **_row(cost.flop, cost.bytes, seconds[part], settings.batch_size, rates)}
        for part, cost in rounds[0].items()
    ]
    sums = (sum(cost.flop for cost in rounds[0].values()), sum(cost.bytes for cost in rounds[0].values()))
    total = _row(*sums, sum(seconds.values()), settings.batch_size, rates)
    total["unwatched"] = (
        1000 * statistics.median(seconds_of(work) for _ in range(settings.rounds)) / settings.batch_size
    )
    about = {"preset": settings.preset, "size": list(settings.size), "batch_size": settings.batch_size}
    return {"of": "layers", "parts": parts, "total": total, "rates": rates, **about, **machine()}


def part_costs(network: nn.Module, work: Callable[[], object]) -> dict[str, Cost]:
    """What `work()`, a forward and a backward pass of `network`, costs in each of its parts.

    A part is a child of the network, or of a list of children one of its members, such as `encoder.2`.
    """
    counted: dict[str, Cost] = defaultdict(Cost)
    with _Places(network) as places, flop_counter() as flops, _Meter(counted, places, flops):
        work()
    return dict(counted)


class _Places:
    """Says which part is at work, on the way forward and on the way back.

    Autograd numbers its nodes as they are made: a part's are those between its call and its return. On the way back
    parts overlap, and the number of the node at work tells them apart.
    """

    def __init__(self, network: nn.Module) -> None:
        self.parts = {name: network.get_submodule(name) for name in _part_names(network)}
        self.forward = BETWEEN
        self.numbers: list[tuple[int, int, str]] = []
        self.started = 0

    def __enter__(self) -> _Places:
        self.handles = []
        for name, part in self.parts.items():
            self.handles.append(part.register_forward_pre_hook(lambda *_, name=name: self._enter(name)))
            self.handles.append(part.register_forward_hook(lambda *_, name=name: self._leave(name)))
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self.handles:
            handle.remove()

    def now(self) -> str:
        """The part whose operation runs."""
        node = torch._C._current_autograd_node()
        if node is None:
            return self.forward
        number = node._sequence_nr()
        return next((name for first, end, name in self.numbers if first <= number < end), BETWEEN)

    def _enter(self, name: str) -> None:
        self.forward, self.started = name, torch.autograd._get_sequence_nr()

    def _leave(self, name: str) -> None:
        self.forward = BETWEEN
        self.numbers.append((self.started, torch.autograd._get_sequence_nr(), name))


class _Meter(TorchDispatchMode):
    """Counts and times every operation, for the part of the network that is at work."""

    def __init__(self, counted: dict[str, Cost], places: _Places, flops: Any) -> None:
        super().__init__()
        self.counted, self.places, self.flops = counted, places, flops

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        before, started = self.flops.get_total_flops(), time.perf_counter()
        result = function(*args, **(kwargs or {}))
        seconds = time.perf_counter() - started
        cost = self.counted[self.places.now()]
        cost.seconds += seconds
        cost.flop += self.flops.get_total_flops() - before
        if not function.is_view:
            cost.operations += 1
            cost.bytes += sum(tensor.nbytes for tensor in _tensors((args, kwargs, result)))
        return result


def _part_names(network: nn.Module) -> Iterator[str]:
    for name, child in network.named_children():
        if isinstance(child, nn.ModuleList):
            yield from (f"{name}.{number}" for number in range(len(child)))
        else:
            yield name


def _tensors(values: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]


def _row(flop: float, count: float, seconds: float, pictures: int, rates: dict[str, float]) -> dict[str, float]:
    gflop, megabytes = flop / pictures / 1e9, count / pictures / 1e6
    return {
        "gflop": gflop,
        "megabytes": megabytes,
        "milliseconds": 1000 * seconds / pictures,
        "arithmetic_floor": 1000 * gflop / rates["gflop_per_second"],
        "memory_floor": megabytes / rates["gigabytes_per_second"],
    }
