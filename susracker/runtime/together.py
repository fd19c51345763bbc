"""Work that is cheaper for several at once, done together for the threads that wait for it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Call(Generic[Item, Result]):
    """What one thread asked for.

    Attributes:
        woken: set when the results are there, or when this thread has to work for itself.
        results: None as long as nobody has worked for it.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.woken = threading.Event()
        self.results: Sequence[Result] | None = None


class Together(Generic[Item, Result]):
    """Calls a function for one thread at a time, with what all waiting threads want. Safe to use
    from any thread.

    A thread that finds nobody at work begins at once, and waits for no company. Those that come
    meanwhile wait; the first of them then works for all of them.

    Args:
        work: returns one result for each item, in order; it must not depend on the other items.
        most: items at which no more calls are added to those that are done together.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Result]], most: int) -> None:
        self._work = work
        self._most = most
        self._lock = threading.Lock()
        self._is_busy = False
        self._waiting: deque[_Call[Item, Result]] = deque()

    def __call__(self, items: Sequence[Item]) -> Sequence[Result]:
        """Work for some items.

        Returns:
            one result for each.

        Raises:
            whatever the work raises for these items, and for no others.
        """
        own = _Call[Item, Result](items)
        with self._lock:
            if self._is_busy:
                self._waiting.append(own)
            else:
                self._is_busy = True
                own.woken.set()
        own.woken.wait()
        if own.results is not None:
            return own.results
        try:
            return self._lead(own)
        finally:
            self._pass_on()

    def _lead(self, own: _Call[Item, Result]) -> Sequence[Result]:
        company = self._company(len(own.items))
        try:
            # If it fails, each works for itself, which shows whose items are wrong.
            with suppress(Exception):
                self._serve([own, *company])
        finally:
            with self._lock:
                self._waiting.extendleft(one for one in company[::-1] if one.results is None)
        return self._work(own.items) if own.results is None else own.results

    def _serve(self, calls: Sequence[_Call[Item, Result]]) -> None:
        results = self._work([item for call in calls for item in call.items])
        start = 0
        for call in calls:
            call.results = results[start : start + len(call.items)]
            start += len(call.items)
            call.woken.set()

    def _company(self, count: int) -> list[_Call[Item, Result]]:
        """The calls that wait, as long as they fit in with so many items."""
        with self._lock:
            calls = []
            while self._waiting and count + len(self._waiting[0].items) <= self._most:
                calls.append(self._waiting.popleft())
                count += len(calls[-1].items)
            return calls

    def _pass_on(self) -> None:
        """Let the first thread that waits work."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().woken.set()
            else:
                self._is_busy = False
