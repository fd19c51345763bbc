"""Finds faces in processes of their own: one Python process uses little more than one core.

Python lets one thread of a process run at a time. A server has enough to do besides: it reads
requests, searches and stores. So it hands pictures to other processes, and each of them uses a core
of its own. If a picture brings down a decoder, it brings down none of the server.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import susracker
from susracker.errors import EncoderError, OverloadedError, PictureError
from susracker.faces.finding.finder import EmbeddedFace, Finder
from susracker.faces.finding.messages import Found, read_answer, receive, send
from susracker.runtime.closing import Closing

log = logging.getLogger(__name__)

FOLDER = Path(susracker.__file__).parents[1]
"""Where a process begins, so that nothing is imported from the folder in which the server is."""

PIPE_BYTES = 1 << 20
"""Of each pipe, where the system allows it: an ordinary answer, of 130 kB, then needs no second
turn of whoever reads it."""

ATTEMPTS = 2
"""How many processes may end while they work on a picture, before it is refused."""

WAIT_SECONDS = 10.0
"""How long to wait for a process, while the ended ones are started again, in about 1 s."""

RETRY_AFTER = 2
"""Seconds that clients are asked to wait after that."""

PAUSES = (0.0, 1.0, 5.0, 30.0)
"""Seconds before another process is started, by how many ended in a row before they were ready."""

KILLED = -9
"""The status of a process that was killed, as the system does when it runs out of memory."""


@dataclass(frozen=True)
class Command:
    """What each process is to do: the settings of these names, and the largest picture."""

    detector: str
    encoder: str
    max_pixels: int

    def words(self) -> list[str]:
        """The program and its arguments."""
        module = "susracker.faces.finding.process"
        arguments = [str(Path.cwd()), self.detector, self.encoder, str(self.max_pixels)]
        return [sys.executable, "-m", module, *arguments]


class _Process:
    """One process that finds faces. Its first answer says that it is ready."""

    def __init__(self, command: Command) -> None:
        self._popen = subprocess.Popen(
            command.words(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pipesize=PIPE_BYTES if sys.platform == "linux" else -1,
            cwd=FOLDER,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for the server, which finishes its requests
        )
        self._questions = cast(IO[bytes], self._popen.stdin)
        self._answers = cast(IO[bytes], self._popen.stdout)
        self._asking = threading.Lock()
        self._ended = threading.Event()

    def answer(self) -> Found:
        """Wait for its next answer.

        Raises:
            EncoderError: as `Finder.find` raises it.
            EOFError: it has ended.
            PictureError: as `Finder.find` raises it.
        """
        return read_answer(receive(self._answers))

    def ask(self, data: bytes) -> Found:
        """Let it find the faces in a picture. Raises what `answer` raises."""
        with self._asking:
            if self._questions.closed:
                raise EOFError
            try:
                send(self._questions, data)
            except OSError as error:
                raise EOFError from error
            return self.answer()

    def kill(self) -> None:
        """End it at once, if it has not ended."""
        self._popen.kill()

    def wait(self) -> str:
        """Wait for its end. Returns how it ended."""
        status = self._popen.wait()
        return f"signal {-status}" if status < 0 else f"status {status}"

    def close(self) -> None:
        """Tell whoever asks that it has ended, once nobody else can ask it."""
        self._ended.set()
        with self._asking:
            self._answers.close()
            with suppress(OSError):  # a question that it did not read
                self._questions.close()

    def was_killed(self) -> bool:
        """Whether its end came from outside; waits for it."""
        self._ended.wait()
        return self._popen.returncode == KILLED


class FinderProcesses(Finder, Closing):
    """Finds faces in processes, which it starts, and starts again when they end.

    Args:
        count: how many there are; without any, `local` finds all faces.
        local: finds faces until the first process is ready.
        note: is told how often the network was called, and for how many seconds.
    """

    def __init__(
        self, count: int, command: Command, local: Finder, note: Callable[[int, float], None]
    ) -> None:
        self._command = command
        self._local = local
        self._note = note
        self._has_begun = False
        self._is_closed = False
        self._started: set[_Process] = set()
        self._ready: set[_Process] = set()
        self._free: list[_Process] = []
        self._problem: str | None = None
        self._changed = threading.Condition()
        self._keepers = [threading.Thread(target=self._keep, daemon=True) for _ in range(count)]

    def start(self) -> None:
        """Start the processes, without waiting for them."""
        for keeper in self._keepers:
            keeper.start()

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
        if not self._has_begun:
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
            self._is_closed = True
            for process in self._started:
                process.kill()
            self._changed.notify_all()
        for keeper in self._keepers:
            if keeper.ident is not None:  # it was started
                keeper.join()

    @contextmanager
    def _free_process(self) -> Iterator[_Process]:
        """The process that worked last, for its memory is still in the cache."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._free, WAIT_SECONDS):
                raise OverloadedError("no process can find faces at present", RETRY_AFTER)
            process = self._free.pop()
        try:
            yield process
        finally:
            with self._changed:
                if process in self._ready:
                    self._free.append(process)
                    self._changed.notify_all()

    # -- a keeper is a thread that keeps one process running -----------------------------------

    def _keep(self) -> None:
        ended = 0
        while self._pause(PAUSES[min(ended, len(PAUSES) - 1)]):
            ended = 0 if self._run() else ended + 1

    def _pause(self, seconds: float) -> bool:
        """Wait. Returns whether to go on."""
        with self._changed:
            return not self._changed.wait_for(lambda: self._is_closed, seconds)

    def _run(self) -> bool:
        """Run a process until it ends. Returns whether it was ready."""
        try:
            process = _Process(self._command)
        except OSError as error:
            self._tell(f"the system cannot start another: {error}")
            return False
        with self._changed:
            self._started.add(process)
            if self._is_closed:
                process.kill()
        was_ready = self._begin(process)
        how = process.wait()
        self._forget(process)
        process.close()
        if was_ready:
            self._tell(f"one ended with {how}")
        return was_ready

    def _begin(self, process: _Process) -> bool:
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
            self._has_begun = True
            if len(self._ready) == len(self._keepers):
                self._problem = None
            self._changed.notify_all()
        return True

    def _forget(self, process: _Process) -> None:
        with self._changed:
            self._started.discard(process)
            self._ready.discard(process)
            if process in self._free:
                self._free.remove(process)

    def _tell(self, problem: str) -> None:
        """Log a problem, unless it is known or wanted."""
        with self._changed:
            if problem != self._problem and not self._is_closed:
                log.error("processes that find faces: %s", problem)
            self._problem = problem


def _environment() -> dict[str, str]:
    """What a process is to know: no setting, and so no key."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("SUSRACKER_")}
    return inherited | {"OPENBLAS_NUM_THREADS": "1"}
