"""Where the time of a training step goes: every part of it timed, and what is left beside them.

The parts are watched from outside, by hooks, in the step that training runs. A GPU is waited for at every border, so
that each part has its own time; the whole is timed without that, too.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import torch

from jaalnet_core.benchmark import machine, train_settings, wait_for
from jaalnet_core.benchmark_settings import BenchmarkSettings
from jaalnet_core.speed.layers import part_costs
from jaalnet_core.speed.random_lesions import random_lesions
from jaalnet_core.training.batches import Batch, open_batches
from jaalnet_core.training.finite import not_finite
from jaalnet_core.training.run import Run, build_run

PICTURES = "pictures augmented"
LF_NET, EDGES, DA_NET = "LF-Net, forward", "edges of the photographs", "DA-Net, forward"
BACK_DA_NET, BACK_LF_NET = "DA-Net's lesson, backward", "LF-Net's lesson, backward"
CLIP, OPTIMISERS = "gradients clipped", "both optimisers"
CHECK, AVERAGE = "check for NaN", "averaged weights"
REST = "losses and all the rest"
PARTS = (PICTURES, LF_NET, EDGES, DA_NET, BACK_DA_NET, BACK_LF_NET, CLIP, OPTIMISERS, CHECK, AVERAGE, REST)


class Clock:
    """Seconds of parts that may lie within one another: each has what the parts within it do not take."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.seconds: dict[str, float] = defaultdict(float)
        self._stack = [REST]
        self._since = self._now()

    def enter(self, part: str) -> None:
        """From here on time is `part`'s."""
        self._charge()
        self._stack.append(part)

    def leave(self) -> None:
        """From here on time is again that of the part around this one."""
        self._charge()
        self._stack.pop()

    @contextmanager
    def during(self, part: str) -> Iterator[None]:
        """Inside, time is `part`'s."""
        self.enter(part)
        try:
            yield
        finally:
            self.leave()

    def around(self, part: str | Callable[[], str], function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, whose time is `part`'s."""

        def timed(*arguments: Any, **options: Any) -> Any:
            with self.during(part if isinstance(part, str) else part()):
                return function(*arguments, **options)

        return timed

    def stop(self) -> dict[str, float]:
        """Seconds of the parts so far, in the order of `PARTS`."""
        self._charge()
        return {part: self.seconds[part] for part in PARTS if part in self.seconds}

    def _charge(self) -> None:
        now = self._now()
        self.seconds[self._stack[-1]] += now - self._since
        self._since = now

    def _now(self) -> float:
        wait_for(self.device)
        return time.perf_counter()


def measure_step(settings: BenchmarkSettings) -> dict[str, Any]:
    """Milliseconds a picture of every part of a training step, on random pictures that lie in memory as bytes.

    Returns:
        `parts`: `part` and `milliseconds` (a picture; median over the rounds); `total`, their sum; `unwatched`: the
        milliseconds of the whole when nothing is timed within; `counted`: `operations` of a step, and its `gflop` and
        `megabytes` read and written, a picture, in float32; the settings and the machine.
    """
    chosen = train_settings(settings)
    run = build_run(chosen)
    batches = open_batches(random_lesions(settings.batch_size, settings.size), chosen, run.processes)

    def next_batch() -> Batch:
        return next(iter(batches(0, 0)))

    rounds = [(step_parts(run, next_batch), whole_step(run, next_batch)) for _ in range(settings.rounds + 1)]
    watched, unwatched = zip(*rounds[1:], strict=True)  # the first warms up
    a_picture = 1000 / settings.batch_size
    milliseconds = {part: a_picture * statistics.median(step[part] for step in watched) for part in watched[0]}
    return {
        "of": "step",
        "parts": [{"part": part, "milliseconds": value} for part, value in milliseconds.items()],
        "total": sum(milliseconds.values()),
        "unwatched": a_picture * statistics.median(unwatched),
        "counted": counted(run, next_batch()),
        "preset": settings.preset,
        "recipe": settings.recipe,
        "size": list(settings.size),
        "batch_size": settings.batch_size,
        **machine(),
    }


def step_parts(run: Run, next_batch: Callable[[], Batch]) -> dict[str, float]:
    """Seconds of every part of one step, from the pictures to the averaged weights."""
    clock = Clock(run.fabric.device)
    with _watched(run, clock):
        _learn(run, clock.around(PICTURES, next_batch)(), clock.around)
    return clock.stop()


def counted(run: Run, batch: Batch) -> dict[str, float]:
    """`operations` of a step that is not the first, views left out, and `gflop` and `megabytes` a picture."""
    costs = part_costs(run.step.lf_net.module, lambda: _learn(run, batch, lambda _part, function: function)).values()
    return {
        "operations": sum(cost.operations for cost in costs),
        "gflop": sum(cost.flop for cost in costs) / len(batch[0]) / 1e9,
        "megabytes": sum(cost.bytes for cost in costs) / len(batch[0]) / 1e6,
    }


def whole_step(run: Run, next_batch: Callable[[], Batch]) -> float:
    """Seconds of the same step with nothing timed within."""
    clock = Clock(run.fabric.device)
    _learn(run, next_batch(), lambda _part, function: function)
    return sum(clock.stop().values())


def _learn(run: Run, batch: Batch, around: Callable[..., Callable[..., Any]]) -> None:
    """What the training loop does with a batch; `around` may time what the step itself does not do."""
    images, masks = batch
    losses = run.step(images.contiguous(memory_format=torch.channels_last), masks)
    around(CHECK, not_finite)(losses, {"LF-Net": run.step.lf_net, "DA-Net": run.step.da_net})
    around(AVERAGE, run.averaged.update_parameters)(run.step.lf_net.module)


@contextmanager
def _watched(run: Run, clock: Clock) -> Iterator[None]:
    """Inside, `clock` hears of every part of a step of `run`."""
    lf_net, da_net = run.step.lf_net.module, run.step.da_net.module

    def lesson() -> str:
        # while LF-Net learns, DA-Net only advises
        return BACK_DA_NET if next(da_net.parameters()).requires_grad else BACK_LF_NET

    fabric = run.fabric
    with ExitStack() as watching:
        for network, part in ((lf_net, LF_NET), (lf_net.edges, EDGES), (da_net, DA_NET)):
            for handle in (
                network.register_forward_pre_hook(lambda *_, part=part: clock.enter(part)),
                network.register_forward_hook(lambda *_: clock.leave()),
            ):
                watching.callback(handle.remove)
        for optimizer in (run.step.lf_optimizer.optimizer, run.step.da_optimizer.optimizer):
            for handle in (
                optimizer.register_step_pre_hook(lambda *_: clock.enter(OPTIMISERS)),
                optimizer.register_step_post_hook(lambda *_: clock.leave()),
            ):
                watching.callback(handle.remove)
        for name, part in (("backward", lesson), ("clip_gradients", CLIP)):
            timed = clock.around(part, getattr(fabric, name))
            watching.enter_context(mock.patch.object(fabric, name, timed))
        yield
