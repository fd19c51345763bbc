"""Repeated work in the background."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from susracker.errors import SusrackerError

log = logging.getLogger(__name__)


class Periodic:
    """Calls `work` every `seconds` in a thread of its own, until closed.

    An error never stops it: the next call is made as usual. A problem is logged when it begins and
    when it ends, not on every call; an error that nobody expected is logged with its traceback.
    """

    def __init__(self, name: str, seconds: float, work: Callable[[], None]) -> None:
        self._problem: str | None = None
        self._seconds = seconds
        self._work = work
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def problem(self) -> str | None:
        """What went wrong in the last call, or None if it succeeded."""
        if not self._thread.is_alive():
            return f"{self._thread.name} has stopped"
        return self._problem

    def close(self) -> None:
        """Stop. A call that is under way is finished first."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.wait(self._seconds):
            self._call()

    def _call(self) -> None:
        try:
            self._work()
        except SusrackerError as error:
            self._fail(str(error))
        except Exception as error:
            # A bug in one call must not end the work for as long as the server runs.
            self._fail(f"unexpected {type(error).__name__}: {error}", error)
        else:
            if self._problem:
                log.info("%s: works again", self._thread.name)
            self._problem = None

    def _fail(self, problem: str, unexpected: Exception | None = None) -> None:
        if self._problem != problem:
            log.error("%s: %s", self._thread.name, problem, exc_info=unexpected)
        self._problem = problem
