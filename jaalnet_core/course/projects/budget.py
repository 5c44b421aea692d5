"""Project A: a better score without a larger bill. What is fixed, what an entry may change, and how two are compared.

    baseline = measure(Entry("baseline", lambda: build_lf_net("tiny")), protocol, train, validation)
    mine = measure(Entry("mine", MyNetwork, loss=my_loss), protocol, train, validation)
    print(compare(mine, baseline).report)

The bill is what the finished network multiplies to outline one picture, counted by `flops.flop_counter`: convolutions
and matrix products, which is nearly all that such networks do. Work in other operations is not seen by the counter.
"""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from jaalnet_core.ablation import Difference, paired_difference
from jaalnet_core.course.projects.entry import Entry, Protocol
from jaalnet_core.course.projects.learning import learn
from jaalnet_core.course.projects.tables import Table
from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.errors import SettingsError
from jaalnet_core.evaluation import evaluate_network
from jaalnet_core.flops import flop_counter
from jaalnet_core.metrics import scores
from jaalnet_core.size import Size


@dataclass(frozen=True, eq=False)
class Measured:
    """An entry under a protocol.

    Attributes:
        name: the entry's.
        protocol: that it was measured under.
        pictures: fingerprint of the training and validation pictures.
        gflop: of a forward pass of one picture.
        parameters: numbers that are learnt.
        dice: `(seeds, images)` float64, of each validation picture in each run.
        seconds: of one training, the median.
    """

    name: str
    protocol: Protocol
    pictures: str
    gflop: float
    parameters: int
    dice: Tensor
    seconds: float

    @property
    def within_budget(self) -> bool:
        """Whether a picture costs no more than the protocol allows."""
        return 0 < self.gflop <= self.protocol.gflop


def gflop_of(network: nn.Module, size: Size) -> float:
    """GFLOP of a forward pass of one picture in evaluation mode; whatever the network's `forward` does is counted.

    Raises:
        SettingsError: what comes out has another shape than `(1, 1, H, W)`.
    """
    return _count(network, size).get_total_flops() / 1e9


def bill_by_part(network: nn.Module, size: Size) -> dict[str, float]:
    """GFLOP of each part that the network itself names (its children), the dearest first; lists count as one part.

    Raises:
        SettingsError: what comes out has another shape than `(1, 1, H, W)`.
    """
    counted, top = _count(network, size).get_flop_counts(), type(network).__name__
    parts = {}
    for name, child in network.named_children():
        inside = [f"{top}.{name}"]
        if isinstance(child, nn.ModuleList):  # a list is never called itself
            inside = [f"{top}.{name}.{number}" for number in range(len(child))]
        parts[name] = sum(sum(counted.get(module, {}).values()) for module in inside) / 1e9
    return dict(sorted(parts.items(), key=lambda part: -part[1]))


def _count(network: nn.Module, size: Size) -> FlopCounterMode:
    was_training = network.training
    network.eval()
    picture = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), flop_counter() as counter:
        logits = network(picture)
    network.train(was_training)
    if not isinstance(logits, Tensor) or logits.shape != (1, 1, *size):
        found = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise SettingsError(f"network: found {found} for a picture of {size}, expected logits {(1, 1, *size)}.")
    return counter


def measure(entry: Entry, protocol: Protocol, train: LesionArrays, validation: LesionArrays) -> Measured:
    """Count the entry's bill, train it once a seed, and score every validation picture. The test set has no place here.

    Raises:
        SettingsError: pictures that the protocol does not name, a picture in both sets, or logits of another shape.
        TrainingError: a loss that is no finite number.
    """
    _check(protocol, train, validation)
    probe = entry.build()
    gflop = gflop_of(probe, protocol.size)
    dice, seconds = [], []
    for seed in protocol.seeds:
        started = time.perf_counter()
        network = learn(entry, protocol, train, seed)
        seconds.append(time.perf_counter() - started)
        counts = evaluate_network(network, validation, device=torch.device("cpu"), progress=False).counts
        dice.append(scores(counts)["dice"])
    parameters = sum(parameter.numel() for parameter in probe.parameters() if parameter.requires_grad)
    where = _fingerprint(train, validation)
    return Measured(entry.name, protocol, where, gflop, parameters, torch.stack(dice), statistics.median(seconds))


@dataclass(frozen=True)
class Comparison:
    """A candidate beside the baseline.

    Attributes:
        candidate, baseline: both as measured.
        difference: in validation Dice, with its 95% interval over images (paired) and seeds.
    """

    candidate: Measured
    baseline: Measured
    difference: Difference

    @property
    def verdict(self) -> str:
        """`over budget`, whatever the score; else `better`, `worse` or `undecided`."""
        return self.difference.verdict if self.candidate.within_budget else "over budget"

    @property
    def report(self) -> str:
        """The verdict with its numbers, for people: three lines."""
        one, gap = self.candidate, self.difference
        return "\n".join(
            [
                f"{one.name}: {self.verdict} ({len(one.dice)} seeds, {one.dice.shape[1]} pictures)",
                f"  bill {one.gflop:.4f} of {one.protocol.gflop:.4f} GFLOP",
                f"  Dice {100 * gap.mean:+.2f} points (95%: {100 * gap.low:+.2f} to {100 * gap.high:+.2f})",
            ]
        )


def compare(candidate: Measured, baseline: Measured) -> Comparison:
    """The paired difference of two entries that were measured under one protocol on the same pictures.

    Raises:
        SettingsError: protocols or pictures differ.
    """
    if candidate.protocol != baseline.protocol:
        raise SettingsError(
            f"{candidate.name} was measured under {candidate.protocol}, {baseline.name} under {baseline.protocol}: "
            "measure both under one protocol."
        )
    if candidate.pictures != baseline.pictures:
        raise SettingsError(f"{candidate.name} and {baseline.name} saw other pictures: measure both on the same ones.")
    return Comparison(candidate, baseline, paired_difference(candidate.dice, baseline.dice))


def trials_table(baseline: Measured, trials: Sequence[Measured]) -> Table:
    """All trials in the order in which they were made: the failed ones belong to the result.

    Raises:
        SettingsError: protocols or pictures differ.
    """
    head = ("entry", "GFLOP", "parameters", "Dice, mean", "difference, points (95%)", "verdict")
    rows = [(*_row_start(baseline), "", "the baseline")]
    for one in trials:
        seen = compare(one, baseline)
        mean, low, high = (100 * value for value in (seen.difference.mean, seen.difference.low, seen.difference.high))
        rows.append((*_row_start(one), f"{mean:+.2f} ({low:+.2f} to {high:+.2f})", seen.verdict))
    return Table(head, tuple(rows))


def _row_start(one: Measured) -> tuple[str, str, str, str]:
    return one.name, f"{one.gflop:.4f}", f"{one.parameters:,}", f"{100 * one.dice.mean().item():.2f}"


def _check(protocol: Protocol, train: LesionArrays, validation: LesionArrays) -> None:
    for name, arrays in (("train", train), ("validation", validation)):
        expected = getattr(protocol, name)
        if len(arrays) != expected or arrays.size != protocol.size:
            raise SettingsError(
                f"{name}: found {len(arrays)} pictures of {arrays.size}, expected {expected} of {protocol.size}."
            )
    if both := sorted(set(train.ids) & set(validation.ids)):
        raise SettingsError(f"{both[0]} is among the training and the validation pictures: take it out of one.")


def _fingerprint(*sets: LesionArrays) -> str:
    digest = hashlib.sha256()
    for arrays in sets:
        digest.update(repr(arrays.ids).encode() + arrays.images.tobytes() + arrays.masks.tobytes())
    return digest.hexdigest()[:16]
