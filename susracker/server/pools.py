"""Native threads for work that would block the event loop."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from typing import TypeVar, cast

from gevent.threadpool import ThreadPool

from susracker.errors import OverloadedError

Result = TypeVar("Result")

RETRY_AFTER = 1
"""Seconds that clients are asked to wait: a full queue of 64 takes less."""


class BoundedPool:
    """A pool of native threads with a bounded queue.

    Only greenlets of one event loop may use `call`, so counting needs no lock. The loop runs on
    while a thread works.

    Args:
        limit: how many calls may run or wait.

    Attributes:
        in_flight: how many calls are running or waiting.
    """

    def __init__(self, threads: int, limit: int) -> None:
        self.in_flight = 0
        self._limit = limit
        self._threads = ThreadPool(threads)

    def call(self, function: Callable[..., Result], *args: object) -> Result:
        """Run a function on a thread. Returns what it returns, and raises what it raises.

        Raises:
            OverloadedError: the queue is full.
        """
        if self.in_flight >= self._limit:
            raise OverloadedError("too many requests are waiting; try again", RETRY_AFTER)
        self.in_flight += 1
        try:
            # gevent prints a traceback of whatever its threads raise, but our errors are answers.
            # What the thread logs is about the request that called.
            run = copy_context().run
            result, error = self._threads.apply(_attempt, (run, (function, *args)))
        finally:
            self.in_flight -= 1
            self._end_if_done()
        if error is not None:
            raise error
        return cast(Result, result)

    def close(self) -> None:
        """Accept no more calls, and end the threads when those that were accepted are done."""
        self._limit = 0
        self._end_if_done()

    def _end_if_done(self) -> None:
        if not self._limit and not self.in_flight:
            self._threads.maxsize = 0


def _attempt(
    function: Callable[..., object], args: tuple[object, ...]
) -> tuple[object, BaseException | None]:
    try:
        return function(*args), None
    except BaseException as error:
        return None, error
