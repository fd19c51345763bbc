"""Finds faces in processes of their own: one Python process uses little more than one core.

Python lets one thread of a process run at a time. A server has enough to do besides: it reads
requests, searches and stores. So it hands pictures to other processes, and each of them uses a core
of its own. A picture that brings down a decoder there does not bring down the server.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from susracker.errors import EncoderError, OverloadedError, PictureError
from susracker.faces.finding.child import Child, Command
from susracker.faces.finding.finder import EmbeddedFace, Finder
from susracker.runtime.closing import Closing

log = logging.getLogger(__name__)

ATTEMPTS = 2
"""How many processes may end while they work on a picture, before it is refused."""

WAIT_SECONDS = 10.0
"""How long to wait for a process, while the ended ones are started again, in about 1 s."""

RETRY_AFTER = 2
"""Seconds that clients are asked to wait after that."""

PAUSES = (0.0, 1.0, 5.0, 30.0)
"""Seconds before another process is started, by how many ended in a row before they were ready."""

HOPELESS = 3
"""After so many failures in a row, threads of the server find faces, unless a process is ready. Not
earlier, for what ended the processes may be a picture, which would then end the server."""

WATCH_SECONDS = 1.0
"""How often to look for processes that do not answer."""


class FinderProcesses(Finder, Closing):
    """Finds faces in processes, which it starts, and starts again when they end.

    Args:
        count: how many there are; without any, `local` finds all faces.
        local: finds faces until the first process is ready, and while none can be started.
        note: is told how often the network was called, and for how many seconds.
    """

    def __init__(
        self, count: int, command: Command, local: Finder, note: Callable[[int, float], None]
    ) -> None:
        self._command = command
        self._local = local
        self._note = note
        self._uses_local = True
        self._closed = threading.Event()
        self._started: set[Child] = set()
        self._ready: set[Child] = set()
        self._free: list[Child] = []
        self._problem: str | None = None
        self._changed = threading.Condition()
        self._keepers = [threading.Thread(target=self._keep, daemon=True) for _ in range(count)]
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Start the processes, without waiting for them."""
        for thread in self._threads:
            thread.start()

    @property
    def ready_count(self) -> int:
        """How many processes are ready, or at work."""
        with self._changed:
            return len(self._ready)

    @property
    def problem(self) -> str | None:
        """Why fewer processes find faces than should, or None."""
        with self._changed:
            if self._problem is None:
                return None
            ready, all_ = len(self._ready), len(self._keepers)
            return f"{ready} of {all_} processes find faces: {self._problem}"

    def find(self, data: bytes) -> Sequence[EmbeddedFace]:
        if self._uses_local:
            return self._local.find(data)
        was_killed = False
        for _ in range(ATTEMPTS):
            with self._free_process() as process:
                try:
                    found = process.ask(data)
                except EOFError:
                    was_killed |= process.was_killed()
                    continue
                self._note(found.calls, found.seconds)
                return found.faces
        if was_killed:
            raise OverloadedError("the processes that find faces were killed", RETRY_AFTER)
        raise PictureError("each process that looked for faces in the picture ended")

    def close(self) -> None:
        """End all processes, whatever they do."""
        with self._changed:
            self._closed.set()
            for process in self._started:
                process.kill()
            self._changed.notify_all()
        for thread in self._threads:
            if thread.ident is not None:  # it was started
                thread.join()

    @property
    def _threads(self) -> list[threading.Thread]:
        return [*self._keepers, self._watcher] if self._keepers else []

    @contextmanager
    def _free_process(self) -> Iterator[Child]:
        """The process that worked last, for its memory is still in the cache."""
        with self._changed:
            self._changed.wait_for(lambda: self._free or self._closed.is_set(), WAIT_SECONDS)
            if not self._free:
                raise OverloadedError("no process can find faces at present", RETRY_AFTER)
            process = self._free.pop()
        try:
            yield process
        finally:
            with self._changed:
                if process in self._ready:
                    self._free.append(process)
                    self._changed.notify()

    def _watch(self) -> None:
        """End processes that do not answer, lest whoever asked waits for ever."""
        while self._pause(WATCH_SECONDS):
            with self._changed:
                late = [process for process in self._started if process.is_late()]
            for process in late:
                process.give_up()

    def _pause(self, seconds: float) -> bool:
        """Wait. Returns whether to go on."""
        return not self._closed.wait(seconds)

    # -- a keeper is a thread that keeps one process running -----------------------------------

    def _keep(self) -> None:
        failures = 0
        while self._pause(PAUSES[min(failures, len(PAUSES) - 1)]):
            if self._run():
                failures = 0
            else:
                failures += 1
            if failures >= HOPELESS:
                with self._changed:
                    self._uses_local = not self._ready

    def _run(self) -> bool:
        """Run a process until it ends. Returns whether it was ready."""
        try:
            process = Child(self._command)
        except OSError as error:
            self._tell(f"the system cannot start another: {error}")
            return False
        with self._changed:
            self._started.add(process)
            if self._closed.is_set():
                process.kill()
        was_ready = self._begin(process)
        how = process.wait()
        self._forget(process)
        process.close()
        if was_ready:
            self._tell(f"one ended with {how}")
        return was_ready

    def _begin(self, process: Child) -> bool:
        """Wait until a process is ready. Returns whether it is."""
        try:
            process.answer()
        except EOFError:
            self._tell("one ended before it was ready")
            return False
        except EncoderError as error:
            self._tell(str(error))
            return False
        with self._changed:
            self._ready.add(process)
            self._free.append(process)
            self._uses_local = False
            if len(self._ready) == len(self._keepers):
                self._problem = None
            self._changed.notify()
        return True

    def _forget(self, process: Child) -> None:
        with self._changed:
            self._started.discard(process)
            self._ready.discard(process)
            if process in self._free:
                self._free.remove(process)

    def _tell(self, problem: str) -> None:
        """Log a problem, unless it is known or wanted."""
        with self._changed:
            if problem != self._problem and not self._closed.is_set():
                log.error("processes that find faces: %s", problem)
            self._problem = problem
