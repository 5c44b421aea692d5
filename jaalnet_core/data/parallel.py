"""Files worked through by a few threads, in order, under a progress bar with the time left."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from itertools import islice
from typing import Any, TypeVar

from tqdm.auto import tqdm

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_WORKERS = 8  # each may hold one full-size photograph in memory


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def do_in_threads(
    function: Callable[[Item], Any],
    items: Iterable[Item],
    *,
    workers: int,
    start: Callable[[], Any] | None = None,
    done: Callable[[], Any] = lambda: None,
) -> None:
    """`function(item)` for every item, `workers` of them in hand at any time, begun in order; results are dropped.

    Nothing is read ahead, so memory does not grow with the number of items. After the first exception nothing more is
    begun; what is in hand is finished, and the exception raised.

    Args:
        start: called once in each thread.
        done: called in this thread after each item.
    """
    waiting = iter(items)
    with ThreadPoolExecutor(workers, initializer=start) as pool:
        in_hand = {pool.submit(function, item) for item in islice(waiting, workers)}
        while in_hand:
            finished, in_hand = wait(in_hand, return_when=FIRST_COMPLETED)
            for future in finished:
                future.result()
                done()
            in_hand |= {pool.submit(function, item) for item in islice(waiting, len(finished))}


def map_in_threads(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    description: str,
    unit: str = "picture",
    progress: bool = True,
) -> list[Result]:
    """`[function(item) for item in items]`, by as many threads as cores (at most 8).

    Decoding, resizing, hashing and copying all release Python's lock, so threads suffice. The bar appears
    after one second. The first exception (in the order of the items) is raised; the rest stays undone.
    """
    workers = max(1, min(MOST_WORKERS, os.cpu_count() or 1))
    bar = tqdm(total=len(items), desc=description, unit=unit, delay=1, disable=not progress)
    with bar, ThreadPoolExecutor(workers) as pool:
        results = []
        try:
            for result in pool.map(function, items):
                results.append(result)
                bar.update()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        return results
