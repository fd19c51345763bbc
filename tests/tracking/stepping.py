"""Threads that run one at a time, each from one stop to its next, when a test says so."""

from __future__ import annotations

import threading


class Stepper:
    """Runs `call` in a thread of its own, up to its next stop at each `step`.

    Attributes:
        done: whether the call has ended.
        result: what it returned, or None.
        error: what it raised, or None.
    """

    _of_thread = threading.local()

    def __init__(self, call, *args) -> None:
        self._call = lambda: call(*args)
        self._go, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        self.done = False
        self.result = self.error = None
        threading.Thread(target=self._run, daemon=True).start()

    def step(self) -> None:
        """Let it run to its next stop or its end."""
        self._go.release()
        assert self._stopped.acquire(timeout=60)

    @classmethod
    def stop(cls) -> Stepper | None:
        """A stop, for the thread that calls this: the stepper that it belongs to, or None."""
        stepper = getattr(cls._of_thread, "stepper", None)
        if stepper:
            stepper._stopped.release()
            stepper._go.acquire()
        return stepper

    def _run(self) -> None:
        self._of_thread.stepper = self
        self._go.acquire()
        try:
            self.result = self._call()
        except Exception as error:
            self.error = error
        self.done = True
        self._stopped.release()
