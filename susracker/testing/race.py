"""Threads that start at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from susracker.errors import StoreError

THREADS = 8


def race(work: Callable[[int], Any], threads: int = THREADS) -> list[Any]:
    """Results, or errors, of `work(0)`, `work(1)`, ... on threads that start at once."""
    barrier = threading.Barrier(threads)

    def run(number: int) -> Any:
        barrier.wait()
        try:
            return work(number)
        except StoreError as error:
            return error

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))
