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

SHARE = 2
"""A camera may have so many times as many calls waiting as there is room left, so that one camera
leaves a third of the room to others, and many leave some. Dynamic thresholds, from A. Choudhury and
E. Hahne, "Dynamic queue length thresholds for shared-memory packet switches" (1998)."""

FULL = "too many detections are waiting; try again"


class FairPool:
    """A pool of native threads that takes the calls that wait from one camera after the other.

    A call is refused before it waits, by how many of its camera's wait already. Only if no more
    calls at all may wait, the newest one of the camera with the most is refused for one of a camera
    that has none. Only greenlets of one event loop may use it.

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

    @property
    def waiting(self) -> int:
        """How many calls wait for a thread."""
        return len(self._waiting)

    @property
    def is_crowded(self) -> bool:
        """Whether calls wait, so that another may be refused."""
        return not self._free and (bool(self._waiting) or not self._max_waiting)

    def is_full_for(self, camera: str) -> bool:
        """Whether a call of a camera would be refused at present."""
        if self._free:
            return False
        waiting = self._waiting.count(camera)
        if waiting or not self._max_waiting:
            return waiting >= min(SHARE * self._room, self._equal_share)
        return not self._room and not self._waiting.has_surplus(camera)

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
        if self.is_full_for(camera):
            raise OverloadedError(FULL, RETRY_AFTER)
        if not self._room:
            self._make_room(camera)
        turn: AsyncResult[None] = AsyncResult()
        self._waiting.put(camera, turn)
        try:
            turn.get()
        except GreenletExit:
            if not self._waiting.remove(camera, turn) and turn.successful():
                self._pass_on()
            raise

    @property
    def _room(self) -> int:
        """How many more calls may wait."""
        return max(0, self._max_waiting - len(self._waiting))

    @property
    def _equal_share(self) -> int:
        """How many calls of a camera may wait. As they also wait for one another, the last of more
        would wait longer than the queue is long."""
        return max(1, self._max_waiting // max(1, self._waiting.key_count))

    def _make_room(self, camera: str) -> None:
        surplus = self._waiting.take_surplus(camera)
        if surplus is not None:
            surplus.set_exception(OverloadedError(FULL, RETRY_AFTER))

    def _pass_on(self) -> None:
        if self._waiting:
            self._waiting.take().set(None)
        else:
            self._free += 1
