"""A process that finds faces, as the server that started it sees it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import susracker
from susracker.faces.finding.messages import (
    Found,
    MalformedAnswerError,
    read_answer,
    receive,
    send,
)

log = logging.getLogger(__name__)

FOLDER = Path(susracker.__file__).parents[1]
"""Where a process begins, so that nothing is imported from the folder in which the server is."""

PIPE_BYTES = 1 << 20
"""Of each pipe, where the system allows it: an ordinary answer, of 130 kB, then needs no second
turn of whoever reads it."""

ANSWER_BYTES = 1 << 27
"""An answer may be so long at most: the largest picture takes 25 MB, and chips are small."""

START_SECONDS = 600.0
"""How long a process may take to start. Where no network is kept yet, it builds them."""

ANSWER_SECONDS = 60.0
"""How long a process may look for faces in a picture: a hundred times as long as in a frame of 4K,
for the machine may be busy."""

LINE_BYTES = 1000
"""Longer lines that a process prints are cut into several."""

# Ctrl-C is for the server, which finishes its requests. In a session of its own, a process may get
# as much of a core as the server, however nice it is (autogroups, see sched(7)).
if sys.version_info >= (3, 11):
    APART: dict[str, Any] = {"process_group": 0}
else:
    APART: dict[str, Any] = {"start_new_session": True}

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


class Child:
    """One process that finds faces. Its first answer says that it is ready.

    One thread asks at a time; another one reads what it prints, waits for its end and closes it.
    """

    def __init__(self, command: Command) -> None:
        self._due: float | None = time.monotonic() + START_SECONDS
        self._popen = subprocess.Popen(
            command.words(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=FOLDER,
            env=_environment(),
            **APART,
        )
        self._questions = cast(IO[bytes], self._popen.stdin)
        self._answers = cast(IO[bytes], self._popen.stdout)
        self._printed = cast(IO[bytes], self._popen.stderr)
        for pipe in (self._questions, self._answers):
            _enlarge(pipe)
        self._asking = threading.Lock()
        self._ended = threading.Event()
        self._was_given_up = False

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._popen.pid

    def answer(self) -> Found:
        """Wait for its next answer.

        Raises:
            EncoderError: as `Finder.find` raises it.
            EOFError: it has ended, or is being ended because of its answer.
            PictureError: as `Finder.find` raises it.
        """
        try:
            return read_answer(receive(self._answers, ANSWER_BYTES))
        except EOFError:
            self.kill()  # it may have closed the pipe, and go on
            raise
        except (MalformedAnswerError, MemoryError) as error:
            self.give_up()
            raise EOFError from error
        finally:
            self._due = None

    def ask(self, data: bytes) -> Found:
        """Let it find the faces in a picture. Raises what `answer` raises."""
        with self._asking:
            if self._questions.closed:
                raise EOFError
            self._due = time.monotonic() + ANSWER_SECONDS
            try:
                send(self._questions, data)
            except OSError as error:
                raise EOFError from error
            return self.answer()

    def is_late(self) -> bool:
        """Whether an answer should have come by now."""
        due = self._due
        return due is not None and time.monotonic() > due

    def give_up(self) -> None:
        """End it, for it does not do what it should."""
        self._was_given_up = True
        self.kill()

    def kill(self) -> None:
        """End it at once, if it has not ended."""
        self._popen.kill()

    def wait(self) -> str:
        """Wait for its end, and log what it prints until then. Returns how it ended."""
        for line in iter(lambda: self._printed.readline(LINE_BYTES), b""):
            if text := line.decode(errors="replace").rstrip():
                log.warning("a process that finds faces: %s", text)
        status = self._popen.wait()
        how = f"signal {-status}" if status < 0 else f"status {status}"
        return f"{how}, for it did not answer properly" if self._was_given_up else how

    def close(self) -> None:
        """Tell whoever asks that it has ended, once nobody else can ask it."""
        self._ended.set()
        with self._asking:
            self._answers.close()
            self._printed.close()
            with suppress(OSError):  # a question that it did not read
                self._questions.close()

    def was_killed(self) -> bool:
        """Whether its end came from outside; waits for it."""
        self._ended.wait()
        return self._popen.returncode == KILLED and not self._was_given_up


def _enlarge(pipe: IO[bytes]) -> None:
    """Let a pipe hold more, unless the system's limits forbid it."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _environment() -> dict[str, str]:
    """What a process is to know: no setting and no collector of traces, and so no key."""
    secret = ("SUSRACKER_", "OTEL_")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(secret)}
    return inherited | {"OPENBLAS_NUM_THREADS": "1"}
