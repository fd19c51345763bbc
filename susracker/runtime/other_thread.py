"""A thread that is there while there is work for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

IDLE_SECONDS = 1.0
"""How long the thread waits for more work before it ends. To start one costs more than a small
piece of work."""


class OtherThread:
    """Runs functions one after the other on a thread of its own, which ends when it has nothing to
    do, and does not keep the program from ending. What they raise is not caught.

    Any thread may use it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._work: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._lock = threading.Lock()
        self._is_running = False

    def call(self, function: Callable[[], object]) -> None:
        """Have a function run, as soon as those before it are done; do not wait for it."""
        with self._lock:
            self._work.put(function)
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def _run(self) -> None:
        try:
            while function := self._next():
                function()
        except BaseException:
            with self._lock:
                self._is_running = False
            raise

    def _next(self) -> Callable[[], object] | None:
        """What to do; None if the thread is to end."""
        try:
            return self._work.get(timeout=IDLE_SECONDS)
        except Empty:
            with self._lock:
                if not self._work.empty():
                    return self._work.get()
                self._is_running = False
                return None
