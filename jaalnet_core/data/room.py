"""Room for so much work at once, shared by threads: what is large waits until there is enough."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Room:
    """Room of a given size, in any unit; whoever wants more than all of it gets all of it, alone."""

    def __init__(self, size: float) -> None:
        self._size = self._free = size
        self._changed = threading.Condition()

    @contextmanager
    def take(self, amount: float) -> Iterator[None]:
        """Hold so much of it for the block, after waiting until it is free."""
        amount = min(amount, self._size)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= amount)
            self._free -= amount
        try:
            yield
        finally:
            with self._changed:
                self._free += amount
                self._changed.notify_all()
