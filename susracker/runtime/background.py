"""Waiting for what takes long, so that a signal is heard meanwhile."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from itertools import islice
from typing import Generic, TypeVar

Item = TypeVar("Item")
Items = Generator[Item, None, None]

POLL_SECONDS = 0.1
"""How often it is asked whether to stop."""


def until(stopped: Callable[[], bool], items: Items[Item]) -> Iterator[Item]:
    """The items until `stopped`, which counts even while an item is awaited.

    A thread of its own takes each item when it is asked for, not earlier, and closes the iterator.
    If it is told to stop while it waits for an item, it is left behind.

    Raises:
        BaseException: what taking an item raises.
    """
    thread = _Taker(items)
    thread.start()
    try:
        while not stopped() and (taken := thread.take(stopped)):
            yield taken[0]
    finally:
        thread.wanted.put(False)


class _Taker(threading.Thread, Generic[Item]):
    """Takes items from an iterator, one whenever it is asked to."""

    def __init__(self, items: Items[Item]) -> None:
        super().__init__(name="taking items", daemon=True)
        self._items = items
        self.wanted: queue.SimpleQueue[bool] = queue.SimpleQueue()
        # One item; none at the end; or what was raised.
        self._taken: queue.SimpleQueue[tuple[Item, ...] | BaseException] = queue.SimpleQueue()

    def take(self, stopped: Callable[[], bool]) -> tuple[Item, ...]:
        """The next item; nothing at the end, or once `stopped`."""
        self.wanted.put(True)
        while not stopped():
            try:
                taken = self._taken.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            if isinstance(taken, BaseException):
                raise taken
            return taken
        return ()

    def run(self) -> None:
        while self.wanted.get():
            try:
                self._taken.put(tuple(islice(self._items, 1)))
            except BaseException as error:  # raised again by the thread that waits
                self._taken.put(error)
        self._items.close()
