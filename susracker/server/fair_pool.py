"""Native threads on which one noisy camera does not keep others waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from gevent import GreenletExit
from gevent.event import AsyncResult

from susracker.errors import OverloadedError
from susracker.runtime.fair_queue import FairQueue
from susracker.server.pools import RETRY_AFTER, BoundedPool

Result = TypeVar("Result")


class FairPool:
    """A pool of native threads that takes the calls that wait from one camera after the other.

    When no more calls may wait, the newest one of the camera with the most is refused for another
    camera's. Only greenlets of one event loop may use it.

    Args:
        limit: how many calls may run or wait.
    """

    def __init__(self, threads: int, limit: int) -> None:
        self._pool = BoundedPool(threads, threads)
        self._free = min(threads, limit)
        self._max_waiting = limit - self._free
        self._waiting: FairQueue[AsyncResult[None]] = FairQueue()

    @property
    def in_flight(self) -> int:
        """How many calls are running or waiting."""
        return self._pool.in_flight + len(self._waiting)

    def call(self, camera: str, function: Callable[..., Result], *args: object) -> Result:
        """Run a function on a thread. Returns what it returns, and raises what it raises.

        Raises:
            OverloadedError: too many calls wait, most of them this camera's.
        """
        self._wait_for_turn(camera)
        try:
            return self._pool.call(function, *args)
        finally:
            self._pass_on()

    def close(self) -> None:
        """Accept no more calls, and end the threads when those that run are done."""
        self._max_waiting = 0
        self._pool.close()

    def _wait_for_turn(self, camera: str) -> None:
        if self._free:
            self._free -= 1
            return
        if len(self._waiting) >= self._max_waiting:
            self._make_room(camera)
        turn: AsyncResult[None] = AsyncResult()
        self._waiting.put(camera, turn)
        try:
            turn.get()
        except GreenletExit:
            if not self._waiting.remove(camera, turn) and turn.successful():
                self._pass_on()
            raise

    def _make_room(self, camera: str) -> None:
        full = OverloadedError("too many detections are waiting; try again", RETRY_AFTER)
        surplus = self._waiting.take_surplus(camera) if self._max_waiting else None
        if surplus is None:
            raise full
        surplus.set_exception(full)

    def _pass_on(self) -> None:
        if self._waiting:
            self._waiting.take().set(None)
        else:
            self._free += 1
