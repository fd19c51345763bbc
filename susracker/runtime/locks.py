"""A lock that many readers share and one writer holds alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class ReadWriteLock:
    """Readers share it, a writer has it alone; not reentrant.

    Readers and writers take turns at the same door, and a writer holds it while the readers inside
    leave, so neither searches nor enrolments can keep the other waiting for ever.
    """

    def __init__(self) -> None:
        self._door = threading.Lock()
        self._readers = 0
        self._changed = threading.Condition(threading.Lock())

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold it together with other readers."""
        with self._door, self._changed:
            self._readers += 1
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold it alone."""
        with self._door:
            with self._changed:
                self._changed.wait_for(lambda: self._readers == 0)
            yield
