"""Files worked through by a few threads, in order, under a progress bar with the time left."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tqdm.auto import tqdm

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_WORKERS = 8  # each may hold one full-size photograph in memory


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
