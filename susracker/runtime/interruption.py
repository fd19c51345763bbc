"""Ending early, but in order."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from typing_extensions import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)

INTERRUPTED = 128 + signal.SIGINT
"""Exit status after Ctrl-C, as shells have it."""

AGAIN_SECONDS = 0.05
"""How long Python may take to notice a signal before it is sent again."""


def leave_at_once() -> None:
    """From now on, Ctrl-C ends the program without a word: while it is imported, it leaves nothing
    behind. A Ctrl-C that is ignored stays so. For the main thread."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def exit_as_told() -> None:
    """Have the exit status be what the program says.

    CPython sends itself the signal at the end if a KeyboardInterrupt ever left code that was given
    to `exec` as text, as dataclasses do, whoever caught it then. It forgets that when it runs other
    such code (`run_eval_code_obj` in its pythonrun.c).
    """
    exec("")  # nosec B102


def _leave(number: int, frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)


class Interruption:
    """While entered, the first Ctrl-C or SIGTERM only sets `signal`; the second does what it
    would do anyway. For the main thread.

    Attributes:
        signal: number of the signal that came, or None.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._before: dict[int, Any] = {}

    def __bool__(self) -> bool:
        return self.signal is not None

    @property
    def exit_status(self) -> int:
        """What a shell expects of a program that a signal ended."""
        return 128 + (self.signal or 0)

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._take) for number in SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()

    def _take(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        self._restore()

    def _restore(self) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)


class Hearing:
    """While entered, no Ctrl-C is lost.

    Python loses one that comes within a callback whose exceptions it ignores: importlib has one
    for each module. It notices one late that comes between its last look for signals and a system
    call that waits. Here, a thread sends the signal again until a handler has heard it.

    It does nothing where Ctrl-C is handled by others, or ignored, or where there are no signals of
    POSIX. For the main thread; others may enter it, to no effect.
    """

    def __init__(self) -> None:
        self._is_heard = threading.Event()
        self._lock = threading.Lock()
        self._is_over = True

    @property
    def has_heard(self) -> bool:
        """Whether there was a Ctrl-C."""
        return self._is_heard.is_set()

    def __enter__(self) -> Self:
        if (
            hasattr(signal, "pthread_kill")
            and threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) in (signal.default_int_handler, _leave)
        ):
            self._begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            was_over, self._is_over = self._is_over, True
        if was_over:
            return
        if signal.getsignal(signal.SIGINT) == self._hear:
            signal.signal(signal.SIGINT, self._handler_before)
        signal.set_wakeup_fd(self._wakeup_before)
        sys.unraisablehook = self._hook_before
        os.close(self._writer)

    def _begin(self) -> None:
        self._is_over = False
        reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._hook_before, sys.unraisablehook = sys.unraisablehook, self._take_ignored
        # The signal's number is written at once, whatever the main thread is doing.
        self._wakeup_before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        threading.Thread(
            target=self._repeat, args=(reader,), name="hearing Ctrl-C", daemon=True
        ).start()
        self._handler_before = signal.signal(signal.SIGINT, self._hear)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._is_heard.set()
        raise KeyboardInterrupt

    def _take_ignored(self, ignored: sys.UnraisableHookArgs) -> None:
        if issubclass(ignored.exc_type, KeyboardInterrupt):
            self._is_heard.clear()
            os.write(self._writer, bytes([signal.SIGINT]))
        else:
            self._hook_before(ignored)

    def _repeat(self, reader: int) -> None:
        with os.fdopen(reader, "rb", buffering=0) as signals:
            while number := signals.read(1):
                if number[0] == signal.SIGINT and not self._is_heard.wait(AGAIN_SECONDS):
                    self._send_again()

    def _send_again(self) -> None:
        with self._lock:
            if not self._is_over and signal.getsignal(signal.SIGINT) == self._hear:
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
