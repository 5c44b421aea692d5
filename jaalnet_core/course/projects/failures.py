"""Project B: ten failures, each seen, named, explained and tested. The records, and the check that one is complete."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from jaalnet_core.course.projects.experiments import BATCH, Experiment, Outcome, Result, run_experiment, weights_of
from jaalnet_core.course.projects.tables import Table
from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.synthetic import TEST_START, make_arrays
from jaalnet_core.evaluation import evaluate_network
from jaalnet_core.failure_kinds import WANTED, kind_of
from jaalnet_core.metrics import METRICS, scores
from jaalnet_core.size import Size

WORST_SHARE = 0.25  # a picture outside the worst quarter by its score is no failure
FEWEST_WORDS = {"seen": 6, "hypothesis": 8, "conclusion": 8}
FEWEST_FACTORS = 3
HARD = (0.6, 1.0)  # range of difficulty
_SAME = 1e-3  # a pixel or two of a small lesion may fall otherwise on another machine


@dataclass(frozen=True)
class Failure:
    """One failure, from what is seen to what was learnt. What is left empty is what is left to do.

    Attributes:
        picture: id of the failing picture.
        seen: what picture and outlines show, no guess at the reason.
        kind: one of `failure_kinds.KINDS`, which the counted pixels decide.
        hypothesis: the reason supposed, so that an experiment can refute it.
        result: of the experiment that tests it.
        outcome: what the result says of the hypothesis: `supported`, `refuted` or `undecided`.
        conclusion: what was learnt, what stays open, and what to try next.
        score: by which the picture is among the worst quarter.
    """

    picture: str
    seen: str = ""
    kind: str = ""
    hypothesis: str = ""
    result: Result | None = None
    outcome: Outcome | str = ""
    conclusion: str = ""
    score: str = "dice"


def hard_pictures(count: int, size: Size = Size(128, 128)) -> LesionArrays:
    """Synthetic pictures with most of the trouble that the generator knows; none is in a training or test set."""
    return make_arrays(count, size, first=TEST_START // 2, difficulty=HARD, progress=False)


def problems(failure: Failure, arrays: LesionArrays, network: nn.Module, *, rerun: bool = True) -> list[str]:
    """What a record lacks, or says wrongly; none when it is complete. Whether it is wise, only a reader can say.

    Args:
        arrays: the pictures among which failures were looked for.
        network: that failed.
        rerun: run the experiment again and compare every score; else only the network's fingerprint is compared.
    """
    counts = evaluate_network(network, arrays, batch_size=BATCH, progress=False).counts
    fresh = {} if rerun else None
    return _problems(failure, arrays, counts, network, fresh)


def sheet_problems(failures: Sequence[Failure], arrays: LesionArrays, network: nn.Module) -> list[str]:
    """What a sheet of ten lacks, record by record, experiments run again; none when all of it is complete."""
    found = []
    if len(failures) < WANTED:
        found.append(f"{len(failures)} failures, expected {WANTED}")
    names = [failure.picture for failure in failures]
    found += [f"{name} is there twice" for name in sorted({name for name in names if names.count(name) > 1})]
    factors = {failure.result.experiment.factor for failure in failures if failure.result}
    if len(factors) < FEWEST_FACTORS:
        found.append(f"things varied: {len(factors)}, expected at least {FEWEST_FACTORS} different ones")
    counts = evaluate_network(network, arrays, batch_size=BATCH, progress=False).counts
    fresh: dict[Experiment, Result] = {}
    for failure in failures:
        found += [f"{failure.picture}: {one}" for one in _problems(failure, arrays, counts, network, fresh)]
    return found


def sheet(failures: Sequence[Failure]) -> Table:
    """The records as a table, a row each."""
    head = ("picture", "seen", "kind", "hypothesis", "changed", "difference (95%)", "outcome", "conclusion")
    rows = []
    for one in failures:
        changed = gap = "none yet"
        if one.result is not None:
            experiment = one.result.experiment
            changed = f"{experiment.factor} {experiment.levels[0]:g} to {experiment.levels[-1]:g}"
            mean, low, high = one.result.difference
            gap = f"{experiment.score} {mean:+.3f} ({low:+.3f} to {high:+.3f})"
        rows.append((one.picture, one.seen, one.kind, one.hypothesis, changed, gap, one.outcome, one.conclusion))
    return Table(head, tuple(rows))


def _problems(
    failure: Failure,
    arrays: LesionArrays,
    counts: Tensor,
    network: nn.Module,
    fresh: dict[Experiment, Result] | None,
) -> list[str]:
    if failure.picture not in arrays.ids:
        return [f"picture: {failure.picture!r} is not among the {len(arrays)} pictures"]
    index = arrays.ids.index(failure.picture)
    return [
        *_not_a_failure(failure, index, counts),
        *_unsaid(failure),
        *_wrong_kind(failure, counts[index]),
        *_not_run(failure, arrays, network, fresh),
    ]


def _not_a_failure(failure: Failure, index: int, counts: Tensor) -> list[str]:
    if failure.score not in METRICS:
        return [f"score: {failure.score!r}, expected one of {', '.join(METRICS)}"]
    values = scores(counts)[failure.score]
    rank = int((values < values[index]).sum()) + 1
    last = max(1, math.ceil(WORST_SHARE * len(values)))
    if rank <= last:
        return []
    return [f"score: {failure.score} {values[index]:.3f} is rank {rank} from below, expected at most {last}"]


def _unsaid(failure: Failure) -> list[str]:
    found = []
    for name, fewest in FEWEST_WORDS.items():
        if (count := len(getattr(failure, name).split())) < fewest:
            found.append(f"{name}: {count} words, expected a sentence of {fewest} or more")
    return found


def _wrong_kind(failure: Failure, counts: Tensor) -> list[str]:
    if failure.kind == (counted := kind_of(counts)):
        return []
    return [f"kind: {failure.kind!r}, but the counted pixels say {counted!r}"]


def _not_run(
    failure: Failure, arrays: LesionArrays, network: nn.Module, fresh: dict[Experiment, Result] | None
) -> list[str]:
    result = failure.result
    if result is None:
        return ["result: no experiment yet, expected what `run_experiment` returns"]
    found = []
    if failure.outcome != result.outcome:
        found.append(f"outcome: {failure.outcome!r}, but the result says {result.outcome!r}")
    if result.weights != weights_of(network):
        return [*found, "result: the experiment was run on another network"]
    if fresh is not None:
        experiment = result.experiment
        if experiment not in fresh:
            fresh[experiment] = run_experiment(experiment, network, arrays)
        again = fresh[experiment].values
        if again.shape != result.values.shape or not torch.allclose(again, result.values, rtol=0, atol=_SAME):
            found.append("result: running the experiment again gives other scores")
    return found
