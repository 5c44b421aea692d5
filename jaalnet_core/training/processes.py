"""The processes that train one run together: what each of them has of a batch, and what all of them agree on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import Tensor, distributed

from jaalnet_core.errors import TrainingError
from jaalnet_core.training.fabric import Fabric

T = TypeVar("T")


@dataclass
class Share:
    """What a process has of the batch in hand. Layers that average over the batch look here.

    Attributes:
        here: pictures of the batch in this process; 0 for one that only keeps the others company.
        whole: pictures of the batch in all processes.
    """

    here: int = 1
    whole: int = 1

    @property
    def part(self) -> float:
        """`here` of `whole`, 0..1."""
        return self.here / self.whole


@dataclass(frozen=True)
class Processes:
    """The processes of one run, seen from one of them. Alone, each method leaves its values as they are, bit for bit.

    Every process calls the same methods in the same order: each of them waits for the others.

    Attributes:
        fabric: that started them; None only for who needs no device.
        rank: of this process, 0 to `count - 1`. Rank 0, the first, alone writes, logs and speaks.
        count: of the processes on all machines.
        share: of the batch in hand.
    """

    fabric: Fabric | None = None
    rank: int = 0
    count: int = 1
    share: Share = field(default_factory=Share)

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    @property
    def alone(self) -> bool:
        """Whether there is no other."""
        return self.count == 1

    def portion(self, batch: Sequence[int]) -> list[int]:
        """This process's pictures of a batch: every `count`-th, from its rank on.

        Where a batch holds fewer pictures than there are processes, one that would have none takes the first: it has
        to do the same steps as the others. `take_up` sees to it that the picture counts once.
        """
        return list(batch[self.rank :: self.count]) or list(batch[:1])

    def take_up(self, batch_size: int) -> None:
        """Go on to a batch of so many pictures in all processes together."""
        self.share.here = len(range(self.rank, batch_size, self.count))
        self.share.whole = batch_size

    def weighted(self, loss: Tensor) -> Tensor:
        """A mean over this process's pictures, weighted so that the mean of all processes is that of the batch.

        Gradients are averaged over processes; this one's are worth its pictures, not one share in `count`.
        """
        return loss if self.alone else loss * (self.count * self.share.part)

    def mean(self, values: Tensor) -> Tensor:
        """The mean over the whole batch, of which `values` `(B, ...)` are this process's part; carries no gradient."""
        return values.mean() if self.alone else self.total(values.detach().mean() * self.share.part)

    def means(self, scalars: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Means over this process's pictures to means over the batch; where one is not finite, it is so everywhere."""
        if self.alone:
            return dict(scalars)
        values = torch.stack([value.detach().double() for value in scalars.values()])
        return dict(zip(scalars, self.total(values * self.share.part).unbind(), strict=True))

    def total(self, values: Tensor) -> Tensor:
        """Element by element, the sum over all processes; on the device of the run."""
        if self.alone:
            return values
        total = values.to(self.fabric.device, copy=True)
        distributed.all_reduce(total)
        return total

    def any(self, wish: bool) -> bool:
        """Whether one of the processes wishes so."""
        return wish if self.alone else bool(self.total(torch.tensor(int(wish))) > 0)

    def told_by_first(self, value: T) -> T:
        """What the first process holds, for all of them."""
        return value if self.alone else self.fabric.broadcast(value)

    def first_does(self, action: Callable[[], object]) -> None:
        """The first process does it, the others wait for its success.

        Raises:
            TrainingError: in the others, where the first one failed; it raises what it met.
        """
        if self.alone:
            action()
            return
        problem = None
        if self.first:
            try:
                action()
            except Exception as error:  # told to the others, then raised
                problem = error
        words = self.told_by_first(problem and f"{type(problem).__name__}: {problem}")
        if problem is not None:
            raise problem
        if words is not None:
            raise TrainingError(f"{self}: ends, for the first process could not go on ({words})")

    def in_turn(self, action: Callable[[], T]) -> T:
        """The first process does it, then all others do: what the first one writes, such as a cache, is there then."""
        found: list[T] = []
        self.first_does(lambda: found.append(action()))
        return found[0] if found else action()

    @contextmanager
    def first_holds(self, context: AbstractContextManager[object]) -> Iterator[None]:
        """Inside, the first process has entered `context`, for all of them.

        Raises:
            TrainingError: in the others, where the first one could not enter.
        """
        with ExitStack() as stack:
            self.first_does(lambda: stack.enter_context(context))
            yield

    def agree_on(self, what: str, look: Callable[[], object], mend: str) -> None:
        """Make sure that all processes find the same value as the first.

        Raises:
            TrainingError: in all of them, where one has another.
        """
        if self.alone:
            return
        value = look()
        if self.any(value != self.told_by_first(value)):
            raise TrainingError(f"The {self.count} processes of this run have {what} that differ: {mend}")

    def __str__(self) -> str:
        return f"process {self.rank + 1} of {self.count}"
