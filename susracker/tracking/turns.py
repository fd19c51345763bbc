"""How many threads recognise at the same time, and in which order the others follow."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from susracker.runtime.fair_queue import FairQueue


def large_at_once(workers: int) -> int:
    """How many large pictures are worked on at the same time, beside what the workers do."""
    return max(1, workers // 2)


class Turns:
    """Lets a number of threads in at the same time, and one camera's after another's."""

    def __init__(self, at_once: int) -> None:
        self._lock = threading.Lock()
        self._free = at_once
        self._waiting: FairQueue[threading.Event] = FairQueue()

    @contextmanager
    def turn(self, camera: str) -> Iterator[None]:
        """Wait for a turn, and end it at the end of the block."""
        self._begin(camera)
        try:
            yield
        finally:
            self._end()

    def _begin(self, camera: str) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            begun = threading.Event()
            self._waiting.put(camera, begun)
        begun.wait()

    def _end(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.take().set()
            else:
                self._free += 1
